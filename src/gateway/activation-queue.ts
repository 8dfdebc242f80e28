import { explain, type Logger } from '../observability/logger';
import { type DeviceActivation, MAXIMUM_ACTIVATIONS } from '../store/device-activation';

/**
 * Devices that have sent their first reading, on their way to becoming active: in the background, gathered by building
 * and at a bounded rate, so that a hundred thousand new devices do not take the store from those that send. What is
 * lost here, with the process or beyond the limit, comes again with the device's next message.
 */
export interface ActivationQueue {
  /** @param at milliseconds since 1970: when its first reading was received */
  add(buildingId: string, deviceId: string, at: number): void;
  start(): void;
  /** Goes on without a pause for a few seconds at most. */
  stop(): Promise<void>;
}

interface Building {
  devices: Map<string, number>;
  since: number;
}

const PER_SECOND = 200;
const GATHER_MS = 1_000;
const DEFAULT_LIMIT = 200_000;
/** A batch costs the store something however few devices are in it. */
const DEVICES_A_BATCH_AT_LEAST = 10;
/** As long as the directory takes to hear of it, and some: until then its messages still look like first ones. */
const LATELY_MS = 10_000;
const MAXIMUM_LATELY = 20_000;
const SHORTEST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const DRAIN_MS = 2_000;

export function createActivationQueue(options: {
  logger: Logger;
  activation: DeviceActivation;
  onActivated?: (devices: number) => void;
  perSecond?: number;
  gatherMilliseconds?: number;
  /** The most devices that wait. */
  limit?: number;
}): ActivationQueue {
  const { logger, activation, perSecond = PER_SECOND } = options;
  const { gatherMilliseconds = GATHER_MS, limit = DEFAULT_LIMIT } = options;
  /** In the order in which they came. */
  const waiting = new Map<string, Building>();
  /** Devices done a moment ago, and until when they are not taken again. */
  const lately = new Map<string, number>();
  let count = 0;
  let failures = 0;
  let stopping = false;
  let stopBy = Infinity;
  let wake: (() => void) | undefined;
  let onStop: (() => void) | undefined;
  let loop: Promise<void> | undefined;

  function take(buildingId: string, building: Building): { deviceId: string; at: number }[] {
    const taken: { deviceId: string; at: number }[] = [];
    for (const [deviceId, at] of building.devices) {
      building.devices.delete(deviceId);
      taken.push({ deviceId, at });
      if (taken.length === MAXIMUM_ACTIVATIONS) break;
    }
    if (building.devices.size === 0) waiting.delete(buildingId);
    count -= taken.length;
    return taken;
  }

  function add(buildingId: string, deviceId: string, at: number): void {
    const building = waiting.get(buildingId);
    if (building?.devices.has(deviceId) || count >= limit) return;
    count++;
    if (building) building.devices.set(deviceId, at);
    else waiting.set(buildingId, { devices: new Map([[deviceId, at]]), since: Date.now() });
  }

  function remember(deviceId: string): void {
    lately.delete(deviceId);
    lately.set(deviceId, Date.now() + LATELY_MS);
    if (lately.size > MAXIMUM_LATELY) lately.delete(lately.keys().next().value!);
  }

  async function activate(buildingId: string, building: Building): Promise<number> {
    const devices = take(buildingId, building);
    try {
      const activated = await activation.activate(buildingId, devices);
      if (activated > 0) options.onActivated?.(activated);
      if (failures > 0) logger.info({}, 'devices become active again');
      failures = 0;
      for (const { deviceId } of devices) remember(deviceId);
      return (Math.max(DEVICES_A_BATCH_AT_LEAST, devices.length) * 1000) / perSecond;
    } catch (error) {
      // Behind the others: a building that cannot be written must not keep them waiting.
      for (const { deviceId, at } of devices) add(buildingId, deviceId, at);
      if (failures++ === 0) {
        logger.warn({ buildingId, error: explain(error) }, 'devices that have sent do not become active');
      }
      return Math.min(SHORTEST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY_MS);
    }
  }

  /** Ends early when something is queued or the process stops. */
  async function idle(): Promise<void> {
    await new Promise<void>((resolve) => (wake = resolve));
    wake = undefined;
  }

  /** Ends early only when the process stops. */
  async function pause(milliseconds: number): Promise<void> {
    if (stopping || milliseconds <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      onStop = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  async function run(): Promise<void> {
    for (;;) {
      const [first] = waiting;
      if (first === undefined) {
        if (stopping) return;
        await idle();
        continue;
      }
      if (stopping && (Date.now() >= stopBy || failures > 0)) return;
      const [buildingId, building] = first;
      await pause(building.since + gatherMilliseconds - Date.now());
      await pause(await activate(buildingId, building));
    }
  }

  return {
    add(buildingId, deviceId, at) {
      const until = lately.get(deviceId);
      if (until !== undefined && Date.now() < until) return;
      add(buildingId, deviceId, at);
      wake?.();
    },
    start() {
      loop ??= run();
    },
    async stop() {
      stopping = true;
      stopBy = Date.now() + DRAIN_MS;
      wake?.();
      onStop?.();
      let late: NodeJS.Timeout | undefined;
      await Promise.race([loop, new Promise((resolve) => (late = setTimeout(resolve, DRAIN_MS)))]);
      clearTimeout(late);
    },
  };
}
