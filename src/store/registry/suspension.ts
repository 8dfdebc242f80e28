import { type Registry } from '../registry';
import { type DeviceChanges } from './device-change';
import { reasonProblem } from './validation';

/**
 * Maintenance: the device keeps its credentials and its place and is refused until it is resumed. It stays in its
 * building's counts, so that `devicesExpected` shows the gap that it leaves.
 */
export function createSuspension({
  changes,
}: {
  changes: DeviceChanges;
}): Pick<Registry, 'suspendDevice' | 'resumeDevice'> {
  return {
    async suspendDevice(scope, deviceId, reason) {
      const problem = reason === null ? undefined : reasonProblem(reason);
      if (problem) return { ok: false, refusal: problem };
      return changes.apply(
        scope,
        deviceId,
        'SUSPEND',
        ({ device, state, now }) => ({
          device: {
            ...device,
            state,
            // The lifecycle admits it from these two states and no other.
            suspended: { before: device.state as 'PROVISIONED' | 'ACTIVE', at: now, reason },
          },
          audit: { action: 'device.suspend', before: { state: device.state }, after: { state, reason } },
        }),
        { done: ({ state }) => state === 'SUSPENDED' },
      );
    },

    resumeDevice(scope, deviceId) {
      return changes.apply(
        scope,
        deviceId,
        'RESUME',
        ({ device, state }) => ({
          device: { ...device, state, suspended: null },
          audit: {
            action: 'device.resume',
            before: { state: device.state, reason: device.suspended?.reason ?? null },
            after: { state },
          },
        }),
        { done: ({ state }) => state === 'PROVISIONED' || state === 'ACTIVE' },
      );
    },
  };
}
