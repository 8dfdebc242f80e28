import fc from 'fast-check';
import { partitionOf } from '../../src/domain/partition';
import { type Reading } from '../../src/domain/reading';
import { type Arrival } from './cold-store';

export const TENANT = 'ten_a';
export const OTHER_TENANT = 'ten_b';
/** Of the tenant; both in one partition of the stream or in two, as their ids have it. */
export const BUILDINGS = ['bld_a', 'bld_c'] as const;
export const ROOMS = ['spc_1', 'spc_2'] as const;

const PARTITIONS = 2;
const HOUR = 3_600_000;

/** What a sensor does over some days. */
interface SensorPlan {
  building: number;
  room: number;
  intervalSeconds: number;
  /** Parts of the range in which it is silent, as shares of it. */
  silences: [number, number][];
  seed: number;
  /** A reading in so many is sent again, with another value. */
  repeats: number;
  /** A reading in so many comes hours late. */
  late: number;
  /** A reading in so many has no time of its own; sent twice. */
  undated: number;
}

const sensor: fc.Arbitrary<SensorPlan> = fc.record({
  building: fc.nat({ max: BUILDINGS.length - 1 }),
  room: fc.nat({ max: ROOMS.length - 1 }),
  intervalSeconds: fc.constantFrom(300, 301, 900, 3_600),
  silences: fc.array(
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.2, noNaN: true })),
    {
      maxLength: 3,
    },
  ),
  seed: fc.integer({ min: 1, max: 0x7fffffff }),
  repeats: fc.constantFrom(3, 10, 1_000_000),
  late: fc.constantFrom(2, 7, 1_000_000),
  undated: fc.constantFrom(5, 1_000_000),
});

/** What arrives of a few sensors, of a tenant and of a stranger in the same partitions, in stream order. */
export function randomArrivals(from: number, to: number): fc.Arbitrary<Arrival[]> {
  return fc
    .record({
      sensors: fc.array(sensor, { minLength: 1, maxLength: 4 }),
      lives: fc.constantFrom(1, 2),
      eventSize: fc.constantFrom(20, 200),
    })
    .map(({ sensors, lives, eventSize }) => {
      const sent: { reading: Reading; at: number }[] = [];
      sensors.forEach((plan, ordinal) => sent.push(...sentBy(plan, ordinal, from, to)));
      sent.sort((a, b) => a.at - b.at);
      const arrivals: Arrival[] = [];
      const nextSequence = new Map<string, number>();
      for (let life = 0; life < lives; life++) {
        const begin = Math.floor((sent.length * life) / lives);
        const end = Math.floor((sent.length * (life + 1)) / lives);
        const incarnation = `${from - HOUR + life * 60_000}-${PARTITIONS}`;
        const open = new Map<number, { reading: Reading; at: number }[]>();
        const close = (partition: number): void => {
          const event = open.get(partition) ?? [];
          if (event.length === 0) return;
          open.set(partition, []);
          const key = `${incarnation}/${partition}`;
          const sequence = nextSequence.get(key) ?? 0;
          nextSequence.set(key, sequence + 1);
          arrivals.push({
            incarnation,
            partition,
            sequence,
            enqueuedAt: event.at(-1)!.at,
            readings: event.map(({ reading }) => reading),
          });
        };
        for (const each of sent.slice(begin, end)) {
          const partition = partitionOf(each.reading.buildingId, PARTITIONS);
          const event = open.get(partition) ?? [];
          open.set(partition, [...event, each]);
          if (event.length + 1 >= eventSize) close(partition);
        }
        for (let partition = 0; partition < PARTITIONS; partition++) close(partition);
      }
      return arrivals;
    });
}

/** Successive events of one partition and hour, as the ingest worker puts them into files; `events` at most in one. */
export function filesOf(arrivals: readonly Arrival[], events: number): Arrival[][] {
  const files: Arrival[][] = [];
  const open = new Map<string, Arrival[]>();
  for (const arrival of arrivals) {
    const key = `${arrival.incarnation}/${arrival.partition}`;
    const file = open.get(key);
    const sameHour = file && Math.floor(file[0]!.enqueuedAt / HOUR) === Math.floor(arrival.enqueuedAt / HOUR);
    if (file && sameHour && file.length < events) file.push(arrival);
    else {
      const next = [arrival];
      open.set(key, next);
      files.push(next);
    }
  }
  return files;
}

function sentBy(plan: SensorPlan, ordinal: number, from: number, to: number) {
  const random = generator(plan.seed);
  const sent: { reading: Reading; at: number }[] = [];
  const silent = plan.silences.map(([begin, length]) => [
    from + begin * (to - from),
    from + (begin + length) * (to - from),
  ]);
  // What the stream held back for a while comes in a few hours: landing is by the time of arrival.
  const arrivedAt = (observedAt: number, hoursLate: number): number =>
    Math.max(observedAt + 1_000, from + Math.ceil((observedAt - from) / (12 * HOUR)) * 12 * HOUR) +
    hoursLate * HOUR;
  let value = 20;
  for (
    let n = 0, at = from + ((ordinal * 7_919) % 60_000);
    at < to;
    n++, at += plan.intervalSeconds * 1_000
  ) {
    // Quarters, so that sums are exact in any order.
    value = Math.min(28, Math.max(16, value + (Math.floor(random() * 9) - 4) / 4));
    if (silent.some(([begin, end]) => at >= begin! && at < end!)) continue;
    const undated = random() * plan.undated < 1;
    const reading: Reading = {
      tenantId: ordinal === 3 ? OTHER_TENANT : TENANT,
      buildingId: ordinal === 3 ? 'bld_foreign' : BUILDINGS[plan.building]!,
      spaceId: ROOMS[plan.room]!,
      pointId: `pnt_${ordinal}`,
      pointOrdinal: ordinal,
      deviceId: `dev_${ordinal}`,
      deviceOrdinal: ordinal,
      quantity: 1,
      observedAt: at,
      receivedAt: at + 50,
      value,
      ...(undated && { undated: { messageId: `message ${n}`, messageIndex: n % 3 } }),
    };
    const hoursLate = random() * plan.late < 1 ? 1 + Math.floor(random() * 5) : 0;
    sent.push({ reading, at: arrivedAt(at, hoursLate) });
    if (random() * plan.repeats < 1 || undated) {
      // Again, and saying something else; one without a time is stamped anew, perhaps on another day.
      const stamped = at + (random() < 0.2 ? 13 * HOUR : 500);
      const again = { ...reading, value: value + 5, observedAt: undated ? stamped : at };
      sent.push({
        reading: again,
        at: arrivedAt(again.observedAt, hoursLate + Math.floor(random() * 3)) + 1_000,
      });
    }
  }
  return sent;
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
