import { type DuckDBConnection } from '@duckdb/node-api';
import { type StreamEnd } from '../stream-end';

/** A landing file as its name and metadata describe it. */
export interface LandedFile {
  partition: number;
  firstSequence: number;
  lastSequence: number;
}

const SHOWN = 5;

/**
 * Compares the simulator's send log with the stored rows: acknowledged is a subset of stored, stored a subset of sent,
 * by device, quantity, instant and value. Only buildings that the log's devices stand in are looked at.
 *
 * Wants a view `landing` with device_id, quantity, observed_at and value. @returns differences in words, and counts.
 */
export async function compareWithLog(
  connection: DuckDBConnection,
  log: string,
): Promise<{ differences: string[]; sent: number; acknowledged: number; stored: number }> {
  await connection.run(`
    CREATE OR REPLACE TABLE log AS
    SELECT DISTINCT event, deviceId AS device_id, quantity, epoch_ms("observedAt") AS observed_ms, value
    FROM read_json('${log.replaceAll("'", "''")}', format = 'newline_delimited', columns = {
      event: 'VARCHAR', deviceId: 'VARCHAR', quantity: 'VARCHAR', "observedAt": 'TIMESTAMP', value: 'DOUBLE'});
    CREATE OR REPLACE TABLE stored AS
    SELECT DISTINCT device_id, quantity, epoch_ms(observed_at) AS observed_ms, value FROM landing
    WHERE device_id IN (SELECT DISTINCT device_id FROM log)`);
  const differences = [
    ...(await missing(connection, 'acknowledged', 'stored', 'is acknowledged and not stored')),
    ...(await missing(connection, 'stored', 'sent', 'is stored and was never sent')),
  ];
  return {
    differences,
    sent: await countOf(connection, `SELECT count(*) AS n FROM log WHERE event = 'sent'`),
    acknowledged: await countOf(connection, `SELECT count(*) AS n FROM log WHERE event = 'acknowledged'`),
    stored: await countOf(connection, `SELECT count(*) AS n FROM stored`),
  };
}

const relations = {
  acknowledged: `(SELECT * EXCLUDE (event) FROM log WHERE event = 'acknowledged')`,
  sent: `(SELECT * EXCLUDE (event) FROM log WHERE event = 'sent')`,
  stored: 'stored',
};

/** What is in one relation and not in the other. */
async function missing(
  connection: DuckDBConnection,
  from: keyof typeof relations,
  inside: keyof typeof relations,
  words: string,
): Promise<string[]> {
  const rows = (
    await connection.runAndReadAll(`
      SELECT a.* FROM ${relations[from]} a
      ANTI JOIN ${relations[inside]} b USING (device_id, quantity, observed_ms, value)
      ORDER BY observed_ms`)
  ).getRowObjectsJS();
  return summarised(
    rows.map(
      (row) =>
        `${String(row.quantity)} ${String(row.value)} of ${String(row.device_id)} at ${new Date(Number(row.observed_ms)).toISOString()} ${words}`,
    ),
  );
}

/**
 * Every event of the stream is in the landing exactly once: per partition the files follow each other from the first
 * event to the last without gap or overlap, no row lies outside its file's span, and no row stands twice or is missing
 * within its event.
 *
 * Wants `landing` with partition, sequence and row, all of one incarnation.
 */
export async function compareWithStream(
  connection: DuckDBConnection,
  files: readonly LandedFile[],
  end: StreamEnd,
): Promise<{ differences: string[]; events: number }> {
  const differences: string[] = [];
  let events = 0;
  end.partitions.forEach(({ first, last }, partition) => {
    let next = Math.max(0, first);
    const chain = files
      .filter((file) => file.partition === partition)
      .sort((a, b) => a.firstSequence - b.firstSequence || a.lastSequence - b.lastSequence);
    for (const file of chain) {
      const span = `the file of ${file.firstSequence} to ${file.lastSequence}`;
      if (file.firstSequence > next) {
        differences.push(
          `partition ${partition}: events ${next} to ${file.firstSequence - 1} are in no file`,
        );
      } else if (file.firstSequence < next) {
        differences.push(`partition ${partition}: ${span} repeats events before ${next}`);
      }
      if (file.lastSequence < file.firstSequence)
        differences.push(`partition ${partition}: ${span} is empty`);
      events += file.lastSequence - file.firstSequence + 1;
      next = Math.max(next, file.lastSequence + 1);
    }
    if (next <= last) differences.push(`partition ${partition}: events ${next} to ${last} are in no file`);
    if (next > last + 1) {
      differences.push(`partition ${partition}: files go up to ${next - 1}, the stream ends at ${last}`);
    }
  });

  const rows = (
    await connection.runAndReadAll(`
      SELECT "partition", sequence, count(*) AS rows, count(DISTINCT "row") AS different, max("row") + 1 AS expected
      FROM landing GROUP BY ALL HAVING rows <> different OR rows <> expected ORDER BY ALL`)
  ).getRowObjectsJS();
  differences.push(
    ...summarised(
      rows.map(
        (row) =>
          `event ${String(row.sequence)} of partition ${String(row.partition)} has ${String(row.rows)} rows in the landing, ` +
          `${String(row.different)} different, and should have ${String(row.expected)}`,
      ),
    ),
  );
  return { differences, events };
}

/** The first few in words and the number of the others, each still a difference. */
function summarised(words: string[]): string[] {
  return words.map((each, i) => (i < SHOWN ? each : `the same (${i + 1} of ${words.length})`));
}

async function countOf(connection: DuckDBConnection, sql: string): Promise<number> {
  return Number((await connection.runAndReadAll(sql)).getRowObjectsJS()[0]!.n);
}
