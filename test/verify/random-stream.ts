import { deviceModelNamed } from '../../src/domain/device';
import { quantityNamed } from '../../src/domain/quantity';
import { type FleetBuilding, type PlannedBuilding } from '../../simulator/fleet';
import { type Source } from '../../simulator/load';
import { flatBody } from '../../simulator/payload';
import { createRandom } from '../../simulator/random';
import { type Message, type MessageReading, type SendingDevice } from '../../simulator/sender';
import { createSendingDevice } from '../../simulator/sending-device';

/** What a random stream is made of, counted in messages as they are made. */
export type StreamKind =
  | 'on time'
  | 'late'
  | 'later than what is held'
  | 'hours late'
  | 'beyond the allowed lateness'
  | 'repeated with another value'
  | 'undated'
  | 'undated with a message id'
  | 'of that repeated with another value'
  | 'by a stepped clock';
export type StreamCounts = Record<StreamKind, number>;

export function createStreamCounts(): StreamCounts {
  return {
    'on time': 0,
    late: 0,
    'later than what is held': 0,
    'hours late': 0,
    'beyond the allowed lateness': 0,
    'repeated with another value': 0,
    undated: 0,
    'undated with a message id': 0,
    'of that repeated with another value': 0,
    'by a stepped clock': 0,
  };
}

const MODELS = [
  ...['room-sensor', 'thermometer', 'climate-sensor', 'co2-meter', 'hygrometer', 'light-meter'],
  ...['smoke-detector', 'occupancy-sensor'],
];
const TIME_ZONES = ['America/Los_Angeles', 'Asia/Kathmandu'];
/** One device in so many has a clock that is set again and again. */
const STEPPED_EVERY = 6;
/** None is refused: the gateway takes what is up to 30 s ahead. */
const CLOCK_STEPS_MS = [0, 20_000, -1_500, -90_000, -290_000, -400_000, -3_600_000];
const STEP_LASTS_MS = 25_000;
/** How far back a message is looked for that is sent again. */
const REMEMBERED = 200;
/** About how long a silence lasts, and what lies between two. */
const SILENCE_MS = 120_000;

/** Buildings in two time zones, of devices of one channel and of several. */
export function planRandom(name: string, buildings: number, devices: number): PlannedBuilding[] {
  return Array.from({ length: buildings }, (_, building) => ({
    name: `${name} ${building + 1}`,
    timeZone: TIME_ZONES[building % TIME_ZONES.length]!,
    rooms: ['North', 'South'],
    devices: Array.from({ length: devices }, (_, i) => ({
      name: `device ${i + 1}`,
      model: MODELS[i % MODELS.length]!,
      room: i % 2 === 0 ? 'North' : 'South',
    })),
  }));
}

/**
 * Messages at random instants, `rate` a second over all buildings: on time and late by every span, repeated with another
 * value, undated with and without a message id, from clocks that are stepped, from devices that fall silent for minutes.
 * The same seed makes the same choices.
 */
