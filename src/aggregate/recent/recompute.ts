import { quantityOfCode } from '../../domain/quantity';
import { type BuildingAverage, slotOf, WINDOW_SECONDS } from '../../domain/window';
import { type RecentRow } from '../../store/recent';
import { createAggregations, type WindowReadings } from '../aggregations';
import { EMPTY_SECONDS } from '../horizons';

/** What of a minute's point the readings say. */
export type Recomputed = Pick<
  BuildingAverage,
  'mean' | 'minimum' | 'maximum' | 'deviceMean' | 'readings' | 'devicesReporting' | 'lastReadingAt'
>;

/** The readings of one quantity of a building, ordered by slot. */
export interface SlottedRows {
  slots: Float64Array;
  rows: RecentRow[];
}

/** @param rows each identity once. By quantity; those without a mean are left out. */
export function slotted(rows: readonly RecentRow[]): Map<number, SlottedRows> {
  const byQuantity = new Map<number, RecentRow[]>();
  for (const row of rows) {
    const own = byQuantity.get(row.quantity);
    if (own) own.push(row);
    else if (quantityOfCode(row.quantity)?.kind === 'continuous') byQuantity.set(row.quantity, [row]);
  }
  return new Map(
    [...byQuantity].map(([code, own]): [number, SlottedRows] => {
      own.sort((a, b) => a.observedAt - b.observedAt);
      return [code, { rows: own, slots: Float64Array.from(own, ({ observedAt }) => slotOf(observedAt)) }];
    }),
  );
}

/**
 * Computes the windows of minutes afresh, by the same aggregations as live values are.
 *
 * @returns undefined for a minute that has no point: no reading lies in its window or in the empty one before.
 */
export function createRecompute(): (of: SlottedRows, windowEnd: number) => Recomputed | undefined {
  const [mean, minimum, maximum, deviceMean] = createAggregations();
  const kept = new Float64Array(4);
  return ({ slots, rows }, windowEnd) => {
    let end = firstAfter(slots, windowEnd);
    const newest = rows[end - 1];
    if (newest === undefined || slots[end - 1]! <= windowEnd - WINDOW_SECONDS - EMPTY_SECONDS)
      return undefined;
    const begin = firstAfter(slots, windowEnd - WINDOW_SECONDS);
    const numbers = new Map<number, number>();
    const count = end - begin;
    const values = new Float64Array(count);
    const device = new Uint32Array(count);
    for (let i = 0; end > begin; i++) {
      const { value, deviceOrdinal } = rows[--end]!;
      values[i] = value;
      let number = numbers.get(deviceOrdinal);
      if (number === undefined) numbers.set(deviceOrdinal, (number = numbers.size));
      device[i] = number;
    }
    const lastReadingAt = newest.observedAt;
    const devices = numbers.size;
    if (count === 0) {
      return {
        mean: null,
        minimum: null,
        maximum: null,
        deviceMean: null,
        readings: 0,
        devicesReporting: 0,
        lastReadingAt,
      };
    }
    const readings: WindowReadings = { count, values, device, devices, newestAt: lastReadingAt };
    [mean, minimum, maximum, deviceMean].forEach((each, at) => each.summarise(readings, kept, at));
    const least = minimum.value(kept, 1, count, devices);
    const greatest = maximum.value(kept, 2, count, devices);
    const within = (value: number): number => Math.min(greatest, Math.max(least, value));
    return {
      mean: within(mean.value(kept, 0, count, devices)),
      minimum: least,
      maximum: greatest,
      deviceMean: within(deviceMean.value(kept, 3, count, devices)),
      readings: count,
      devicesReporting: devices,
      lastReadingAt,
    };
  };
}

/** The first index whose slot lies after a second. */
function firstAfter(slots: Float64Array, second: number): number {
  let low = 0;
  let high = slots.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (slots[middle]! <= second) low = middle + 1;
    else high = middle;
  }
  return low;
}
