import { deviceModelNamed } from '../src/domain/device';
import { type QuantityName } from '../src/domain/quantity';
import { type FleetDevice } from './fleet';
import { createRandom } from './random';
import { type Message, type MessageReading, type SendingDevice } from './sender';
import { createSendingDevice } from './sending-device';
import { createWalks } from './walk';

/** Makes messages of many readings each, as fast as they are asked for: a device in turn, each its latest instants. */
export interface Burst {
  next(now: number): Message;
}

interface BurstDevice {
  sending: SendingDevice;
  channels: readonly { name: string; quantity: QuantityName }[];
  lastObservedAt: number;
}

/** Values made beforehand, so that a message costs little more than its text. */
const POOL = 997;
/** How far back the instants of a message reach at most. */
const REACH_MS = 1_000;

/**
 * `batch` readings a message, or the next multiple of the device's channels: one record with all channels for each of
 * several instants.
 */
export function createBurst(options: {
  devices: readonly FleetDevice[];
  batch: number;
  seed?: number;
}): Burst {
  const random = createRandom(options.seed ?? 1);
  const devices = options.devices.map(({ connectionString, model }): BurstDevice => ({
    sending: createSendingDevice(connectionString),
    channels: deviceModelNamed(model)!.channels,
    lastObservedAt: 0,
  }));
  const pools = new Map<QuantityName, number[]>();
  const poolOf = (quantity: QuantityName): number[] => {
    let pool = pools.get(quantity);
    if (pool === undefined) {
      const walks = createWalks([quantity], random);
      pool = Array.from({ length: POOL }, (_, i) => walks.step(0, 12 * 3_600_000 + i * 10_000));
      pools.set(quantity, pool);
    }
    return pool;
  };
  let turn = 0;
  let drawn = 0;
  return {
    next(now) {
      const device = devices[turn++ % devices.length]!;
      const records = Math.ceil(options.batch / device.channels.length);
      // Instants of one device never repeat: each would be taken for the reading before.
      const first = Math.max(device.lastObservedAt + 1, now - REACH_MS);
      const step = Math.max(1, (now - first) / records);
      const readings: MessageReading[] = [];
      let body = '[';
      for (let index = 0; index < records; index++) {
        const observedAt = Math.floor(first + index * step);
        device.lastObservedAt = observedAt;
        body += `${index === 0 ? '' : ','}{"observedAt":"${new Date(observedAt).toISOString()}"`;
        for (const { name, quantity } of device.channels) {
          const value = poolOf(quantity)[drawn++ % POOL]!;
          readings.push({ index, channel: name, quantity, value, observedAt });
          body += `,"${name}":${value}`;
        }
        body += '}';
      }
      return { device: device.sending, body: `${body}]`, readings, dueAt: now };
    },
  };
}
