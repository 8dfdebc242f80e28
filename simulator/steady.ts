import { deviceModelNamed } from '../src/domain/device';
import { type FleetBuilding, type PlannedBuilding } from './fleet';
import { type Source } from './load';
import { flatBody } from './payload';
import { createRandom } from './random';
import { type MessageReading, type SendingDevice } from './sender';
import { createSendingDevice } from './sending-device';
import { createWalks, utcOffset } from './walk';
import { createWheel } from './wheel';

/** One reading a message. */
export const SINGLE_MODELS = ['thermometer', 'hygrometer', 'co2-meter', 'light-meter', 'motion-meter'];
const ROOMS_A_BUILDING = 20;
const DEVICES_A_BUILDING = 500;
/** How far a message may stray from its even pace, as a share of the interval. */
const JITTER = 0.05;
const SLOT_MS = 5;
const LEAD_MS = 500;

export function buildingsFor(devices: number): number {
  return Math.max(1, Math.ceil(devices / DEVICES_A_BUILDING));
}

/** Spreads devices evenly over buildings, models in turn, over twenty rooms each. */
export function planSteady(options: {
  name: string;
  buildings: number;
  devices: number;
  models?: readonly string[];
}): PlannedBuilding[] {
  const models = options.models ?? SINGLE_MODELS;
  const rooms = Array.from({ length: ROOMS_A_BUILDING }, (_, i) => `Room ${i + 1}`);
  return Array.from({ length: options.buildings }, (_, building) => {
    const first = Math.floor((building * options.devices) / options.buildings);
    const next = Math.floor(((building + 1) * options.devices) / options.buildings);
    return {
      name:
        options.buildings === 1 ? options.name : `${options.name} ${String(building + 1).padStart(3, '0')}`,
      timeZone: 'Europe/Berlin',
      rooms,
      devices: Array.from({ length: next - first }, (_, i) => {
        const model = models[i % models.length]!;
        return { name: `${model} ${i + 1}`, model, room: rooms[i % rooms.length]! };
      }),
    };
  });
}

/** Readings that one round of all devices brings. */
export function readingsARound(plans: readonly PlannedBuilding[]): number {
  return plans.reduce(
    (sum, plan) =>
      sum + plan.devices.reduce((all, { model }) => all + deviceModelNamed(model)!.channels.length, 0),
    0,
  );
}

/**
 * Every device sends once an interval, each at its own phase and with jitter, values walking as its quantity does over
 * a day. The schedule is open: what leaves late still claims the instant at which it was due, as a sensor would.
 */
export function createSteady(options: {
  buildings: readonly FleetBuilding[];
  intervalMs: number;
  /** Milliseconds since 1970; left out, as soon as everything is prepared, which takes a second for 100,000 devices. */
  start?: number;
  /** Infinity for ever. */
  durationMs: number;
  seed?: number;
}): Source {
  const { intervalMs } = options;
  const random = createRandom(options.seed ?? 1);
  const fleet = options.buildings.flatMap((building) => building.devices);
  const devices: SendingDevice[] = fleet.map(({ connectionString }) => createSendingDevice(connectionString));
  const channels = fleet.map(({ model }) => deviceModelNamed(model)!.channels);
  const firstSensor: number[] = [];
  let sensors = 0;
  for (const each of channels) {
    firstSensor.push(sensors);
    sensors += each.length;
  }
  const walks = createWalks(
    channels.flatMap((each) => each.map(({ quantity }) => quantity)),
    random,
    options.buildings.flatMap(({ timeZone, devices: each }) => {
      const offset = utcOffset(timeZone, options.start ?? Date.now());
      return each.flatMap(({ model }) => deviceModelNamed(model)!.channels.map(() => offset));
    }),
  );
  const start = options.start ?? Date.now() + LEAD_MS;
  const wheel = createWheel({
    timers: devices.length,
    horizonMs: intervalMs * (2 + 2 * JITTER),
    slotMs: SLOT_MS,
    start,
  });
  /** The even pace of each device, without its jitter, so that jitter does not add up. */
  const pace = new Float64Array(devices.length);
  const jitter = (): number => (random.next() - 0.5) * 2 * JITTER * intervalMs;
  const end = start + options.durationMs;
  // Shuffled phases: neighbours in a building do not send one after the other.
  const order = Array.from(devices, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const other = Math.floor(random.next() * (i + 1));
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  order.forEach((device, place) => {
    pace[device] = start + ((place + 0.5) / devices.length) * intervalMs;
    wheel.arm(device, Math.round(Math.max(start, pace[device]! + jitter())));
  });
  const rounds = options.durationMs / intervalMs;

  return {
    total: Number.isFinite(rounds) ? Math.round(rounds * devices.length) : null,
    advance(now, submit) {
      wheel.advance(Math.min(now, end), (device, dueAt) => {
        if (dueAt >= end) return;
        const first = firstSensor[device]!;
        const readings = channels[device]!.map(({ name, quantity }, i): MessageReading => ({
          index: 0,
          channel: name,
          quantity,
          value: walks.step(first + i, dueAt),
          observedAt: dueAt,
        }));
        submit({ device: devices[device]!, body: flatBody(dueAt, readings), readings, dueAt });
        pace[device]! += intervalMs;
        wheel.arm(device, Math.round(Math.max(dueAt + 1, pace[device]! + jitter())));
      });
      return now >= end + SLOT_MS;
    },
  };
}
