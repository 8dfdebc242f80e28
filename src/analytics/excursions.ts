import { type Session } from './engine';
import { type ReadingsRelation } from './readings-source';

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
const DAY_MS = 86_400_000;
const SHORTEST_SILENCE_MS = 60_000;
const UNKNOWN_SILENCE_MS = 3 * DAY_MS;
const USUAL_INTERVALS = 3;

/** Where an average is asked for, the relation must hold the readings of the five minutes before the range too. */
export async function excursionsOf(
  session: Session,
  relation: ReadingsRelation,
  asked: ExcursionsAsked,
): Promise<ExcursionsFound> {
  const ofPoints = asked.by === 'POINT';
  const series = ofPoints ? seriesOfPoints(relation) : seriesOfAverages(relation, asked);
  const quick = ofPoints && relation.curatedOnly;
  try {
    // What is sorted already needs no sorting. That it is, is seen; where it is not, it is sorted after all.
    if (!(quick && (await reduce(session, series, relation, asked, 'as stored')))) {
      await reduce(session, series, relation, asked, 'sorted');
    }
    return await collect(session, asked);
  } finally {
    await session.run('DROP TABLE IF EXISTS series').catch(() => undefined);
  }
}

/**
 * Makes the table `series`: of each series that is ever out its usual interval and the values that tell its excursions:
 * those that are out, those behind them, and the first of each stretch that was read in one piece. Whatever is out has its
 * true successor among them.
 * @returns false where the rows did not come in order.
 */
async function reduce(
  session: Session,
  series: string,
  relation: ReadingsRelation,
  asked: ExcursionsAsked,
  order: 'as stored' | 'sorted',
): Promise<boolean> {
  const before = order === 'sorted' ? '(PARTITION BY series_id ORDER BY t, value)' : '()';
  const out = (value: string): string =>
    [
      ...(asked.low === null ? [] : [`${value} < $low`]),
      ...(asked.high === null ? [] : [`${value} > $high`]),
    ].join(' OR ');
  await session.run(
    `CREATE OR REPLACE TEMP TABLE series AS
    WITH neighbours AS (
      SELECT series_id, building_id, t, value, lag(t) OVER ${before} AS t_before, lag(value) OVER ${before} AS value_before,
        series_id IS NOT DISTINCT FROM lag(series_id) OVER ${before} AS same
      FROM (${series}))
    SELECT series_id, any_value(building_id) AS building_id,
      quantile_disc(t - t_before, 0.5)
        FILTER (same AND t > t_before AND t // ${DAY_MS} = t_before // ${DAY_MS}) AS usual,
      list({'t': t, 'value': value, 'is_out': ${out('value')}})
        FILTER (NOT same OR ${out('value')} OR ${out('value_before')}) AS telling,
      bool_or(${out('value')}) AS ever_out,
      count(*) FILTER (same AND t <= t_before) AS disorder
    FROM neighbours GROUP BY series_id`,
    { ...relation.values, ...boundsOf(asked) },
  );
  if (order === 'sorted') return true;
  const [found] = await session.rows<{ disorder: number }>(
    'SELECT coalesce(sum(disorder), 0)::DOUBLE AS disorder FROM series',
  );
  return found!.disorder === 0;
}

