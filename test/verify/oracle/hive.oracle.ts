import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** A row of an answer: instants in milliseconds since 1970. */
export type AnswerRow = Record<string, string | number | null>;

export interface HiveOracle {
  /** Every reading that may be read, with what came of it: `INSTANT` columns in milliseconds. */
  readings(): Promise<AnswerRow[]>;
  eventsByDevice(asked: { tenant: string; from: number; to: number }): Promise<AnswerRow[]>;
  hourlyAverages(asked: { tenant: string; quantity: string; from: number; to: number }): Promise<AnswerRow[]>;
  excursions(asked: {
    tenant: string;
    building: string;
    quantity: string;
    from: number;
    to: number;
    low: number;
    high: number;
    longerThan: number;
  }): Promise<AnswerRow[]>;
  stop(): void;
}

/**
 * The questions by SQL of DuckDB over everything that ever landed: nothing of it is curated, no manifest is read. So what
 * the scripts make of generations and positions has to come to the same.
 *
 * @param folder of the container's files; its landing must be whole.
 * @param erased whose readings may not be read.
 */
export async function openHiveOracle(folder: string, erased: string): Promise<HiveOracle> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '400MB' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`
    CREATE TABLE readings AS
    WITH landed AS (
      SELECT * RENAME (observed_at AS observed, received_at AS received, enqueued_at AS enqueued),
        regexp_extract(filename, '/landing/([^/]+)/p=[0-9]+/', 1) AS incarnation,
        regexp_extract(filename, '/p=([0-9]+)/', 1)::INTEGER AS stream_partition,
        epoch_ms(observed_at) AS observed_ms
      FROM read_parquet('${folder}/landing/**/*.parquet', filename = true, hive_partitioning = false, union_by_name = true)
      WHERE tenant_id <> '${erased}')
    SELECT * FROM landed
    QUALIFY row_number() OVER (
      PARTITION BY tenant_id, point_id, CASE
        WHEN time_source = 'DEVICE' THEN observed_ms::VARCHAR
        WHEN message_id IS NULL THEN concat_ws('/', 'row', incarnation, stream_partition, sequence, "row")
        ELSE concat_ws('/', 'message', observed_ms // 86400000, message_index, message_id) END
      ORDER BY incarnation, stream_partition, sequence, "row") = 1`);
  const rows = async (sql: string): Promise<AnswerRow[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJS() as AnswerRow[];

  return {
    readings: () =>
      rows(`SELECT tenant_id, building_id, quantity, point_id, observed_ms::DOUBLE AS observed_at, value, space_id,
        device_id, epoch_ms(received)::DOUBLE AS received_at, epoch_ms(enqueued)::DOUBLE AS enqueued_at, time_source,
        original_value, original_unit, message_id, message_index, incarnation, stream_partition,
        sequence::DOUBLE AS sequence, "row", observed_ms::DOUBLE AS observed_ms FROM readings`),
    eventsByDevice: ({ tenant, from, to }) =>
      rows(`SELECT building_id, device_id, count(*)::DOUBLE AS readings, min(observed_ms)::DOUBLE AS first_observed_at,
        max(observed_ms)::DOUBLE AS last_observed_at
      FROM readings WHERE tenant_id = '${tenant}' AND observed_ms >= ${from} AND observed_ms < ${to} GROUP BY ALL`),
    hourlyAverages: ({ tenant, quantity, from, to }) =>
      rows(`SELECT building_id, strftime(time_bucket(INTERVAL 1 HOUR, observed), '%Y-%m-%d %H:%M') AS hour_of_utc,
        count(*)::DOUBLE AS readings, avg(value) AS average, min(value) AS minimum, max(value) AS maximum
      FROM readings WHERE tenant_id = '${tenant}' AND quantity = '${quantity}' AND observed_ms >= ${from}
        AND observed_ms < ${to} GROUP BY ALL`),
    excursions: (asked) => rows(excursionsSql(asked)),
    stop() {
      close(connection, instance);
    },
  };
}

/** By breaks: a new stretch wherever in or out changes, or a point was silent; then those stretches that are out. */
function excursionsSql(asked: Parameters<HiveOracle['excursions']>[0]): string {
  const { tenant, building, quantity, from, to, low, high, longerThan } = asked;
  return `
    WITH asked AS (
      SELECT point_id, observed_ms AS t, value, value NOT BETWEEN ${low} AND ${high} AS outside FROM readings
      WHERE tenant_id = '${tenant}' AND building_id = '${building}' AND quantity = '${quantity}'
        AND observed_ms >= ${from} AND observed_ms < ${to}),
    steps AS (
      SELECT point_id, t - lag(t) OVER (PARTITION BY point_id, t // 86400000 ORDER BY t) AS step FROM asked),
    patience AS (
      SELECT point_id, greatest(60000, 3 * quantile_disc(step, 0.5)) AS silence FROM steps WHERE step > 0 GROUP BY point_id),
    marked AS (
      SELECT asked.*, coalesce(silence, 3 * 86400000) AS silence,
        lag(outside) OVER w IS DISTINCT FROM outside OR t - lag(t) OVER w > coalesce(silence, 3 * 86400000) AS breaks
      FROM asked LEFT JOIN patience USING (point_id) WINDOW w AS (PARTITION BY point_id ORDER BY t, value)),
    pieces AS (
      SELECT *, count(*) FILTER (breaks) OVER (PARTITION BY point_id ORDER BY t, value) AS piece FROM marked),
    stretches AS (
      SELECT point_id, piece, any_value(silence) AS silence, any_value(outside) AS outside, min(t) AS first, max(t) AS last,
        list(value ORDER BY greatest(${low} - value, value - ${high}) DESC, t)[1] AS peak,
        list(t ORDER BY greatest(${low} - value, value - ${high}) DESC, t)[1] AS peak_at
      FROM pieces GROUP BY point_id, piece),
    followed AS (SELECT *, lead(first) OVER (PARTITION BY point_id ORDER BY piece) AS next FROM stretches),
    told AS (
      SELECT *, CASE WHEN next - last <= silence THEN 'RETURNED'
        WHEN next IS NULL AND ${to} - last <= silence THEN 'ONGOING' ELSE 'SILENT' END AS ended_by
      FROM followed WHERE outside)
    SELECT point_id, first::DOUBLE AS start_at, finish::DOUBLE AS end_at, (finish - first) / 60000 AS minutes, ended_by, peak,
      peak_at::DOUBLE AS peak_at
    FROM (SELECT *, if(ended_by = 'RETURNED', next, last) AS finish FROM told) WHERE finish - first > ${longerThan}`;
}

function close(connection: DuckDBConnection, instance: DuckDBInstance): void {
  connection.closeSync();
  instance.closeSync();
}
