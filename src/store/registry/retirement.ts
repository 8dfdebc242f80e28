import { type QuantityName } from '../../domain/quantity';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument, type DeviceDocument } from '../documents';
import { type Registry } from '../registry';
import { releaseChildren } from './children';
import { type DeviceChanges } from './device-change';
import { ended } from './placement';

export function createRetirement({
  cosmos,
  changes,
}: {
  cosmos: Cosmos;
  changes: DeviceChanges;
}): Pick<Registry, 'retireDevice'> {
  return {
    async retireDevice(scope, deviceId) {
      const outcome = await changes.apply(
        scope,
        deviceId,
        'RETIRE',
        ({ device, building, state, now }) => ({
          device: retired(device, now),
          building: withoutDevice(building, device),
          audit: { action: 'device.retire', before: { state: device.state }, after: { state } },
        }),
        { done: ({ state }) => state === 'RETIRED' },
      );
      if (outcome.ok) {
        const { buildingId, replacedBy = null } = outcome.value;
        const actor = scope.principal.id;
        await releaseChildren(cosmos, {
          buildingId,
          parentId: deviceId,
          next: replacedBy,
          actor,
          from: scope.from,
        });
      }
      return outcome;
    },
  };
}

/** The device out of service for good: its assignments end, its credentials are destroyed. */
export function retired(device: DeviceDocument, now: number): DeviceDocument {
  return {
    ...device,
    state: 'RETIRED',
    keys: null,
    thumbprints: null,
    authority: null,
    parentId: null,
    transfer: null,
    suspended: null,
    // Also those that a move has set for a moment later.
    assignments: ended(device.assignments, now),
    retiredAt: now,
  };
}

/** The device retired in favour of another. Ended first, so that none stays that never held an instant. */
export function replacedAt(device: DeviceDocument, at: number, replacedBy: string): DeviceDocument {
  return { ...retired({ ...device, assignments: ended(device.assignments, at) }, at), replacedBy };
}

/** The building with the device out of its counts. */
export function withoutDevice(building: BuildingDocument, device: DeviceDocument): BuildingDocument {
  return counted(building, device, -1);
}

/** The building with the device, as it is assigned now, in its counts. */
export function withDevice(building: BuildingDocument, device: DeviceDocument): BuildingDocument {
  return counted(building, device, 1);
}

function counted(building: BuildingDocument, device: DeviceDocument, by: 1 | -1): BuildingDocument {
  const open = device.assignments.filter((each) => each.to === null && each.buildingId === building.id);
  const devicesByQuantity = { ...building.devicesByQuantity };
  for (const quantity of new Set<QuantityName>(open.map((each) => each.quantity))) {
    devicesByQuantity[quantity] = Math.max(0, (devicesByQuantity[quantity] ?? 0) + by);
  }
  return { ...building, devices: Math.max(0, building.devices + by), devicesByQuantity };
}