async function collect(session: Session, asked: ExcursionsAsked): Promise<ExcursionsFound> {
  const silence =
    asked.by === 'BUILDING_AVERAGE'
      ? String(MINUTE_MS)
      : asked.silence !== null
        ? '$silence::BIGINT'
        : `greatest(coalesce(${USUAL_INTERVALS} * usual, ${UNKNOWN_SILENCE_MS}), ${SHORTEST_SILENCE_MS})`;
  const distance = `greatest(${[
    ...(asked.low === null ? [] : ['$low - value']),
    ...(asked.high === null ? [] : ['value - $high']),
  ].join(', ')})`;
  const rows = await session.rows<{
    count: number;
    total: number;
    building_id: string;
    series_id: string;
    start: number;
    finish: number;
    ended_by: Excursion['endedBy'];
    peak: number;
    peak_at: number;
  }>(
    `WITH told AS (
      SELECT series_id, building_id, silence, telling.t AS t, telling.value AS value, telling.is_out AS is_out
      FROM (SELECT series_id, building_id, ${silence} AS silence, unnest(telling) AS telling FROM series WHERE ever_out)),
    placed AS (
      SELECT *, lead(t) OVER w AS t_behind,
        is_out AND coalesce(NOT lag(is_out) OVER w OR t - lag(t) OVER w > silence, true) AS begins
      FROM told WINDOW w AS (PARTITION BY series_id ORDER BY t, value)),
    numbered AS (
      SELECT *, sum(begins::INTEGER) OVER (PARTITION BY series_id ORDER BY t, value ROWS UNBOUNDED PRECEDING) AS number
      FROM placed),
    stretches AS (
      SELECT series_id, any_value(building_id) AS building_id, any_value(silence) AS silence, min(t) AS start,
        max(t) AS last,
        CASE WHEN bool_or(t_behind IS NULL) THEN NULL ELSE max(t_behind) END AS t_behind,
        arg_max({'value': value, 't': t}, {'distance': ${distance}, 'earlier': -t}) AS peak
      FROM numbered WHERE is_out GROUP BY series_id, number),
    ended AS (
      SELECT *, CASE
          WHEN t_behind - last <= silence THEN 'RETURNED'
          WHEN t_behind IS NULL AND $known::BIGINT - last <= silence THEN 'ONGOING'
          ELSE 'SILENT' END AS ended_by
      FROM stretches),
    lasting AS (
      SELECT *, CASE WHEN ended_by = 'RETURNED' THEN t_behind ELSE last END AS finish FROM ended),
    long_enough AS (SELECT * FROM lasting WHERE finish - start > $longer::BIGINT)
    SELECT (SELECT count(*) FROM long_enough)::DOUBLE AS count,
      (SELECT coalesce(sum(finish - start), 0) FROM long_enough)::DOUBLE AS total,
      building_id, series_id, start::DOUBLE AS start, finish::DOUBLE AS finish, ended_by,
      peak.value AS peak, peak.t::DOUBLE AS peak_at
    FROM (VALUES (1)) AS always(one)
    LEFT JOIN (
      SELECT * FROM long_enough ORDER BY start, building_id, series_id LIMIT $limit::BIGINT OFFSET $offset::BIGINT
    ) ON true
    ORDER BY start, building_id, series_id`,
    {
      ...boundsOf(asked),
      ...(asked.silence !== null && asked.by === 'POINT' ? { silence: asked.silence } : {}),
      known: Math.min(asked.to, asked.now),
      longer: asked.longerThan,
      limit: asked.limit,
      offset: asked.offset,
    },
  );
  return {
    count: rows[0]!.count,
    total: rows[0]!.total,
    excursions: rows
      .filter((row) => row.start !== null)
      .map((row) => ({
        buildingId: row.building_id,
        pointId: asked.by === 'POINT' ? row.series_id : null,
        start: row.start,
        end: row.finish,
        endedBy: row.ended_by,
        peak: row.peak,
        peakAt: row.peak_at,
      })),
  };
}

function boundsOf({ low, high }: ExcursionsAsked): Record<string, number> {
  return { ...(low === null ? {} : { low }), ...(high === null ? {} : { high }) };
}

function seriesOfPoints(relation: ReadingsRelation): string {
  return `SELECT point_id AS series_id, building_id, epoch_ms(observed_at) AS t, value FROM (${relation.sql})`;
}

/** A reading observed in (m - 1 min, m] stands in the averages of the minutes m to m + 4. */
function seriesOfAverages(relation: ReadingsRelation, { from, to, now }: ExcursionsAsked): string {
  const last = Math.min(to - 1, now);
  return `SELECT building_id AS series_id, building_id, minute * ${MINUTE_MS} AS t, sum(total) / sum(readings) AS value
    FROM (
      SELECT building_id, minute + unnest(range(${WINDOW_MS / MINUTE_MS})) AS minute, total, readings
      FROM (
        SELECT building_id, (epoch_ms(observed_at) + ${MINUTE_MS - 1}) // ${MINUTE_MS} AS minute, sum(value) AS total,
          count(*) AS readings
        FROM (${relation.sql}) GROUP BY ALL))
    WHERE minute >= ${Math.ceil(from / MINUTE_MS)} AND minute <= ${Math.floor(last / MINUTE_MS)}
    GROUP BY ALL`;
}
