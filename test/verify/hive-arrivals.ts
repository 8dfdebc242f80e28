import { createRandom } from '../../simulator/random';
import { partitionOf } from '../../src/domain/partition';
import { type Reading } from '../../src/domain/reading';
import { type Arrival } from '../analytics/cold-store';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const PARTITIONS = 2;
const POINTS = 6;
const INTERVAL = 10 * MINUTE;
/** The stream is read in batches of this long, so that there are files to a folder and not rows to a file. */
const HELD = 4 * HOUR;
const EVENT_READINGS = 40;

export interface Place {
  tenantId: string;
  buildingId: string;
  spaceId: string;
}

/**
 * What arrives of the buildings' sensors that observed in the given spans, in stream order, over two lives of the stream:
 * with silences, excursions, late readings, repetitions that say something else, messages without a time, some sent again,
 * some without an id, and values that were converted.
 *
 * @param reborn when the second life begins; no instant of arrival but that tells which life an event is in.
 */
export function hiveArrivals(options: {
  places: readonly Place[];
  spans: readonly { from: number; to: number }[];
  reborn: number;
  seed: number;
}): Arrival[] {
  const { places, spans, reborn } = options;
  const { next: random } = createRandom(options.seed);
  const sent: { reading: Reading; at: number }[] = [];
  places.forEach((place, building) => {
    for (let point = 0; point < POINTS; point++) {
      for (const span of spans) sent.push(...sentBy({ place, building, point, ...span }, random));
    }
  });
  sent.sort((a, b) => a.at - b.at);
  const born = Math.min(...spans.map(({ from }) => from)) - DAY;
  const lives = [
    { incarnation: `${born}-${PARTITIONS}`, sent: sent.filter(({ at }) => at < reborn) },
    { incarnation: `${reborn}-${PARTITIONS}`, sent: sent.filter(({ at }) => at >= reborn) },
  ];
  return lives.flatMap(({ incarnation, sent: own }) => eventsOf(incarnation, own));
}

function eventsOf(incarnation: string, sent: readonly { reading: Reading; at: number }[]): Arrival[] {
  const arrivals: Arrival[] = [];
  const next = new Map<number, number>();
  const open = new Map<number, { readings: Reading[]; at: number }>();
  const close = (partition: number): void => {
    const event = open.get(partition);
    if (event === undefined) return;
    open.delete(partition);
    const sequence = next.get(partition) ?? 0;
    next.set(partition, sequence + 1);
    arrivals.push({ incarnation, partition, sequence, enqueuedAt: event.at, readings: event.readings });
  };
  for (const { reading, at } of sent) {
    const partition = partitionOf(reading.buildingId, PARTITIONS);
    // What was held together came together: an event is of one hour.
    if (open.get(partition)?.at !== at) close(partition);
    const event = open.get(partition) ?? { readings: [], at };
    event.readings.push(reading);
    open.set(partition, event);
    if (event.readings.length >= EVENT_READINGS) close(partition);
  }
  for (let partition = 0; partition < PARTITIONS; partition++) close(partition);
  return arrivals;
}

function sentBy(
  sensor: { place: Place; building: number; point: number; from: number; to: number },
  random: () => number,
): { reading: Reading; at: number }[] {
  const { place, building, point, from, to } = sensor;
  const sent: { reading: Reading; at: number }[] = [];
  const silentFrom = from + random() * (to - from);
  const silentTo = silentFrom + random() * 10 * HOUR;
  let value = 21;
  for (let n = 0, at = from + point * 1_000; at < to; n++, at += INTERVAL) {
    // Quarters, so that sums are exact in any order.
    value = Math.min(28, Math.max(14, value + (Math.floor(random() * 9) - 4) / 4));
    if (at >= silentFrom && at < silentTo) continue;
    const undated = random() < 0.04;
    const reading: Reading = {
      ...place,
      pointId: `pnt_${building}_${point}`,
      pointOrdinal: building * POINTS + point,
      deviceId: `dev_${building}_${point >> 1}`,
      deviceOrdinal: building * POINTS + (point >> 1),
      quantity: 1 + (point % 3),
      observedAt: at,
      receivedAt: at + 50,
      value,
      ...(undated && {
        undated: { messageId: random() < 0.8 ? `message ${n}` : null, messageIndex: n % 3 },
      }),
      ...(random() < 0.02 && { original: { value: value * 2, unit: '[degF]' } }),
    };
    const heldTo = Math.ceil((at + 1_000) / HELD) * HELD;
    const late = random() < 0.05 ? Math.floor(random() * 30) * HOUR : 0;
    sent.push({ reading, at: heldTo + late });
    if (random() < 0.06 || undated) {
      // Again, and saying something else; one without a time is stamped anew, perhaps on another day.
      const stamped = at + (random() < 0.2 ? 13 * HOUR : 500);
      const again = { ...reading, value: value + 3, observedAt: undated ? stamped : at };
      const heldAgain = Math.ceil((again.observedAt + 1_000) / HELD) * HELD;
      sent.push({ reading: again, at: heldAgain + late + 1 + Math.floor(random() * 40) * HOUR });
    }
  }
  return sent;
}
