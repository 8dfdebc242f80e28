import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection } from '@duckdb/node-api';
import { type LiveAverage } from '../test/verify/live-subscriber';

/** A live value as a subscriber got it. */
export interface Arrival {
  buildingId: string;
  quantity: string;
  windowEnd: number;
  sequence: number;
  receivedAt: number;
}

export function arrivalOf(buildingId: string, value: LiveAverage, receivedAt: number): Arrival {
  return {
    buildingId,
    quantity: value.quantity,
    windowEnd: Date.parse(value.windowEnd) / 1000,
    sequence: value.position.sequence,
    receivedAt,
  };
}

export interface EndToEnd {
  readings: number;
  p50: number;
  p99: number;
  maximum: number;
}

/**
 * From the instant a reading was observed to the first live value that counts it being in a subscriber's hands, in
 * milliseconds, for every reading of the followed buildings that was observed between two instants: exact, as both the
 * reading's place in the stream and each value's position are known. Part of it is the rule itself: a reading counts
 * from the whole second after it.
 */
export async function endToEnd(
  connection: DuckDBConnection,
  arrivals: readonly Arrival[],
  between: { from: number; to: number },
): Promise<EndToEnd> {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-arrivals-'));
  try {
    const file = join(folder, 'arrivals.json');
    writeFileSync(file, arrivals.map((arrival) => JSON.stringify(arrival)).join('\n'));
    await connection.run(`
      CREATE OR REPLACE TABLE arrivals AS SELECT * FROM read_json('${file}', format = 'newline_delimited', columns = {
        buildingId: 'VARCHAR', quantity: 'VARCHAR', windowEnd: 'BIGINT', sequence: 'BIGINT', receivedAt: 'BIGINT'})`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  // Values arrive in the order of their windows and positions: the first that is far enough in both is the later of the
  // first in each.
  const reader = await connection.runAndReadAll(`
    WITH observed AS (
      SELECT building_id, quantity, sequence, epoch_ms(observed_at) AS observed_ms,
        CAST(ceil(epoch_ms(observed_at) / 1000.0) AS BIGINT) AS slot
      FROM landing
      WHERE building_id IN (SELECT DISTINCT buildingId FROM arrivals)
        AND epoch_ms(observed_at) BETWEEN ${between.from} AND ${between.to}
    ),
    latencies AS (
      SELECT greatest(w.receivedAt, s.receivedAt) - o.observed_ms AS latency
      FROM observed o
      ASOF LEFT JOIN arrivals w
        ON o.building_id = w.buildingId AND o.quantity = w.quantity AND o.slot <= w.windowEnd
      ASOF LEFT JOIN arrivals s
        ON o.building_id = s.buildingId AND o.quantity = s.quantity AND o.sequence <= s.sequence
    )
    SELECT count(*) AS readings, count(latency) AS seen, quantile_cont(latency, 0.5) AS p50,
      quantile_cont(latency, 0.99) AS p99, max(latency) AS maximum
    FROM latencies`);
  const [row] = reader.getRowObjectsJS() as Record<string, bigint | number | null>[];
  if (Number(row!.seen) < Number(row!.readings)) {
    throw new Error(`${Number(row!.readings) - Number(row!.seen)} readings were never in a live value`);
  }
  return {
    readings: Number(row!.readings),
    p50: Number(row!.p50 ?? NaN),
    p99: Number(row!.p99 ?? NaN),
    maximum: Number(row!.maximum ?? NaN),
  };
}
