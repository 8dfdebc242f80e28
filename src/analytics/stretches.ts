import { TooCostly } from './engine';
import { type Excursion, type ExcursionsAsked } from './excursions';

/** Finds excursions, as `excursions.ts` defines them, in rows that pass by once. */
export interface Stretches {
  /** What is taken from now on are values of this series, which may have been entered before. */
  enter(seriesId: string, buildingId: string): void;
  /**
   * Takes the rows [from, to) of the columns: instants in milliseconds since 1970, and values.
   * @returns false where they do not come in order; it is of no use any more then.
   * @throws TooCostly where what must be remembered is more than one question may take.
   */
  take(t: Float64Array, value: Float64Array, from: number, to: number): boolean;
  /** Of everything that was taken, those that lasted long enough, in no order. */
  excursions(): Excursion[];
}

/**
 * Values that are out, one behind the other with no gap that could be a silence. Whether the gap to the next stretch is one
 * is known when the series' usual interval is.
 */
interface Stretch {
  start: number;
  last: number;
  peak: number;
  peakAt: number;
  /** How far out the peak is. */
  far: number;
  /** The instant of the value behind it, and whether that is out too; null where there is none. */
  behind: number | null;
  isBehindOut: boolean;
}

interface Series {
  seriesId: string;
  buildingId: string;
  /** The instant of its last value; before any, -Infinity. */
  last: number;
  /** Where the day of UTC ends in which that lies. */
  dayEnd: number;
  isOut: boolean;
  stretches: Stretch[];
  /** Between consecutive values of one day: how many there were, and the first. */
  length: number;
  interval: number;
  /** All of them, once two differ: most devices send to the millisecond, or not at all alike. */
  intervals: Int32Array | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SHORTEST_SILENCE_MS = 60_000;
const UNKNOWN_SILENCE_MS = 3 * DAY_MS;
const USUAL_INTERVALS = 3;

/** What the intervals and the stretches of one question may take: beside DuckDB's memory, and as bounded. */
const MAXIMUM_BYTES = 256 * 1024 * 1024;
const STRETCH_BYTES = 100;
const SERIES_BYTES = 200;
const INITIAL_INTERVALS = 64;

/**
 * @param strictly whether values of one series at one instant are out of order, too.
 * @param maximumBytes what may be remembered.
 */
export function createStretches(
  { by, low, high, silence, longerThan, to, now }: ExcursionsAsked,
  strictly: boolean,
  maximumBytes = MAXIMUM_BYTES,
): Stretches {
  const lowest = low ?? -Infinity;
  const highest = high ?? Infinity;
  const known = by === 'BUILDING_AVERAGE' ? MINUTE_MS : silence;
  /** No gap up to this is a silence, whatever the usual interval. */
  const harmless = known ?? SHORTEST_SILENCE_MS;
  const all = new Map<string, Series>();
  let current: Series | undefined;
  let bytes = 0;

  const charge = (more: number): void => {
    bytes += more;
    if (bytes > maximumBytes) throw new TooCostly('the question needs more memory than one may have');
  };

  const begin = (one: Series, at: number, value: number): Stretch => {
    charge(STRETCH_BYTES);
    const far = Math.max(lowest - value, value - highest);
    const stretch = { start: at, last: at, peak: value, peakAt: at, far, behind: null, isBehindOut: false };
    one.stretches.push(stretch);
    return stretch;
  };

  const larger = (intervals: Int32Array): Int32Array => {
    charge(intervals.byteLength);
    const grown = new Int32Array(intervals.length * 2);
    grown.set(intervals);
    return grown;
  };

  /** With room for one more. */
  const begun = (interval: number, length: number): Int32Array => {
    const intervals = new Int32Array(Math.max(INITIAL_INTERVALS, length * 2));
    charge(intervals.byteLength);
    return intervals.fill(interval, 0, length);
  };

  const silenceOf = (one: Series): number => {
    if (known !== null) return known;
    if (one.length === 0) return UNKNOWN_SILENCE_MS;
    const { intervals, interval, length } = one;
    const usual = intervals === null ? interval : lowerMedian(intervals.subarray(0, length));
    return Math.max(USUAL_INTERVALS * usual, SHORTEST_SILENCE_MS);
  };

  const lasting = (one: Series): Excursion[] => {
    if (one.stretches.length === 0) return [];
    const usual = silenceOf(one);
    const found: Excursion[] = [];
    let whole: Stretch | undefined;
    for (const stretch of one.stretches) {
      if (whole === undefined) whole = { ...stretch };
      else {
        const { start } = whole;
        const further = stretch.far > whole.far ? stretch : whole;
        const { peak, peakAt, far } = further;
        whole = { ...stretch, start, peak, peakAt, far };
      }
      const { start, last, peak, peakAt, behind, isBehindOut } = whole;
      const isSoon = behind !== null && behind - last <= usual;
      if (isSoon && isBehindOut) continue;
      whole = undefined;
      const isOngoing = behind === null && Math.min(to, now) - last <= usual;
      const endedBy = isSoon ? 'RETURNED' : isOngoing ? 'ONGOING' : 'SILENT';
      const end = isSoon ? behind : last;
      if (end - start <= longerThan) continue;
      const pointId = by === 'POINT' ? one.seriesId : null;
      found.push({ buildingId: one.buildingId, pointId, start, end, endedBy, peak, peakAt });
    }
    return found;
  };

  return {
    enter(seriesId, buildingId) {
      current = all.get(seriesId);
      if (current !== undefined) return;
      charge(SERIES_BYTES);
      current = {
        ...{ seriesId, buildingId, last: -Infinity, dayEnd: -Infinity, isOut: false, stretches: [] },
        ...{ length: 0, interval: 0, intervals: null },
      };
      all.set(seriesId, current);
    },
    take(t, values, from, to) {
      const one = current!;
      let { last, dayEnd, isOut, length, interval, intervals } = one;
      let open = one.stretches.at(-1);
      for (let row = from; row < to; row++) {
        const at = t[row]!;
        const value = values[row]!;
        if (at < last || (strictly && at === last)) return false;
        if (at >= dayEnd) dayEnd = (Math.floor(at / DAY_MS) + 1) * DAY_MS;
        else if (known === null && at > last) {
          const since = at - last;
          if (length === 0) interval = since;
          if (intervals === null) {
            if (since !== interval) one.intervals = intervals = begun(interval, length);
          } else if (length === intervals.length) one.intervals = intervals = larger(intervals);
          if (intervals !== null) intervals[length] = since;
          length++;
        }
        const out = value < lowest || value > highest;
        if (isOut) {
          const stretch = open!;
          if (out && at - last <= harmless) {
            stretch.last = at;
            const far = Math.max(lowest - value, value - highest);
            if (far > stretch.far) {
              stretch.far = far;
              stretch.peak = value;
              stretch.peakAt = at;
            }
          } else {
            stretch.behind = at;
            stretch.isBehindOut = out;
            if (out) open = begin(one, at, value);
          }
        } else if (out) open = begin(one, at, value);
        isOut = out;
        last = at;
      }
      one.last = last;
      one.dayEnd = dayEnd;
      one.isOut = isOut;
      one.length = length;
      one.interval = interval;
      return true;
    },
    excursions: () => [...all.values()].flatMap(lasting),
  };
}

/** Hoare's selection: the values change places. */
function lowerMedian(values: Int32Array): number {
  const wanted = Math.ceil(values.length / 2) - 1;
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const pivot = values[(left + right) >> 1]!;
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i <= j) {
        const other = values[i]!;
        values[i++] = values[j]!;
        values[j--] = other;
      }
    }
    if (wanted <= j) right = j;
    else if (wanted >= i) left = i;
    else break;
  }
  return values[wanted]!;
}
