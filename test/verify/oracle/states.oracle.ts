import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection } from '@duckdb/node-api';
import { type QuantityName } from '../../../src/domain/quantity';
import { STATE_HOLDS_SECONDS } from '../../../src/domain/state';
import { WINDOW_SECONDS } from '../../../src/domain/window';

/** What a client of the API saw of a state quantity of a building, or of a space that nothing lies in. */
export interface SeenState {
  buildingId: string;
  /** Null: of the whole building. */
  spaceId: string | null;
  quantity: QuantityName;
  /** Seconds since 1970. */
  at: number;
  incarnation: string;
  partition: number;
  sequence: number;
  active: number;
  clear: number;
  activeShare: number | null;
  /** Milliseconds since 1970. */
  changedAt: number | null;
  lastReadingAt: number;
}

const HOLDS_MS = STATE_HOLDS_SECONDS * 1000;
const WINDOW_MS = WINDOW_SECONDS * 1000;
const SHARE_TOLERANCE = 1e-12;

/** Wants `counted` as `prepareCounted` makes it. Recomputes each state at its own instant and position. @returns what differs, in words. */
export async function compareStates(
  connection: DuckDBConnection,
  seen: readonly SeenState[],
): Promise<string[]> {
  if (seen.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), 'atrium-oracle-'));
  try {
    const file = join(folder, 'states.json');
    writeFileSync(file, seen.map((value, id) => JSON.stringify({ id, ...value })).join('\n'));
    await connection.run(`
      CREATE OR REPLACE TABLE seen_states AS SELECT *, "at" * 1000 AS end_ms
      FROM read_json('${file}', format = 'newline_delimited', columns = {
        id: 'BIGINT', buildingId: 'VARCHAR', spaceId: 'VARCHAR', quantity: 'VARCHAR', "at": 'BIGINT',
        incarnation: 'VARCHAR', "partition": 'INTEGER', sequence: 'BIGINT'})`);
    const reader = await connection.runAndReadAll(RECOMPUTE);
    return reader.getRowObjectsJS().flatMap((row) => {
      const expected = row as unknown as Recomputed;
      const value = seen[Number(expected.id)]!;
      const words = differencesOf(value, expected);
      return words.length === 0 ? [] : [`${describe(value)}: ${words.join(', ')}`];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Recomputed {
  id: bigint;
  active: bigint;
  clear: bigint;
  active_ms: bigint;
  known_ms: bigint;
  changed_ms: bigint | null;
  last_ms: bigint | null;
}

// A reading holds until the next of its point, for the longest time a state holds; what was observed before that and the
// window says nothing any more.
const RECOMPUTE = `
  WITH readings AS (
    SELECT s.id, s.end_ms, c.observed_ms, c.value <> 0 AS is_active,
      lead(c.observed_ms) OVER of_point AS next_ms,
      lag(c.observed_ms) OVER of_point AS before_ms,
      lag(c.value <> 0) OVER of_point AS was_active
    FROM seen_states s JOIN counted c
      ON c.building_id = s.buildingId AND c.quantity = s.quantity AND c.incarnation = s.incarnation
      AND c."partition" = s."partition" AND c.sequence <= s.sequence
      AND (s.spaceId IS NULL OR c.space_id = s.spaceId)
      AND c.observed_ms <= s.end_ms AND c.observed_ms > s.end_ms - ${WINDOW_MS + HOLDS_MS}
    WINDOW of_point AS (PARTITION BY s.id, c.point_id ORDER BY c.observed_ms, c.sequence, c."row")
  ),
  held AS (
    SELECT *, next_ms IS NULL AND end_ms < observed_ms + ${HOLDS_MS} AS holds,
      greatest(0, least(observed_ms + ${HOLDS_MS}, coalesce(next_ms, end_ms), end_ms)
        - greatest(observed_ms, end_ms - ${WINDOW_MS})) AS held_ms
    FROM readings
  ),
  added AS (
    SELECT id, count(*) FILTER (holds AND is_active) AS active, count(*) FILTER (holds AND NOT is_active) AS clear,
      CAST(coalesce(sum(held_ms) FILTER (is_active), 0) AS BIGINT) AS active_ms, CAST(sum(held_ms) AS BIGINT) AS known_ms,
      max(observed_ms) FILTER (observed_ms > end_ms - ${WINDOW_MS} AND is_active <> was_active
        AND observed_ms < before_ms + ${HOLDS_MS}) AS changed_ms,
      max(observed_ms) AS last_ms
    FROM held GROUP BY id
  )
  SELECT s.id, coalesce(active, 0) AS active, coalesce(clear, 0) AS clear, coalesce(active_ms, 0) AS active_ms,
    coalesce(known_ms, 0) AS known_ms, changed_ms, last_ms
  FROM seen_states s LEFT JOIN added USING (id)`;

function differencesOf(seen: SeenState, expected: Recomputed): string[] {
  const words: string[] = [];
  const exact = (name: string, value: number | null, wanted: bigint | null): void => {
    const number = wanted === null ? null : Number(wanted);
    if (value !== number) words.push(`${name} ${value}, by SQL ${number}`);
  };
  exact('active', seen.active, expected.active);
  exact('clear', seen.clear, expected.clear);
  exact('changed at', seen.changedAt, expected.changed_ms);
  exact('last reading', seen.lastReadingAt, expected.last_ms);
  const known = Number(expected.known_ms);
  const share = known === 0 ? null : Number(expected.active_ms) / known;
  const close =
    seen.activeShare === null || share === null
      ? seen.activeShare === share
      : Math.abs(seen.activeShare - share) <= SHARE_TOLERANCE;
  if (!close) words.push(`share ${seen.activeShare}, by SQL ${share}`);
  return words;
}

function describe({ quantity, buildingId, spaceId, at, partition, sequence }: SeenState): string {
  const place = spaceId === null ? buildingId : `${spaceId} in ${buildingId}`;
  return `state ${quantity} of ${place} at ${new Date(at * 1000).toISOString()}, partition ${partition} up to ${sequence}`;
}
