import { openAssignment } from '../domain/device';
import { type DeviceProtocol } from '../domain/device-protocol';
import { type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type ActivityWriter } from '../store/device-activity';
import { type DeviceActivation } from '../store/device-activation';
import { type DirectoryDevice } from '../store/device-directory';
import { createActivationQueue } from './activation-queue';
import { createCounters } from './counters';
import { createLastSeen } from './last-seen';

/** What the gateway tells the registry of the devices that it hears. Nothing of it delays an acknowledgement. */
export interface DeviceActivity {
  /**
   * Event Hubs has accepted a message of the device with so many readings taken. Costs some tens of nanoseconds.
   *
   * @param receivedAt milliseconds since 1970
   */
  accepted(device: DirectoryDevice, protocol: DeviceProtocol, receivedAt: number, readings: number): void;
  start(): void;
  /** Stores what is still to be stored, as far as a few seconds allow. */
  stop(): Promise<void>;
}

/** For a gateway without a registry behind it. */
export const NO_ACTIVITY: DeviceActivity = {
  accepted: () => undefined,
  start: () => undefined,
  stop: () => Promise.resolve(),
};

export function createDeviceActivity(options: {
  logger: Logger;
  metrics: Registry;
  writer: ActivityWriter;
  activation: DeviceActivation;
  /** How often a building's last seen is written at most. Default 60 s. */
  intervalMilliseconds?: number;
  /** How many devices become active a second at most. Default 200. */
  activationsPerSecond?: number;
  /** How long a building's first new device waits for others, so that they share a batch. Default 1 s. */
  gatherMilliseconds?: number;
}): DeviceActivity {
  const { logger, writer, activation, intervalMilliseconds, activationsPerSecond, gatherMilliseconds } =
    options;
  const { sum } = createCounters(options.metrics);
  const written = sum(
    'atrium_gateway_last_seen_buildings_written_total',
    'Buildings whose devices’ last seen was written. More than one a building and minute: an interval that was set too short.',
  );
  const postponed = sum(
    'atrium_gateway_last_seen_failures_total',
    'Times that last seen could not be written and was kept for the next round. Sustained: Cosmos is away or throttles; telemetry is not harmed, the API tells older instants.',
  );
  const activated = sum(
    'atrium_gateway_devices_activated_total',
    'Devices that became active by their first reading. A rise after an installation is as it should be.',
  );
  const lastSeen = createLastSeen({
    logger,
    writer,
    onWritten: written,
    onFailure: () => postponed(1),
    ...(intervalMilliseconds === undefined ? {} : { intervalMilliseconds }),
  });
  const queue = createActivationQueue({
    logger,
    activation,
    onActivated: activated,
    ...(activationsPerSecond === undefined ? {} : { perSecond: activationsPerSecond }),
    ...(gatherMilliseconds === undefined ? {} : { gatherMilliseconds }),
  });

  return {
    accepted({ deviceId, state, assignments }, protocol, receivedAt, readings) {
      const place = openAssignment(assignments);
      if (place === undefined) return;
      lastSeen.note(place.buildingId, place.deviceOrdinal, protocol, receivedAt);
      if (state === 'PROVISIONED' && readings > 0) queue.add(place.buildingId, deviceId, receivedAt);
    },
    start() {
      lastSeen.start();
      queue.start();
    },
    async stop() {
      await Promise.all([lastSeen.stop(), queue.stop()]);
    },
  };
}
