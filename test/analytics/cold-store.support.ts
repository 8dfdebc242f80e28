import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { DuckDBInstance } from '@duckdb/node-api';
import { type BlobEmulator, createBlobEmulator } from '../../emulators/blob';
import { createCurator, type Curator } from '../../src/analytics/curation/curator';
import { readEvent } from '../../src/ingest/dead-letter';
import { createHeldEvents } from '../../src/ingest/held-events';
import { encodeLanding } from '../../src/ingest/landing-file';
import { createLandingStore } from '../../src/ingest/landing-store';
import { createLogger } from '../../src/observability/logger';
import { createManifests, type Manifests } from '../../src/store/manifests';
import { createFrameBuilder, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { type Reading } from '../../src/domain/reading';
import { compareCurated } from '../verify/oracle/curated.oracle';

/** A cold store of its own in a blob account that tests share. */
export interface ColdStore {
  container: ContainerClient;
  manifests: Manifests;
  /** Lands the readings, an event each, as one file behind what landed before. */
  land(readings: readonly Reading[], place?: { incarnation?: string; partition?: number }): Promise<void>;
  buildCurator(options?: Partial<Parameters<typeof createCurator>[0]>): Curator;
  curate(options?: Partial<Parameters<typeof createCurator>[0]>): ReturnType<Curator['curate']>;
  /** Compares all that is curated with all that landed, by SQL; what is wrong in words. */
  differences(): Promise<string[]>;
  /** The curated rows of a tenant, in the order of the files. */
  rows<Row>(tenantId: string, select: string): Promise<Row[]>;
}

export interface ColdAccount {
  blobs: BlobServiceClient;
  connectionString: string;
  buildStore(): Promise<ColdStore>;
  stop(): Promise<void>;
}

export async function startColdAccount(): Promise<ColdAccount> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-cold-'));
  const emulator: BlobEmulator = createBlobEmulator({
    host: '127.0.0.1',
    port: 0,
    dataDir: join(folder, 'blob'),
  });
  const { connectionString } = await emulator.start();
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  let stores = 0;
  return {
    blobs,
    connectionString,
    buildStore: () => buildStore(blobs, `cold-${++stores}`, join(folder, `store-${stores}`)),
    async stop() {
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function buildStore(blobs: BlobServiceClient, name: string, folder: string): Promise<ColdStore> {
  const container = blobs.getContainerClient(name);
  await container.create();
  const store = createLandingStore(container);
  const manifests = createManifests(container);
  const sequences = new Map<string, number>();
  const enqueued = new Map<string, number>();

  const buildCurator: ColdStore['buildCurator'] = (options = {}) =>
    createCurator({
      logger: createLogger({ name: 'curator', level: process.env.LOG_LEVEL ?? 'silent' }),
      container,
      ...options,
    });

  return {
    container,
    manifests,
    async land(readings, { incarnation = '1790000000000-2', partition = 0 } = {}) {
      const key = `${incarnation}/${partition}`;
      const first = sequences.get(key) ?? 0;
      sequences.set(key, first + readings.length);
      const at = Math.max(enqueued.get(key) ?? 0, ...readings.map(({ receivedAt }) => receivedAt + 5));
      enqueued.set(key, at);
      const held = createHeldEvents();
      readings.forEach((reading, i) => {
        const builder = createFrameBuilder();
        builder.add(reading);
        const event = {
          body: builder.take(),
          properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
          sequenceNumber: first + i,
          offset: String(first + i),
          enqueuedTimeUtc: new Date(at),
        };
        held.append(event as never, readEvent(event as never));
      });
      const file = await encodeLanding(held, { incarnation, partition });
      await store.create(file, AbortSignal.timeout(10_000));
      // A copy that stays when the landing is removed.
      const copy = join(folder, 'landed', incarnation, `p=${partition}`, `s${first}.parquet`);
      await mkdir(dirname(copy), { recursive: true });
      await writeFile(copy, file.readings);
    },
    buildCurator,
    curate: (options) => buildCurator(options).curate(new AbortController().signal),
    async differences() {
      const { differences } = await compareCurated({
        container,
        landed: join(folder, 'landed'),
        folder: join(folder, 'curated'),
      });
      return differences;
    },
    async rows<Row>(tenantId: string, select: string) {
      const manifest = await manifests.read(tenantId);
      const files = manifest?.value.periods.flatMap((period) => period.files) ?? [];
      if (files.length === 0) return [];
      const paths: string[] = [];
      for (const [i, file] of files.entries()) {
        const path = join(folder, `read-${i}.parquet`);
        await mkdir(folder, { recursive: true });
        await writeFile(path, await container.getBlobClient(file.name).downloadToBuffer());
        paths.push(path);
      }
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      try {
        const list = paths.map((path) => `'${path}'`).join(', ');
        const answer = await connection.runAndReadAll(
          `SELECT ${select} FROM read_parquet([${list}], file_row_number = true, filename = true)`,
        );
        return answer.getRowObjectsJS() as unknown as Row[];
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
    },
  };
}
