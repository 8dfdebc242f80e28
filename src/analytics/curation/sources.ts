import { decodeRows } from './decode';
import { type LandedBatch, type LandedSeries } from './landed';
import { type Run, type SortedSource } from './merge';
import { type Places } from './places';
import { clear, createRows, type Rows } from './rows';

/**
 * A tenant's landed rows of one period. Rows that are curated already are left out: `through` by source.
 */
export function landedSource(options: {
  batch: LandedBatch;
  series: readonly LandedSeries[];
  from: number;
  to: number;
  through: readonly number[];
}): SortedSource {
  const { batch, series, through } = options;
  const { rows, order } = batch;
  const picked = new Uint32Array(series.reduce((most, { from, to }) => Math.max(most, to - from), 0));
  let next = 0;
  let run: Run | null = null;
  const advance = (): void => {
    for (; next < series.length; next++) {
      const { place, from, to } = series[next]!;
      let count = 0;
      for (let i = lowerBound(rows, order, from, to, options.from); i < to; i++) {
        const row = order[i]!;
        if (rows.observedAt[row]! >= options.to) break;
        if (rows.sequence[row]! > (through[rows.source[row]!] ?? -1)) picked[count++] = row;
      }
      if (count === 0) continue;
      next++;
      run = { place, rows, order: picked, from: 0, to: count };
      return;
    }
    run = null;
  };
  advance();
  return { peek: () => run, advance };
}

/** The first place of `order` in [from, to) whose row was observed at the instant or later. */
function lowerBound(
  { observedAt }: Rows,
  order: Uint32Array,
  from: number,
  to: number,
  instant: number,
): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (observedAt[order[middle]!]! < instant) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A curated generation's file: its bytes when they are asked for, and its row groups. */
export interface CuratedPart {
  rowGroups: number;
  read(): Promise<Uint8Array>;
}

/**
 * The rows of a generation observed in [from, to), file by file and one row group at a time.
 */
export async function curatedSource(options: {
  parts: readonly CuratedPart[];
  places: Places;
  from: number;
  to: number;
}): Promise<SortedSource> {
  const { parts, places } = options;
  const rows = createRows();
  let file: Uint8Array | null = null;
  let part = 0;
  let group = 0;
  let at = 0;
  let run: Run | null = null;

  /** The next run of the rows that are in memory; false where none is left. */
  const step = (): boolean => {
    while (at < rows.length) {
      const from = at;
      const place = rows.place[from]!;
      while (at < rows.length && places.sameSeries(rows.place[at]!, place)) at++;
      let first = from;
      let last = at;
      while (first < last && rows.observedAt[first]! < options.from) first++;
      while (last > first && rows.observedAt[last - 1]! >= options.to) last--;
      if (first === last) continue;
      run = { place, rows, from: first, to: last };
      return true;
    }
    return false;
  };
  const load = async (): Promise<void> => {
    for (;;) {
      const current = parts[part];
      if (current === undefined) {
        run = null;
        return;
      }
      file ??= await current.read();
      clear(rows);
      at = 0;
      decodeRows(file, { into: rows, places, rowGroups: [group] });
      if (++group >= current.rowGroups) {
        file = null;
        group = 0;
        part++;
      }
      if (step()) return;
    }
  };
  await load();
  return { peek: () => run, advance: () => (step() ? undefined : load()) };
}
