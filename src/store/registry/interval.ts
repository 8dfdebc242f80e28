import { type Registry } from '../registry';
import { refused } from './access';
import { type DeviceChanges } from './device-change';

/** A device that sends more seldom than weekly is as good as silent. */
export const LONGEST_INTERVAL_SECONDS = 7 * 86_400;

/** How often devices are expected to send: what silence is measured by. */
export function createIntervals({
  changes,
}: {
  changes: DeviceChanges;
}): Pick<Registry, 'setDeviceInterval'> {
  return {
    async setDeviceInterval(scope, deviceId, seconds) {
      if (
        seconds !== null &&
        !(Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_INTERVAL_SECONDS)
      ) {
        return refused(
          'INVALID_INPUT',
          `intervalSeconds is ${seconds} and must be 1 to ${LONGEST_INTERVAL_SECONDS}, or null`,
          'intervalSeconds',
        );
      }
      return changes.apply(scope, deviceId, 'CONFIGURE', ({ device }) => {
        const { intervalSeconds: before = null, ...rest } = device;
        if (before === seconds) return 'unchanged';
        return {
          device: seconds === null ? rest : { ...rest, intervalSeconds: seconds },
          audit: {
            action: 'device.set-interval',
            before: { intervalSeconds: before },
            after: { intervalSeconds: seconds },
          },
        };
      });
    },
  };
}
