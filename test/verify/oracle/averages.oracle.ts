import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection } from '@duckdb/node-api';
import { QUANTITIES, type QuantityName } from '../../../src/domain/quantity';
import { REPEATED_WITHIN_MS } from '../../../src/domain/reading';
import { WINDOW_SECONDS } from '../../../src/domain/window';

/** A value of the rolling average as a client of the API saw it. */
export interface SeenAverage {
  /** What a difference is reported as, e.g. `live`. */
  source: 'live' | 'history' | 'correction';
  buildingId: string;
  quantity: QuantityName;
  /** Seconds since 1970. */
  windowEnd: number;
  incarnation: string;
  partition: number;
  sequence: number;
  readings: number;
  mean: number | null;
  minimum: number | null;
  maximum: number | null;
  devicesReporting: number;
  /** Milliseconds since 1970. */
  lastReadingAt: number | null;
}

/** They have no rolling average. */
const STATES = QUANTITIES.filter(({ kind }) => kind === 'state')
  .map(({ name }) => `'${name}'`)
  .join(', ');

/** How far a mean may be from SQL's. */
export const MEAN_TOLERANCE = 1e-9;

/**
 * Makes the table `counted` from the stored rows: what may be in an average at all, each reading once. A row that came
 * later than the allowed lateness, by the hub's own clock, is in none; where two rows claim one identity the first in
 * stream order stands, and a message without a time that comes again after `REPEATED_WITHIN_MS` is another. As the hub's clock only goes forward in a partition, the first of an identity is also the first
 * up to any position from which it is there, so that this is done once and not for each value.
 *
 * Wants a view `landing` with: incarnation, partition, sequence, row, enqueued_at, building_id, space_id, point_id,
 * device_id, quantity (name), observed_at, value, time_source, message_id, message_index.
 */
export async function prepareCounted(
  connection: DuckDBConnection,
  options: { allowedLatenessMs: number; buildingIds: readonly string[] },
): Promise<void> {
  const buildings = options.buildingIds.map((id) => `'${id.replaceAll("'", "''")}'`).join(', ');
  await connection.run(`
    CREATE OR REPLACE TABLE counted AS
    SELECT incarnation, "partition", sequence, "row", building_id, space_id, point_id, quantity, device_id, value, observed_ms,
      CAST(ceil(observed_ms / 1000.0) AS BIGINT) AS slot,
      CAST(floor(ceil(observed_ms / 1000.0) / 60) AS BIGINT) AS minute
    FROM (
      SELECT *, epoch_ms(observed_at) AS observed_ms,
        epoch_ms(enqueued_at) - lag(epoch_ms(enqueued_at)) OVER (
          PARTITION BY incarnation, "partition", point_id,
            CASE WHEN time_source = 'DEVICE' THEN 'at ' || epoch_ms(observed_at)
                 WHEN message_id IS NOT NULL THEN 'message ' || message_index || ' ' || message_id
                 ELSE 'row ' || sequence || ' ' || "row" END
          ORDER BY sequence, "row"
        ) AS since_last
      FROM landing
      WHERE building_id IN (${buildings})
        AND epoch_ms(enqueued_at) - epoch_ms(observed_at) <= ${options.allowedLatenessMs}
    )
    WHERE since_last IS NULL OR (time_source <> 'DEVICE' AND since_last >= ${REPEATED_WITHIN_MS})`);
}

/** Values recomputed at once: bounds the memory of the join. */
const BATCH = 1500;

