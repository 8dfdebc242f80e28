import { allows, type TenantScope } from '../../auth/scope';
import { type DeviceState } from '../../domain/device';
import { newId } from '../../domain/id';
import { type DeviceCommand, LIFECYCLE, nextState } from '../../domain/lifecycle';
import { type Change, type Cosmos } from '../cosmos';
import {
  type AuditDocument,
  type BuildingDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
} from '../documents';
import { type Outcome, type Refusal } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused, visible, whereToLook } from './access';
import { auditOf } from './audit';
import { type BuildingLocks } from './building-locks';
import { entryKey } from './devices';

/** Etag races with other processes; within this one `locks` keeps them apart. */
const MAXIMUM_RACES = 50;
/** So often may it be gone from where its entry has just said it is. */
const MAXIMUM_DEPARTURES = 3;

/** What a command finds when its turn has come. */
export interface Found {
  device: DeviceDocument;
  building: BuildingDocument;
  /** What the command makes of the state. */
  state: DeviceState;
  /** Milliseconds since 1970; the same for everything the command writes. */
  now: number;
}

/** What a command makes of a device: all of it stands in one transactional batch with its audit event. */
export interface DeviceChange {
  /**
   * Left out, the device's own document stays as it is, and `more` carries the change under an etag of its own. Then a
   * change of state that another process makes at the same moment is not noticed.
   */
  device?: DeviceDocument;
  /** Left out, the building stays as it is. */
  building?: BuildingDocument;
  /** Further documents of the same building. */
  more?: Change[];
  audit: Pick<AuditDocument, 'action' | 'before' | 'after'>;
}

export interface DeviceChanges {
  /**
   * Makes a command of the lifecycle take effect on a device that the scope can see: checks the caller's right and the
   * device's state, and writes the change with its audit event. `work` is called again where the device or its building
   * changed meanwhile, so it must only compute. It answers `unchanged` where nothing is left to be done, or a refusal.
   */
  apply(
    scope: TenantScope,
    deviceId: string,
    command: DeviceCommand,
    work: (
      found: Found,
    ) => DeviceChange | Refusal | 'unchanged' | Promise<DeviceChange | Refusal | 'unchanged'>,
    options?: {
      /** Asked before the state is judged: a command that was done already is no fault. */
      done?: (device: DeviceDocument) => boolean;
    },
  ): Promise<Outcome<DeviceDocument>>;
}

export function createDeviceChanges({
  cosmos,
  locks,
}: {
  cosmos: Cosmos;
  locks: BuildingLocks;
}): DeviceChanges {
  return {
    async apply(scope, deviceId, command, work, { done } = {}) {
      const { partition, id } = entryKey(deviceId);
      const { by } = LIFECYCLE[command];

      /** One try, or undefined where the device or its building changed meanwhile. */
      async function attempt(buildingId: string): Promise<Outcome<DeviceDocument> | 'departed' | undefined> {
        const [device, building] = await Promise.all([
          cosmos.read<DeviceDocument | DepartedDocument>('registry', buildingId, deviceId),
          cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
        ]);
        if (device?.type === 'departed') return 'departed';
        if (!building || !visible(scope, 'device.read', device) || device?.type !== 'device') {
          return notFound('device', deviceId, 'deviceId');
        }
        if (by === 'the-device' || !allows(scope, by, device)) {
          return refused('FORBIDDEN', `your role may not do this to devices here: ${wordsOf(command)}`);
        }
        if (done?.(device)) return { ok: true, value: device };
        if (device.departing) {
          return refused(
            'CONFLICT',
            `device ${deviceId} is on its way to another place: try again`,
            'deviceId',
          );
        }
        const state = nextState(device.state, command, device.suspended?.before);
        if (state === null) {
          const message = `device ${deviceId} is ${device.state} and does not admit: ${wordsOf(command)}`;
          return refused('WRONG_STATE', message, 'deviceId');
        }
        const now = Date.now();
        const change = await work({ device, building, state, now });
        if (change === 'unchanged') return { ok: true, value: device };
        if ('code' in change) return { ok: false, refusal: change };
        const audit = auditOf(scope, {
          id: newId('aud'),
          buildingId,
          tenantId: device.tenantId,
          at: now,
          subject: deviceId,
          ...change.audit,
        });
        const outcome = await cosmos.batch('registry', buildingId, [
          ...(change.device ? [{ replace: change.device, etag: device._etag! }] : []),
          ...(change.building ? [{ replace: change.building, etag: building._etag! }] : []),
          { create: audit },
          ...(change.more ?? []),
        ]);
        if (!outcome.ok) return undefined;
        return { ok: true, value: change.device ? { ...change.device, _etag: outcome.etags[0] } : device };
      }

      for (let departures = 0; departures < MAXIMUM_DEPARTURES; departures++) {
        const entry = await cosmos.read<DeviceEntryDocument>('directory', partition, id);
        const buildingId = whereToLook(scope, 'device.read', entry);
        if (buildingId === null) return notFound('device', deviceId, 'deviceId');
        const settled = await locks.hold(buildingId, async () => {
          for (let race = 0; race < MAXIMUM_RACES; race++) {
            const outcome = await retrying(() => attempt(buildingId));
            if (outcome) return outcome;
          }
          return undefined;
        });
        // It left between the reading of its entry and of itself: the entry names another building by now.
        if (settled === 'departed') continue;
        if (settled) return settled;
        break;
      }
      return refused('CONFLICT', `device ${deviceId} is being changed by others: try again`);
    },
  };
}

function wordsOf(command: DeviceCommand): string {
  return command.toLowerCase().replaceAll('_', ' ');
}
