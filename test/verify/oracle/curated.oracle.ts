import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerClient } from '@azure/storage-blob';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type CuratedManifest } from '../../../src/domain/curated';
import { createManifests } from '../../../src/store/manifests';

/** What was compared, and what is wrong in words. */
export interface CuratedComparison {
  differences: string[];
  landed: number;
  curated: number;
  tenants: number;
  generations: number;
}

const COLUMNS = `tenant_id, building_id, quantity, point_id, epoch_ms(observed_at) AS observed_ms, value, space_id,
  device_id, epoch_ms(received_at) AS received_ms, epoch_ms(enqueued_at) AS enqueued_ms, time_source, original_value,
  original_unit, message_id, message_index, sequence, "row"`;

/**
 * Compares everything that is curated with everything that landed, by SQL that knows nothing of how it is curated:
 *
 * - Of each identity exactly one row stands, the first in stream order, with every column as it landed.
 * - Each file holds its tenant's rows of its period alone, sorted, and as many as its manifest says.
 * - The counts of the manifests add up.
 *
 * @param landed a folder of all landing files there ever were, `INCARNATION/p=N/*.parquet`; all of them must be curated.
 * @param folder for the curated files; it is removed afterwards.
 */
export async function compareCurated(options: {
  container: ContainerClient;
  landed: string;
  folder: string;
}): Promise<CuratedComparison> {
  const { container, landed, folder } = options;
  const manifests = createManifests(container);
  const differences: string[] = [];
  const found: CuratedManifest[] = [];
  for await (const tenantId of manifests.tenants()) {
    const manifest = await manifests.read(tenantId);
    if (manifest) found.push(manifest.value);
  }
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const files: { path: string; tenant: string; from: number; to: number; rows: number }[] = [];
  for (const { tenantId, periods } of found) {
    periods.forEach((period, i) => {
      const before = periods[i - 1];
      if (before && before.to > period.from) {
        differences.push(`${tenantId}: periods ${before.period} and ${period.period} overlap`);
      }
    });
    for (const period of periods) {
      for (const file of period.files) {
        const path = join(folder, `${files.length}.parquet`);
        await container.getBlobClient(file.name).downloadToFile(path);
        files.push({ path, tenant: tenantId, from: period.from, to: period.to, rows: file.rows });
      }
    }
  }
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  try {
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(
      'CREATE TABLE files (path VARCHAR, tenant VARCHAR, from_ms DOUBLE, to_ms DOUBLE, rows_said BIGINT)',
    );
    for (const { path, tenant, from, to, rows } of files) {
      await connection.run(`INSERT INTO files VALUES ('${path}', '${tenant}', ${from}, ${to}, ${rows})`);
    }
    const none = `SELECT *, 0 AS stream_partition, '' AS incarnation, '' AS filename, 0::BIGINT AS file_row_number
      FROM landed WHERE false`;
    await connection.run(`CREATE TABLE landed AS ${await landedRows(landed)}`);
    await connection.run(
      files.length === 0
        ? `CREATE TABLE curated AS ${none}`
        : `CREATE TABLE curated AS SELECT ${COLUMNS}, stream_partition, incarnation, filename, file_row_number
           FROM read_parquet([${files.map(({ path }) => `'${path}'`).join(', ')}],
             filename = true, file_row_number = true, hive_partitioning = false)`,
    );
    differences.push(...(await compareRows(connection)), ...(await compareFiles(connection)));
    differences.push(...found.flatMap(countDifferences));
    const count = async (sql: string): Promise<number> =>
      Number((await connection.runAndReadAll(sql)).getRowObjectsJS()[0]!.n);
    return {
      differences,
      landed: await count('SELECT count(*) AS n FROM landed'),
      curated: await count('SELECT count(*) AS n FROM curated'),
      tenants: found.length,
      generations: found.reduce((sum, { periods }) => sum + periods.length, 0),
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

async function landedRows(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  if (!entries.some((each) => each.endsWith('.parquet'))) throw new Error(`nothing has landed in ${folder}`);
  return `SELECT ${COLUMNS}, regexp_extract(filename, '/p=([0-9]+)/', 1)::INTEGER AS stream_partition,
      regexp_extract(filename, '/([^/]+)/p=[0-9]+/', 1) AS incarnation
    FROM read_parquet('${folder}/**/*.parquet', filename = true, hive_partitioning = false, union_by_name = true)`;
}

const ROW = `tenant_id, building_id, quantity, point_id, observed_ms, value, space_id, device_id, received_ms,
  enqueued_ms, time_source, original_value, original_unit, message_id, message_index, sequence, "row",
  stream_partition, incarnation`;

async function compareRows(connection: DuckDBConnection): Promise<string[]> {
  // A message without a time is known again within the day of UTC that it was stamped with.
  await connection.run(`
    CREATE TABLE expected AS SELECT ${ROW} FROM (
      SELECT l.*, row_number() OVER (
        PARTITION BY tenant_id, point_id,
          CASE WHEN time_source = 'DEVICE' THEN 'at ' || observed_ms
            WHEN message_id IS NOT NULL
            THEN 'message ' || message_index || ' ' || message_id || ' on ' || observed_ms // 86400000
            ELSE 'row ' || incarnation || ' ' || stream_partition || ' ' || sequence || ' ' || "row" END
        ORDER BY split_part(incarnation, '-', 1)::BIGINT, stream_partition, sequence, "row") AS nth
      FROM landed l)
    WHERE nth = 1`);
  const differences: string[] = [];
  for (const [from, other, words] of [
    ['expected', 'curated', 'landed and does not stand curated'],
    ['curated', 'expected', 'is curated and should not be'],
  ] as const) {
    const rows = (
      await connection.runAndReadAll(`SELECT ${ROW} FROM ${from} EXCEPT ALL SELECT ${ROW} FROM ${other}`)
    ).getRowObjectsJS();
    differences.push(
      ...rows.map(
        (row) =>
          `${String(row.quantity)} ${String(row.value)} of ${String(row.point_id)} at ` +
          `${new Date(Number(row.observed_ms)).toISOString()} (${String(row.incarnation)}, partition ` +
          `${String(row.stream_partition)}, event ${String(row.sequence)}, ${String(row.row)}) ${words}`,
      ),
    );
  }
  return differences;
}

async function compareFiles(connection: DuckDBConnection): Promise<string[]> {
  const wrong = async (sql: string, words: string): Promise<string[]> => {
    const rows = (await connection.runAndReadAll(sql)).getRowObjectsJS();
    return rows.map((row) => `${String(row.tenant)} from ${String(row.from_ms)}: ${words}`);
  };
  return [
    ...(await wrong(
      `SELECT DISTINCT tenant, from_ms FROM curated JOIN files ON filename = path
       WHERE tenant_id <> tenant OR observed_ms < from_ms OR observed_ms >= to_ms`,
      'a file holds rows of another tenant or period',
    )),
    ...(await wrong(
      `SELECT tenant, from_ms FROM files LEFT JOIN curated ON filename = path
       GROUP BY path, tenant, from_ms, rows_said HAVING count(filename) <> rows_said`,
      'a file holds another number of rows than its manifest says',
    )),
    ...(await wrong(
      `SELECT DISTINCT tenant, from_ms FROM (
         SELECT filename, (building_id, quantity, point_id, observed_ms) AS key,
           lag(key) OVER (PARTITION BY filename ORDER BY file_row_number) AS before FROM curated)
       JOIN files ON filename = path WHERE before > key`,
      'the rows of a file are not sorted',
    )),
  ];
}

function countDifferences({ tenantId, positions, periods }: CuratedManifest): string[] {
  const standing = periods.reduce((sum, { rows }) => sum + rows, 0);
  const curated = positions.reduce((sum, each) => sum + each.curated, 0);
  return [
    ...(standing === curated ? [] : [`${tenantId}: ${standing} rows stand, ${curated} were counted`]),
    ...positions.flatMap((each) =>
      each.landed === each.curated + each.duplicates + each.dropped
        ? []
        : [`${tenantId}: the counts of ${each.incarnation}/${each.partition} do not add up`],
    ),
  ];
}