/** Recomputes every value from `counted` by SQL, at its own stream position and window. @returns what differs, in words. */
export async function compareAverages(
  connection: DuckDBConnection,
  seen: readonly SeenAverage[],
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-oracle-'));
  try {
    const differences: string[] = [];
    for (let at = 0; at < seen.length; at += BATCH) {
      const batch = seen.slice(at, at + BATCH);
      const file = join(folder, 'seen.json');
      writeFileSync(file, batch.map((value, id) => JSON.stringify({ id, ...value })).join('\n'));
      await loadSeen(connection, file);
      const reader = await connection.runAndReadAll(RECOMPUTE);
      for (const row of reader.getRowObjectsJS()) {
        const expected = row as unknown as Recomputed;
        const value = batch[Number(expected.id)]!;
        const words = differencesOf(value, expected);
        if (words.length > 0) differences.push(`${describe(value)}: ${words.join(', ')}`);
      }
    }
    return differences;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Recomputed {
  id: bigint;
  readings: bigint;
  mean: number | null;
  minimum: number | null;
  maximum: number | null;
  devices: bigint;
  last_ms: bigint | null;
}

async function loadSeen(connection: DuckDBConnection, file: string): Promise<void> {
  await connection.run(`
    CREATE OR REPLACE TABLE seen AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {
      id: 'BIGINT', buildingId: 'VARCHAR', quantity: 'VARCHAR', windowEnd: 'BIGINT', incarnation: 'VARCHAR',
      "partition": 'INTEGER', sequence: 'BIGINT'})`);
}

// A value is spread over the minutes that its window touches, so that the join is by equality and meets few rows that
// are not in the window.
const RECOMPUTE = `
  WITH spread AS (
    SELECT *, unnest(range((windowEnd - ${WINDOW_SECONDS - 1}) // 60, windowEnd // 60 + 1)) AS minute FROM seen
  ),
  held AS (
    SELECT s.id, count(*) AS readings, fsum(c.value) / count(*) AS mean, min(c.value) AS minimum,
      max(c.value) AS maximum, count(DISTINCT c.device_id) AS devices, max(c.observed_ms) AS last_ms
    FROM spread s JOIN counted c
      ON c.building_id = s.buildingId AND c.quantity = s.quantity AND c.incarnation = s.incarnation
      AND c."partition" = s."partition" AND c.minute = s.minute
      AND c.slot > s.windowEnd - ${WINDOW_SECONDS} AND c.slot <= s.windowEnd AND c.sequence <= s.sequence
    GROUP BY s.id
  ),
  -- Only an empty window needs to look further back for its last reading.
  earlier AS (
    SELECT s.id, max(c.observed_ms) AS last_ms
    FROM seen s JOIN counted c
      ON c.building_id = s.buildingId AND c.quantity = s.quantity AND c.incarnation = s.incarnation
      AND c."partition" = s."partition" AND c.slot <= s.windowEnd AND c.sequence <= s.sequence
    WHERE s.id NOT IN (SELECT id FROM held)
    GROUP BY s.id
  )
  SELECT s.id, coalesce(h.readings, 0) AS readings, h.mean, h.minimum, h.maximum, coalesce(h.devices, 0) AS devices,
    coalesce(h.last_ms, e.last_ms) AS last_ms
  FROM seen s LEFT JOIN held h USING (id) LEFT JOIN earlier e USING (id)`;

function differencesOf(seen: SeenAverage, expected: Recomputed): string[] {
  const words: string[] = [];
  const exact = (name: string, value: number | null, wanted: bigint | number | null): void => {
    if (value !== (wanted === null ? null : Number(wanted))) {
      words.push(`${name} ${value}, by SQL ${wanted === null ? null : Number(wanted)}`);
    }
  };
  exact('readings', seen.readings, expected.readings);
  exact('minimum', seen.minimum, expected.minimum);
  exact('maximum', seen.maximum, expected.maximum);
  exact('devices reporting', seen.devicesReporting, expected.devices);
  exact('last reading', seen.lastReadingAt, expected.last_ms);
  const close =
    seen.mean === null || expected.mean === null
      ? seen.mean === expected.mean
      : Math.abs(seen.mean - expected.mean) <= MEAN_TOLERANCE;
  if (!close) words.push(`mean ${seen.mean}, by SQL ${expected.mean}`);
  return words;
}

export function describe(value: SeenAverage): string {
  const end = new Date(value.windowEnd * 1000).toISOString();
  return `${value.source} ${value.quantity} of ${value.buildingId} at ${end}, partition ${value.partition} up to ${value.sequence}`;
}

/**
 * Minutes whose window holds readings and for which no history point was seen, between the first reading of a building
 * and quantity and `untilMinute` (minutes since 1970, inclusive).
 *
 * @param buildingIds whose points they are; left out, of all that are counted.
 */
export async function missingPoints(
  connection: DuckDBConnection,
  history: readonly SeenAverage[],
  untilMinute: number,
  buildingIds?: readonly string[],
): Promise<string[]> {
  const of =
    buildingIds === undefined ? '' : ` AND building_id IN (${buildingIds.map((id) => `'${id}'`).join(', ')})`;
  const reader = await connection.runAndReadAll(`
    SELECT building_id, quantity, minute, count(*) AS readings FROM (
      SELECT building_id, quantity,
        unnest(range((slot + 59) // 60, (slot + ${WINDOW_SECONDS - 1}) // 60 + 1)) AS minute
      FROM counted WHERE quantity NOT IN (${STATES})${of}
    )
    WHERE minute <= ${untilMinute}
    GROUP BY ALL ORDER BY ALL`);
  const seen = new Set(
    history.map(({ buildingId, quantity, windowEnd }) => `${buildingId} ${quantity} ${windowEnd / 60}`),
  );
  return reader.getRowObjectsJS().flatMap((row) => {
    const { building_id, quantity, minute, readings } = row as Record<string, string | bigint>;
    if (seen.has(`${building_id} ${quantity} ${minute}`)) return [];
    const at = new Date(Number(minute) * 60_000).toISOString();
    return [
      `no history point of ${quantity} of ${building_id} at ${at}, whose window holds ${readings} readings`,
    ];
  });
}

/** The same points as if everything stored had been counted: what corrections must have brought them to in the end. */
export function atTheEndOfTheStream(history: readonly SeenAverage[]): SeenAverage[] {
  return history.map((point) => ({ ...point, sequence: Number.MAX_SAFE_INTEGER }));
}

/** Readings that had left the window of their building and quantity by the last value seen of it. */
export async function countLeftTheWindow(
  connection: DuckDBConnection,
  seen: readonly SeenAverage[],
): Promise<number> {
  const last = new Map<string, SeenAverage>();
  for (const value of seen) {
    const key = `${value.buildingId} ${value.quantity}`;
    if (value.windowEnd > (last.get(key)?.windowEnd ?? 0)) last.set(key, value);
  }
  let left = 0;
  for (const { buildingId, quantity, windowEnd } of last.values()) {
    const reader = await connection.runAndReadAll(
      `SELECT count(*) AS left_count FROM counted
       WHERE building_id = '${buildingId}' AND quantity = '${quantity}' AND slot <= ${windowEnd - WINDOW_SECONDS}`,
    );
    left += Number(reader.getRowObjectsJS()[0]!.left_count);
  }
  return left;
}