export function createRandomStream(options: {
  buildings: readonly FleetBuilding[];
  start: number;
  /** Infinity for as long as it is asked. */
  durationMs: number;
  rate: number;
  seed: number;
  counts?: StreamCounts;
  /** By building: it falls silent as a whole after so long. */
  silentAfterMs?: ReadonlyMap<string, number>;
}): Source {
  const { start, durationMs, rate, seed, counts } = options;
  const random = createRandom(seed);
  const between = (least: number, most: number): number => least + random.next() * (most - least);
  const devices = options.buildings.flatMap(({ buildingId, devices: each }) =>
    each.map(({ connectionString, model }, index) => ({
      sending: createSendingDevice(connectionString) as SendingDevice,
      channels: deviceModelNamed(model)!.channels,
      endsAt: start + (options.silentAfterMs?.get(buildingId) ?? Infinity),
      isStepped: index % STEPPED_EVERY === 1,
      step: 0,
      stepUntil: 0,
      silentFrom: start + between(0.2, 2) * SILENCE_MS,
      silentUntil: 0,
    })),
  );
  type Device = (typeof devices)[number];
  const dated: { device: Device; observedAt: number }[] = [];
  const named: { device: Device; messageId: string }[] = [];
  const count = (kind: StreamKind): void => {
    if (counts) counts[kind]++;
  };
  const remember = <T>(among: T[], one: T): void => {
    if (among.length < REMEMBERED) among.push(one);
    else among[Math.floor(random.next() * REMEMBERED)] = one;
  };
  const anyOf = <T>(among: readonly T[]): T | undefined => among[Math.floor(random.next() * among.length)];

  const readingsOf = (device: Device, observedAt: number): MessageReading[] =>
    device.channels.map(({ name, quantity }): MessageReading => {
      const { minimum, maximum, kind } = quantityNamed(quantity);
      const value = between(Math.max(minimum, -40), Math.min(maximum, 2_000));
      const rounded = kind === 'state' ? Math.round(value) : Math.round(value * 1e6) / 1e6;
      return { index: 0, channel: name, quantity, value: rounded, observedAt };
    });
  const datedMessage = (device: Device, observedAt: number, dueAt: number): Message => {
    const readings = readingsOf(device, observedAt);
    return { device: device.sending, body: flatBody(observedAt, readings), readings, dueAt };
  };
  const undatedMessage = (device: Device, dueAt: number, messageId?: string): Message => {
    const readings = readingsOf(device, dueAt);
    const body = JSON.stringify(Object.fromEntries(readings.map(({ channel, value }) => [channel, value])));
    return { device: device.sending, body, readings, dueAt, ...(messageId !== undefined && { messageId }) };
  };

  const clockOf = (device: Device, at: number): number => {
    if (!device.isStepped) return 0;
    if (at >= device.stepUntil) {
      device.step = anyOf(CLOCK_STEPS_MS)!;
      device.stepUntil = at + between(0.5, 1.5) * STEP_LASTS_MS;
    }
    return device.step;
  };
  const isSilent = (device: Device, at: number): boolean => {
    if (at >= device.silentFrom) {
      device.silentUntil = at + between(0.1, 1.5) * SILENCE_MS;
      device.silentFrom = device.silentUntil + between(0.1, 2) * SILENCE_MS;
    }
    return at < device.silentUntil || at >= device.endsAt;
  };

  let made = 0;
  const make = (dueAt: number): Message | undefined => {
    const device = anyOf(devices)!;
    if (isSilent(device, dueAt)) return undefined;
    const choice = random.next();
    if (choice < 0.06) {
      const before = anyOf(dated);
      if (before === undefined || dueAt >= before.device.endsAt) return undefined;
      count('repeated with another value');
      return datedMessage(before.device, before.observedAt, dueAt);
    }
    if (choice < 0.12) {
      count('undated');
      return undatedMessage(device, dueAt);
    }
    if (choice < 0.17) {
      count('undated with a message id');
      const messageId = `${seed}-${start}-${made++}`;
      remember(named, { device, messageId });
      return undatedMessage(device, dueAt, messageId);
    }
    if (choice < 0.2) {
      const before = anyOf(named);
      if (before === undefined || dueAt >= before.device.endsAt) return undefined;
      count('of that repeated with another value');
      return undatedMessage(before.device, dueAt, before.messageId);
    }
    const clock = clockOf(device, dueAt);
    let age = between(0, 2_500);
    if (clock !== 0) count('by a stepped clock');
    else if (choice < 0.3) {
      age = random.next() < 0.2 ? anyOf([60_000, 298_000, 299_000, 299_900])! : between(2_500, 298_000);
      count('late');
    } else if (choice < 0.34) {
      age = between(300_001, 3_000_000);
      count('later than what is held');
    } else if (choice < 0.37) {
      age = between(3_600_000, 47 * 3_600_000);
      count('hours late');
    } else if (choice < 0.38) {
      age = between(48 * 3_600_000 + 60_000, 72 * 3_600_000);
      count('beyond the allowed lateness');
    } else count('on time');
    const observed = Math.floor(dueAt - age + clock);
    // On the whole second, where windows begin and end.
    const observedAt = random.next() < 0.2 ? Math.floor(observed / 1000) * 1000 : observed;
    remember(dated, { device, observedAt });
    return datedMessage(device, observedAt, dueAt);
  };

  let due = start;
  return {
    total: null,
    advance(now, submit) {
      const end = start + durationMs;
      for (; due <= Math.min(now, end); due += (-Math.log(1 - random.next()) * 1000) / rate) {
        const message = make(Math.floor(due));
        if (message !== undefined) submit(message);
      }
      return due > end;
    },
  };
}
