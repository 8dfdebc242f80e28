import { allows } from '../../auth/scope';
import { newId } from '../../domain/id';
import { type QuantityName } from '../../domain/quantity';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument, type DeviceDocument, type DeviceEntryDocument } from '../documents';
import { type Outcome, type Registry } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused, visible } from './access';
import { auditOf } from './audit';
import { type BuildingLocks } from './building-locks';
import { entryKey } from './devices';

/** Etag races with other processes; within this one `locks` keeps them apart. */
const MAXIMUM_RACES = 50;

export function createRetirement({
  cosmos,
  locks,
}: {
  cosmos: Cosmos;
  locks: BuildingLocks;
}): Pick<Registry, 'retireDevice'> {
  return {
    async retireDevice(scope, deviceId) {
      const { partition, id } = entryKey(deviceId);
      const entry = visible(
        scope,
        'device.read',
        await cosmos.read<DeviceEntryDocument>('directory', partition, id),
      );
      if (!entry) return notFound('device', deviceId, 'deviceId');
      const { buildingId } = entry;

      /** One try, or undefined where the device or its building changed meanwhile. */
      async function retire(): Promise<Outcome<DeviceDocument> | undefined> {
        const [device, building] = await Promise.all([
          cosmos.read<DeviceDocument>('registry', buildingId, deviceId),
          cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
        ]);
        if (!building || !visible(scope, 'device.read', device) || !device) {
          return notFound('device', deviceId, 'deviceId');
        }
        if (!allows(scope, 'device.retire', device)) {
          return refused('FORBIDDEN', 'your role may not retire devices here');
        }
        if (device.state === 'RETIRED') return { ok: true, value: device };

        const now = Date.now();
        const open = device.assignments.filter((each) => each.to === null);
        const retired: DeviceDocument = {
          ...device,
          state: 'RETIRED',
          keys: null,
          assignments: device.assignments.map((each) => (each.to === null ? { ...each, to: now } : each)),
          retiredAt: now,
        };
        const audit = auditOf(scope, {
          id: newId('aud'),
          buildingId,
          tenantId: device.tenantId,
          at: now,
          action: 'device.retire',
          subject: deviceId,
          before: { state: device.state },
          after: { state: retired.state },
        });
        const quantities = new Set(open.map((each) => each.quantity));
        const outcome = await cosmos.batch('registry', buildingId, [
          { replace: retired, etag: device._etag! },
          { replace: lowered(building, quantities), etag: building._etag! },
          { create: audit },
        ]);
        return outcome.ok ? { ok: true, value: { ...retired, _etag: outcome.etags[0] } } : undefined;
      }

      return locks.hold(buildingId, async () => {
        for (let race = 0; race < MAXIMUM_RACES; race++) {
          // Safe to repeat: where a lost answer had taken effect, the device is found retired.
          const outcome = await retrying(retire);
          if (outcome) return outcome;
        }
        return refused('CONFLICT', `device ${deviceId} is being changed by others: try again`);
      });
    },
  };
}

function lowered(building: BuildingDocument, quantities: ReadonlySet<QuantityName>): BuildingDocument {
  const devicesByQuantity = { ...building.devicesByQuantity };
  for (const quantity of quantities) {
    devicesByQuantity[quantity] = Math.max(0, (devicesByQuantity[quantity] ?? 0) - 1);
  }
  return { ...building, devices: Math.max(0, building.devices - 1), devicesByQuantity };
}
