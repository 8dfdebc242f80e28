import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobServiceClient } from '@azure/storage-blob';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { deadLetterPath, parseLandingPath } from '../../src/store/landing-path';

/** A landing file, by what it says of itself. */
export interface LandedFile {
  path: string;
  incarnation: string;
  partition: number;
  firstSequence: number;
  lastSequence: number;
  events: number;
  rows: number;
  deadLetters: number;
}

/**
 * Downloads the landing files and the dead letters that belong to them into a folder, under their own names. Dead
 * letters that no landing file claims (a crashed writer's) are left where they are, as every reader must.
 */
export async function downloadLanding(
  blobs: BlobServiceClient,
  folder: string,
  container = 'telemetry',
): Promise<LandedFile[]> {
  const client = blobs.getContainerClient(container);
  const download = async (name: string): Promise<void> => {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await client.getBlobClient(name).downloadToFile(path);
  };
  await mkdir(folder, { recursive: true });
  const files: LandedFile[] = [];
  if (!(await client.exists())) return files;
  for await (const { name, metadata } of client.listBlobsFlat({
    prefix: 'landing/',
    includeMetadata: true,
  })) {
    const place = parseLandingPath(name);
    if (place === undefined) throw new Error(`${name} is not the name of a landing file`);
    const said = Object.fromEntries(
      Object.entries(metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value]),
    );
    const file: LandedFile = {
      path: name,
      incarnation: place.incarnation,
      partition: place.partition,
      firstSequence: place.firstSequence,
      lastSequence: Number(said.lastsequence),
      events: Number(said.events),
      rows: Number(said.rows),
      deadLetters: Number(said.deadletters),
    };
    files.push(file);
    await download(name);
    if (file.deadLetters > 0) {
      const enqueuedAt = Date.parse(`${place.hour}:00:00Z`);
      await download(deadLetterPath({ ...place, enqueuedAt }, file.lastSequence));
    }
  }
  return files;
}

/** One partition of one life of the hub, as Event Hubs tells of it. */
export interface StreamEnds {
  incarnation: string;
  partition: number;
  /** 0 when left out. */
  firstSequence?: number;
  /** -1 when nothing was ever enqueued. */
  lastSequence: number;
}

/**
 * What is wrong with the files as chains, in words; none when every chain is whole: the first file begins at the
 * stream's first event, each further one behind the one before, each holds every event up to its end, and, for the
 * streams that are given, the last ends at the stream's last event.
 */
export function chainDifferences(
  files: readonly LandedFile[],
  streams: readonly StreamEnds[] = [],
): string[] {
  const differences: string[] = [];
  const nameOf = (each: { incarnation: string; partition: number }): string =>
    `${each.incarnation} partition ${each.partition}`;
  const chains = new Map<string, LandedFile[]>(streams.map((stream) => [nameOf(stream), []]));
  for (const file of files) chains.set(nameOf(file), [...(chains.get(nameOf(file)) ?? []), file]);
  for (const [name, chain] of chains) {
    const stream = streams.find((each) => nameOf(each) === name);
    let next = stream?.firstSequence ?? 0;
    for (const { path, firstSequence, lastSequence, events } of chain.toSorted(
      (a, b) => a.firstSequence - b.firstSequence,
    )) {
      if (firstSequence !== next) differences.push(`${path} begins at ${firstSequence}, expected ${next}`);
      if (events !== lastSequence - firstSequence + 1) {
        differences.push(`${path} says ${events} events from ${firstSequence} to ${lastSequence}`);
      }
      next = lastSequence + 1;
    }
    if (stream !== undefined && stream.lastSequence >= 0 && next !== stream.lastSequence + 1) {
      differences.push(`${name} is landed up to ${next - 1}, expected ${stream.lastSequence}`);
    }
  }
  return differences;
}

export interface Landing {
  /** Views `landing` and `dead_letters`: the files' columns with `incarnation` and `partition` before them. */
  connection: DuckDBConnection;
  /** Rows as objects; whole numbers of 64 bits are BigInt, instants DuckDB's values: cast in the query. */
  query<Row>(sql: string): Promise<Row[]>;
  close(): void;
}

const NO_READINGS = `SELECT ''::VARCHAR AS incarnation, 0 AS partition, 0::BIGINT AS sequence, 0 AS row,
  now() AS enqueued_at, '' AS tenant_id, '' AS building_id, '' AS space_id, '' AS point_id, '' AS device_id,
  '' AS quantity, now() AS observed_at, now() AS received_at, 0::DOUBLE AS value, NULL::DOUBLE AS original_value,
  NULL::VARCHAR AS original_unit, '' AS time_source, NULL::VARCHAR AS message_id, NULL::INTEGER AS message_index
  WHERE false`;
const NO_DEAD_LETTERS = `SELECT ''::VARCHAR AS incarnation, 0 AS partition, 0::BIGINT AS sequence, 0 AS row,
  now() AS enqueued_at, '' AS tenant_id, '' AS building_id, '' AS device_id, '' AS channel,
  NULL::TIMESTAMPTZ AS observed_at, NULL::TIMESTAMPTZ AS received_at, '' AS code, '' AS message, '' AS raw,
  NULL::BLOB AS body, NULL::VARCHAR AS protocol, NULL::VARCHAR AS relayed_by, NULL::VARCHAR AS message_id,
  NULL::INTEGER AS message_index, NULL::TIMESTAMPTZ AS created_at, NULL::VARCHAR AS content_type,
  NULL::VARCHAR AS content_encoding WHERE false`;

/** Opens a folder that `downloadLanding` filled, for questions in SQL. */
export async function openLanding(folder: string): Promise<Landing> {
  const instance = await DuckDBInstance.create(':memory:', { autoinstall_known_extensions: 'false' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`CREATE VIEW landing AS ${await source(join(folder, 'landing'), NO_READINGS)}`);
  await connection.run(
    `CREATE VIEW dead_letters AS ${await source(join(folder, 'dead-letters', 'landing'), NO_DEAD_LETTERS)}`,
  );
  return {
    connection,
    query: async <Row>(sql: string) =>
      (await connection.runAndReadAll(sql)).getRowObjectsJS() as unknown as Row[],
    close() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function source(folder: string, none: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true }).catch(() => []);
  if (!entries.some((each) => each.endsWith('.parquet'))) return none;
  const glob = `${folder}/**/*.parquet`.replaceAll("'", "''");
  return `SELECT regexp_extract(filename, '/landing/([^/]+)/p=', 1) AS incarnation,
    regexp_extract(filename, '/p=([0-9]+)/', 1)::INTEGER AS partition, * EXCLUDE (filename)
    FROM read_parquet('${glob}', filename = true, hive_partitioning = false, union_by_name = true)`;
}
