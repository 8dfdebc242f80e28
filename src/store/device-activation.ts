import { newId } from '../domain/id';
import { nextState } from '../domain/lifecycle';
import { type Change, type Cosmos } from './cosmos';
import { type AuditDocument, auditKeyOf, type DeviceDocument } from './documents';
import { retrying } from './store-error';

/** What the gateway does to the registry when a device is first heard. */
export interface DeviceActivation {
  /**
   * Makes those of the devices active that are provisioned, and leaves the others as they are: suspended or retired
   * meanwhile, or made active by another gateway. Each batch holds the audit event that names its devices. May be
   * repeated. Resolves with the number that it made active; rejects where the store cannot be written.
   *
   * @param devices at most `MAXIMUM_ACTIVATIONS`; `at`: when the first reading was received, milliseconds since 1970
   */
  activate(buildingId: string, devices: readonly { deviceId: string; at: number }[]): Promise<number>;
}

export const MAXIMUM_ACTIVATIONS = 90;
/** Who acts in the audit log: the device itself, as the gateway heard it. */
export const GATEWAY_ACTOR = 'gateway';
/** Of documents in a batch, well below Cosmos's 2 MB. */
const MAXIMUM_BATCH_BYTES = 1_000_000;
const MAXIMUM_RACES = 50;

export function createDeviceActivation({ cosmos }: { cosmos: Cosmos }): DeviceActivation {
  /** What of the devices is to be written now: one owner's, and no more than a batch may hold. */
  async function provisioned(
    buildingId: string,
    deviceIds: readonly string[],
  ): Promise<{ batch: DeviceDocument[]; more: boolean }> {
    const documents = await cosmos.readMany<DeviceDocument>(
      'registry',
      deviceIds.map((id) => ({ partition: buildingId, id })),
    );
    const found = documents.filter(
      (each) =>
        each?.type === 'device' && each.departing == null && nextState(each.state, 'ACTIVATE') !== null,
    ) as DeviceDocument[];
    let bytes = 0;
    const batch = found.filter((each) => {
      // An audit event is one tenant's to read.
      if (each.tenantId !== found[0]!.tenantId) return false;
      bytes += JSON.stringify(each).length;
      return each === found[0] || bytes <= MAXIMUM_BATCH_BYTES;
    });
    return { batch, more: batch.length < found.length };
  }

  return {
    async activate(buildingId, devices) {
      const heardAt = new Map(devices.map(({ deviceId, at }) => [deviceId, at]));
      let activated = 0;
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const done = await retrying(async () => {
          const { batch, more } = await provisioned(buildingId, [...heardAt.keys()]);
          if (batch.length === 0) return true;
          const outcome = await cosmos.batch('registry', buildingId, changesOf(batch, heardAt));
          // Refused where one of them, or another gateway's batch, was quicker: read again.
          if (outcome.ok) activated += batch.length;
          return outcome.ok && !more;
        });
        if (done) return activated;
      }
      throw new Error(`devices of building ${buildingId} were changed by others ${MAXIMUM_RACES} times`);
    },
  };
}

function changesOf(batch: readonly DeviceDocument[], heardAt: ReadonlyMap<string, number>): Change[] {
  const { buildingId, tenantId } = batch[0]!;
  const id = newId('aud');
  const at = Date.now();
  const audit: AuditDocument = {
    id,
    type: 'audit',
    buildingId,
    tenantId,
    at,
    actor: GATEWAY_ACTOR,
    action: 'devices.activate',
    subject: buildingId,
    auditKey: auditKeyOf(at, id),
    before: { state: 'PROVISIONED' },
    after: { state: 'ACTIVE', devices: batch.map((device) => device.id) },
  };
  return [
    ...batch.map((device): Change => ({
      replace: {
        ...device,
        state: nextState(device.state, 'ACTIVATE')!,
        activatedAt: heardAt.get(device.id)!,
      } as DeviceDocument,
      etag: device._etag!,
    })),
    { create: audit },
  ];
}
