import { createHourTally, type HourTally } from './hour-tally';
import { type Places } from './places';
import { appendPicked, appendRange, clear, createRows, type Rows } from './rows';

/** Rows of one series, in the order of observation: `rows` from `from` to `to`, or so of `order` where it is given. */
export interface Run {
  /** Any place of the series. */
  place: number;
  rows: Rows;
  order?: Uint32Array;
  from: number;
  to: number;
}

/** Runs in the order of building, quantity and point. A series may come in several runs, one behind the other. */
export interface SortedSource {
  /** The run that comes next; null at the end. What it refers to is good until `advance`. */
  peek(): Run | null;
  /** Goes on to the run behind. Resolves where a file has to be read for it. */
  advance(): void | Promise<void>;
}

const DAY_MS = 86_400_000;

/** What became of rows, by source (`Places.source`). */
export interface MergeCounts {
  /** Rows of the landing that were read, by source. */
  landed: number[];
  /** The change of the rows that stand: less than nothing where an earlier row took the place of one that stood. */
  curated: number[];
  duplicates: number[];
}

/**
 * Merges what is curated with what has landed, one row an identity: the first in stream order stands.
 *
 * Identity (`src/domain/reading.ts`): the point and the instant of observation; without a time of its own the point, the
 * message id, the index and the day of UTC that it was stamped with, whatever the period, so that it does not change when
 * days become a month; without a message id each row is its own.
 *
 * Memory holds one series at a time besides what the sources hold.
 *
 * @param curated sources whose rows are curated already.
 * @param landed the rows that are new.
 * @param tally is told the same by the hour in which a row was received.
 * @param emit takes the rows of one series, sorted by instant and stream order; they are good until it resolves.
 */
export async function mergeSeries(options: {
  places: Places;
  curated: readonly SortedSource[];
  landed: SortedSource | null;
  tally?: HourTally;
  emit: (rows: Rows) => void | Promise<void>;
}): Promise<MergeCounts> {
  const { places, emit, tally = createHourTally() } = options;
  const sources = [...options.curated, ...(options.landed ? [options.landed] : [])];
  const counts: MergeCounts = { landed: [], curated: [], duplicates: [] };
  const count = (list: number[], source: number, by: number): void => {
    list[source] = (list[source] ?? 0) + by;
  };
  const gathered = createRows();
  const sorted = createRows();

  for (;;) {
    let least: number | null = null;
    for (const source of sources) {
      const run = source.peek();
      if (run !== null && (least === null || places.compare(run.place, least) < 0)) least = run.place;
    }
    if (least === null) return counts;
    clear(gathered);
    let old = 0;
    for (const source of sources) {
      if (source === options.landed) old = gathered.length;
      for (
        let run = source.peek();
        run !== null && places.sameSeries(run.place, least);
        run = source.peek()
      ) {
        if (run.order) appendPicked(gathered, run.rows, run.order, run.from, run.to);
        else appendRange(gathered, run.rows, run.from, run.to);
        const reading = source.advance();
        if (reading) await reading;
      }
    }
    if (!options.landed) old = gathered.length;
    for (let i = old; i < gathered.length; i++) count(counts.landed, gathered.source[i]!, 1);
    for (let i = old; i < gathered.length; i++) {
      count(counts.curated, gathered.source[i]!, 1);
      tally.add('curated', gathered.source[i]!, gathered.receivedAt[i]!, 1);
    }
    // Also of a row that was curated before: an earlier one of another life of the stream has come late.
    const order = distinct(gathered, places, (row) => {
      count(counts.duplicates, gathered.source[row]!, 1);
      count(counts.curated, gathered.source[row]!, -1);
      tally.add('repeated', gathered.source[row]!, gathered.receivedAt[row]!, 1);
      tally.add('curated', gathered.source[row]!, gathered.receivedAt[row]!, -1);
    });
    let standing = gathered;
    if (order !== null) {
      clear(sorted);
      appendPicked(sorted, gathered, order, 0, order.length);
      standing = sorted;
    }
    const emitting = emit(standing);
    if (emitting) await emitting;
  }
}

/**
 * The rows that stand, in order; null where all do as they are, which is nearly always so.
 * @param repeated is told each row that does not stand.
 */
function distinct(rows: Rows, places: Places, repeated: (row: number) => void): Uint32Array | null {
  const { observedAt, length, extras } = rows;
  let ascending = true;
  for (let i = 1; i < length && ascending; i++) ascending = observedAt[i]! > observedAt[i - 1]!;
  if (ascending && extras === null) return null;

  const before = (a: number, b: number): number => {
    const ofA = rows.source[a]!;
    const ofB = rows.source[b]!;
    if (ofA !== ofB) {
      const first = places.source(ofA);
      const second = places.source(ofB);
      const difference = first.createdAt - second.createdAt || first.partition - second.partition;
      if (difference !== 0) return difference;
    }
    return rows.sequence[a]! - rows.sequence[b]! || rows.row[a]! - rows.row[b]! || a - b;
  };
  const order = Uint32Array.from({ length }, (_, i) => i);
  order.sort((a, b) => observedAt[a]! - observedAt[b]! || before(a, b));

  /** Of each message's reading, the first in stream order: another may bear an earlier instant. */
  const messages = new Map<string, number>();
  const keyOf = (row: number): string | null => {
    const extra = extras?.[row];
    if (!extra?.undated || extra.messageId === null) return null;
    return `${Math.floor(observedAt[row]! / DAY_MS)} ${extra.messageIndex ?? 0} ${extra.messageId}`;
  };
  if (extras !== null) {
    for (const row of order) {
      const key = keyOf(row);
      if (key === null) continue;
      const standing = messages.get(key);
      if (standing === undefined || before(row, standing) < 0) messages.set(key, row);
    }
  }
  let kept = 0;
  let dated = Number.NaN;
  for (const row of order) {
    const key = keyOf(row);
    if (key !== null) {
      if (messages.get(key) !== row) {
        repeated(row);
        continue;
      }
    } else if (!extras?.[row]?.undated) {
      if (observedAt[row] === dated) {
        repeated(row);
        continue;
      }
      dated = observedAt[row]!;
    }
    order[kept++] = row;
  }
  return order.subarray(0, kept);
}
