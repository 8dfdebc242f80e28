import { allows, type TenantScope } from '../../auth/scope';
import { newId } from '../../domain/id';
import { nextState } from '../../domain/lifecycle';
import { type Cosmos } from '../cosmos';
import {
  type BuildingDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
} from '../documents';
import { type Outcome } from '../registry';
import { notFound, refused, visible } from './access';
import { spaceOf } from './claiming';
import { type DeviceChanges } from './device-change';
import { entryKey } from './devices';
import {
  assignmentsProblem,
  channelsOf,
  ended,
  MOVE_AHEAD_MS,
  placementOf,
  switchInstant,
} from './placement';
import { type Sagas } from './saga';

export interface Moving {
  /**
   * A device to another space, of the same building or of another of the same tenant. A point is a quantity of one place:
   * so it gets new points there, from a moment later on (`MOVE_AHEAD_MS`), and its earlier readings stay with the
   * earlier ones. Its credentials and what it is told to be go with it. Moving it to where it is changes nothing, which
   * makes a repeated try safe.
   *
   * @param input.buildingId null: the building that it stands in.
   */
  moveDevice(
    scope: TenantScope,
    input: { deviceId: string; buildingId: string | null; spaceId: string },
  ): Promise<Outcome<DeviceDocument>>;
}

/** How often a move is begun again because the device changed at the same time. */
const MAXIMUM_TRIES = 10;

export function createMoving({
  cosmos,
  changes,
  sagas,
}: {
  cosmos: Cosmos;
  changes: DeviceChanges;
  sagas: Sagas;
}): Moving {
  function moveWithin(
    scope: TenantScope,
    deviceId: string,
    spaceId: string,
  ): Promise<Outcome<DeviceDocument>> {
    return changes.apply(
      scope,
      deviceId,
      'MOVE',
      async ({ device, building, now }) => {
        const problem = assignmentsProblem(device);
        if (problem) return problem;
        if (!(await spaceOf(cosmos, building, spaceId))) {
          return { code: 'NOT_FOUND', message: `there is no space ${spaceId}`, path: 'spaceId' };
        }
        const at = switchInstant(device, now + MOVE_AHEAD_MS);
        const placement = placementOf(building, {
          channels: channelsOf(device),
          spaceId,
          deviceOrdinal: device.assignments.findLast((each) => each.buildingId === building.id)!
            .deviceOrdinal,
          at: now,
          from: at,
          seed: deviceId,
        });
        return {
          device: {
            ...device,
            spaceId,
            assignments: [...ended(device.assignments, at), ...placement.assignments],
          },
          building: placement.building,
          more: placement.points.map((create) => ({ create })),
          audit: {
            action: 'device.move',
            before: { buildingId: building.id, spaceId: device.spaceId },
            after: { buildingId: building.id, spaceId },
          },
        };
      },
      { done: (device) => device.spaceId === spaceId && device.state !== 'RETIRED' && !device.departing },
    );
  }

  /** One try, or undefined where the device changed at the same time. */
  async function moveAcross(
    scope: TenantScope,
    device: DeviceDocument,
    building: BuildingDocument,
    spaceId: string,
  ): Promise<Outcome<void> | undefined> {
    if (!allows(scope, 'device.move', device) || !allows(scope, 'device.move', building)) {
      return refused('FORBIDDEN', 'your role may not do this to devices here: move');
    }
    if (building.tenantId !== device.tenantId) {
      const message = 'this building belongs to another tenant: offer the device to it instead';
      return refused('INVALID_INPUT', message, 'buildingId');
    }
    if (!(await spaceOf(cosmos, building, spaceId))) return notFound('space', spaceId, 'spaceId');
    if (device.departing) {
      // An earlier try that was broken off is first brought to its end, wherever it leads.
      const begun = await sagas.find(device.departing.saga);
      if (begun) await sagas.run(begun);
      return undefined;
    }
    if (nextState(device.state, 'MOVE') === null) {
      const message = `device ${device.id} is ${device.state} and does not admit: move`;
      return refused('WRONG_STATE', message, 'deviceId');
    }
    const saga = await sagas.begin({
      id: newId('job'),
      kind: 'move',
      actor: scope.principal.id,
      ...(scope.from && { origin: scope.from }),
      fingerprint: null,
      deviceId: device.id,
      from: { tenantId: device.tenantId, buildingId: device.buildingId },
      to: { tenantId: building.tenantId, buildingId: building.id, spaceId, name: device.name },
      etag: device._etag!,
    });
    const outcome = await sagas.run(saga);
    return !outcome.ok && outcome.refusal.code === 'CONFLICT' ? undefined : outcome;
  }

  return {
    async moveDevice(scope, { deviceId, buildingId, spaceId }) {
      const { partition, id } = entryKey(deviceId);
      for (let tries = 0; tries < MAXIMUM_TRIES; tries++) {
        const entry = visible(
          scope,
          'device.read',
          await cosmos.read<DeviceEntryDocument>('directory', partition, id),
        );
        if (!entry) return notFound('device', deviceId, 'deviceId');
        if (buildingId === null || buildingId === entry.buildingId) {
          return moveWithin(scope, deviceId, spaceId);
        }
        const [device, building] = await Promise.all([
          cosmos.read<DeviceDocument | DepartedDocument>('registry', entry.buildingId, deviceId),
          cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
        ]);
        if (device?.type === 'departed') continue;
        if (device?.type !== 'device') return notFound('device', deviceId, 'deviceId');
        if (!visible(scope, 'building.read', building)) return notFound('building', buildingId, 'buildingId');
        const outcome = await moveAcross(scope, device, building!, spaceId);
        if (outcome && !outcome.ok) return outcome;
        if (!outcome) continue;
        const moved = await cosmos.read<DeviceDocument>('registry', buildingId, deviceId);
        if (moved?.type === 'device') return { ok: true, value: moved };
      }
      return refused('CONFLICT', `device ${deviceId} is being changed by others: try again`);
    },
  };
}
