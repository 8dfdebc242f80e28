import { type DuckDBDataChunk } from '@duckdb/node-api';
import { type Session } from './engine';
import { type ReadingsRelation } from './readings-source';
import { createStretches } from './stretches';

/**
 * Excursions, exactly. Of a series (the readings of a point, or the rolling average of a building), in the order of time
 * and, at one instant, of value:
 *
 * - A value is out when it is less than `low` or greater than `high`.
 * - An excursion begins at a value that is out whose predecessor is not, or lies more than the series' silence before, or
 *   is not in the range. It goes on over values that are out, and ends
 *   - RETURNED at the instant of the first value that is not out;
 *   - SILENT at its last value, where the next comes later than the silence after it, or the range (the present, if that is
 *     earlier) goes on for longer than the silence with none;
 *   - ONGOING at its last value, where the range or the present ends before either is known.
 * - The silence of a point is three times its usual interval, a minute at least: the lower median of the intervals between
 *   consecutive readings of one UTC day, of the range alone. Where there is no such interval it is three days.
 * - The average of a building stands at each whole minute T at which readings were observed in (T - 5 min, T], as in the
 *   rolling record. Its silence is a minute: a minute without a value ends an excursion.
 * - The peak is the value farthest out, the earliest of equals.
 */
export interface Excursion {
  buildingId: string;
  /** Null for the average of a building. */
  pointId: string | null;
  /** Milliseconds since 1970. */
  start: number;
  end: number;
  endedBy: 'RETURNED' | 'SILENT' | 'ONGOING';
  peak: number;
  peakAt: number;
}

export interface ExcursionsAsked {
  /** One of them at least is not null. */
  low: number | null;
  high: number | null;
  /** Only those that lasted longer than this, in milliseconds. */
  longerThan: number;
  by: 'POINT' | 'BUILDING_AVERAGE';
  /** In place of three usual intervals; milliseconds. Not for averages. */
  silence: number | null;
  /** Milliseconds since 1970, [from, to). */
  from: number;
  to: number;
  now: number;
  /** By start, then building and point: this many behind so many. */
  limit: number;
  offset: number;
}

export interface ExcursionsFound {
  /** Of all, also those that the limit leaves out. */
  count: number;
  /** Milliseconds that all of them lasted together. */
  total: number;
  excursions: Excursion[];
}

export const WINDOW_MS = 300_000;
const MINUTE_MS = 60_000;
/** No id holds one. */
const BETWEEN_NAMES = '|';

/** Where an average is asked for, the relation must hold the readings of the five minutes before the range too. */
export async function excursionsOf(
  session: Session,
  relation: ReadingsRelation,
  asked: ExcursionsAsked,
): Promise<ExcursionsFound> {
  const ofPoints = asked.by === 'POINT';
  const series = ofPoints ? seriesOfPoints(relation) : seriesOfAverages(relation, asked);
  // What is sorted already needs no sorting. That it is, is seen; where it is not, it is sorted after all.
  const found =
    (ofPoints && relation.curatedOnly && (await inOrder(session, relation, series, asked, 'as stored'))) ||
    (await inOrder(session, relation, `${series} ORDER BY series_id, t, value`, asked, 'sorted'));
  if (found === null) throw new Error('rows that were sorted did not come in order');
  const { limit, offset } = asked;
  return {
    count: found.length,
    total: found.reduce((sum, { start, end }) => sum + (end - start), 0),
    excursions: found.sort(byStart).slice(offset, offset + limit),
  };
}

/** @returns null where the rows did not come in order. */
async function inOrder(
  session: Session,
  relation: ReadingsRelation,
  series: string,
  asked: ExcursionsAsked,
  order: 'as stored' | 'sorted',
): Promise<Excursion[] | null> {
  const stretches = createStretches(asked, order === 'as stored');
  // A text a row would cost more than all the rest: names come where a series begins. In the order of the file a series is
  // told from its neighbour by 64 bits of hash, and by their instants; where rows are sorted, by its name.
  const mark = order === 'as stored' ? 'hash(series_id)' : 'series_id';
  const chunks = session.chunks(
    `SELECT t, value, starts::TINYINT AS starts,
      CASE WHEN starts THEN building_id || '${BETWEEN_NAMES}' || series_id END AS names
    FROM (SELECT *, mark IS DISTINCT FROM lag(mark) OVER () AS starts
      FROM (SELECT *, ${mark} AS mark FROM (${series})))`,
    relation.values,
  );
  for await (const chunk of chunks) {
    const rows = chunk.rowCount;
    const t = itemsOf<Float64Array>(chunk, 0);
    const value = itemsOf<Float64Array>(chunk, 1);
    const starts = itemsOf<Int8Array>(chunk, 2);
    const names = chunk.getColumnVector(3);
    for (let row = 0; row < rows;) {
      if (starts[row] === 1) {
        const [buildingId, seriesId] = (names.getItem(row) as string).split(BETWEEN_NAMES);
        stretches.enter(seriesId!, buildingId!);
      }
      let end = row + 1;
      while (end < rows && starts[end] === 0) end++;
      if (!stretches.take(t, value, row, end)) return null;
      row = end;
    }
  }
  return stretches.excursions();
}

/** A column's values as they lie in memory, none of them null; the package declares them private. */
function itemsOf<Items>(chunk: DuckDBDataChunk, column: number): Items {
  return (chunk.getColumnVector(column) as unknown as { items: Items }).items;
}

function byStart(a: Excursion, b: Excursion): number {
  return a.start - b.start || order(a.buildingId, b.buildingId) || order(a.pointId ?? '', b.pointId ?? '');
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function seriesOfPoints(relation: ReadingsRelation): string {
  return `SELECT point_id AS series_id, building_id, epoch_ms(observed_at)::DOUBLE AS t, value FROM (${relation.sql})`;
}

/** A reading observed in (m - 1 min, m] stands in the averages of the minutes m to m + 4. */
function seriesOfAverages(relation: ReadingsRelation, { from, to, now }: ExcursionsAsked): string {
  const last = Math.min(to - 1, now);
  return `SELECT building_id AS series_id, building_id, (minute * ${MINUTE_MS})::DOUBLE AS t, sum(total) / sum(readings) AS value
    FROM (
      SELECT building_id, minute + unnest(range(${WINDOW_MS / MINUTE_MS})) AS minute, total, readings
      FROM (
        SELECT building_id, (epoch_ms(observed_at) + ${MINUTE_MS - 1}) // ${MINUTE_MS} AS minute, sum(value) AS total,
          count(*) AS readings
        FROM (${relation.sql}) GROUP BY ALL))
    WHERE minute >= ${Math.ceil(from / MINUTE_MS)} AND minute <= ${Math.floor(last / MINUTE_MS)}
    GROUP BY ALL`;
}
