import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReceivedEventData } from '@azure/event-hubs';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { createBlobEmulator } from '../../emulators/blob';
import { createBlobCache } from '../../src/analytics/blob-cache';
import { createCuratedListing } from '../../src/analytics/curated-listing';
import { createEngine } from '../../src/analytics/engine';
import { createLandingFiles } from '../../src/analytics/landing-files';
import { createQuestions, type Questions } from '../../src/analytics/questions';
import { createReadingsSource } from '../../src/analytics/readings-source';
import { type CuratedFile, MANIFEST_SCHEMA, ROOT_SCHEMA } from '../../src/domain/curated';
import { quantityOfCode } from '../../src/domain/quantity';
import { type Reading } from '../../src/domain/reading';
import { createHeldEvents } from '../../src/ingest/held-events';
import { encodeLanding } from '../../src/ingest/landing-file';
import { createLandingStore } from '../../src/ingest/landing-store';
import { generationFolder, partPath } from '../../src/store/curated-path';
import { createManifests } from '../../src/store/manifests';
import { createFrameBuilder, decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';

/** An event of the stream that arrived: its place, and its readings in their order. */
export interface Arrival {
  incarnation: string;
  partition: number;
  sequence: number;
  enqueuedAt: number;
  readings: readonly Reading[];
}

/** A cold store with the questions over it. */
export interface ColdStore {
  container: ContainerClient;
  questions: Questions;
  /** Writes one landing file of successive events, as the ingest worker does. */
  land(arrivals: readonly Arrival[]): Promise<void>;
  /**
   * Writes the tenant's curated files from what arrived, a day each, each identity once, and publishes them with the
   * positions of the last arrivals; what it was given before must be given again.
   */
  curate(tenantId: string, arrivals: readonly Arrival[]): Promise<void>;
  cacheFolder: string;
}

export interface ColdStores {
  /** An empty one. */
  next(options?: { now?: () => number; cacheBytes?: number; timeoutMs?: number }): Promise<ColdStore>;
  stop(): Promise<void>;
}

/** Blob's stand-in on a free port; each store has a container and a cache of its own. */
export async function startColdStores(): Promise<ColdStores> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-analytics-'));
  const emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const { connectionString } = await emulator.start();
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const writer = await DuckDBInstance.create(':memory:', { threads: '1' });
  const ending: (() => Promise<void>)[] = [];
  let stores = 0;

  return {
    async next({ now = Date.now, cacheBytes = 200_000_000, timeoutMs = 20_000 } = {}) {
      const name = `cold-${++stores}`;
      const container = blobs.getContainerClient(name);
      await container.create();
      const cacheFolder = join(folder, name, 'blobs');
      const cache = createBlobCache({ container, folder: cacheFolder, maximumBytes: cacheBytes });
      await cache.start();
      const engine = createEngine({
        folder: join(folder, name),
        memoryMegabytes: 256,
        threads: 1,
        atOnce: 2,
        atOnceEach: 1,
        timeoutMs,
      });
      await engine.start();
      ending.push(engine.stop);
      const manifests = createManifests(container);
      const source = createReadingsSource({
        cache,
        landing: createLandingFiles({ container, freshMs: 0, livesFreshMs: 0, now }),
        curated: createCuratedListing({ manifests }),
      });
      const landing = createLandingStore(container);
      let generation = 0;
      return {
        container,
        cacheFolder,
        questions: createQuestions({ engine, source, now }),
        async land(arrivals) {
          const held = createHeldEvents();
          for (const { sequence, enqueuedAt, readings } of arrivals) {
            const builder = createFrameBuilder();
            for (const reading of readings) builder.add(reading);
            const event = {
              body: builder.take(),
              sequenceNumber: sequence,
              offset: String(sequence),
              enqueuedTimeUtc: new Date(enqueuedAt),
              properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
            } as unknown as ReceivedEventData;
            held.append(event, { frame: decodeFrame(event.body, event.properties) });
          }
          const encoded = encodeLanding(held, arrivals[0]!);
          await landing.create(encoded, new AbortController().signal);
        },
        async curate(tenantId, arrivals) {
          const connection = await writer.connect();
          try {
            await curate({ connection, container, folder, tenantId, arrivals, generation: ++generation });
          } finally {
            connection.closeSync();
          }
        },
      };
    },
    async stop() {
      for (const end of ending) await end();
      writer.closeSync();
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A reading with its place in the stream. */
export type PlacedReading = Reading &
  Pick<Arrival, 'incarnation' | 'partition' | 'sequence'> & { row: number };

/** Each identity once: the first in the order given. */
export function distinct(arrivals: readonly Arrival[]): PlacedReading[] {
  const seen = new Set<string>();
  return arrivals.flatMap(({ readings, incarnation, partition, sequence }) =>
    readings.flatMap((reading, row) => {
      const { undated, pointId, observedAt } = reading;
      const key =
        undated === undefined
          ? `${pointId} at ${observedAt}`
          : undated.messageId === null
            ? `${incarnation} ${partition} ${sequence} ${row}`
            : `${pointId} in ${undated.messageId} ${undated.messageIndex}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ ...reading, incarnation, partition, sequence, row }];
    }),
  );
}

async function curate({
  connection,
  container,
  folder,
  tenantId,
  arrivals,
  generation,
}: {
  connection: DuckDBConnection;
  container: ContainerClient;
  folder: string;
  tenantId: string;
  arrivals: readonly Arrival[];
  generation: number;
}): Promise<void> {
  const days = new Map<string, PlacedReading[]>();
  for (const reading of distinct(arrivals).filter((each) => each.tenantId === tenantId)) {
    const day = new Date(reading.observedAt).toISOString().slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), reading]);
  }
  const manifests = createManifests(container);
  const standing = await manifests.standing(tenantId);
  const periods = [];
  for (const [period, readings] of [...days].sort()) {
    const rows = readings.map((each) => ({
      tenant_id: each.tenantId,
      building_id: each.buildingId,
      quantity: quantityOfCode(each.quantity)!.name,
      point_id: each.pointId,
      observed_at: each.observedAt,
      value: each.value,
      space_id: each.spaceId,
      device_id: each.deviceId,
      received_at: each.receivedAt,
      enqueued_at: each.receivedAt,
      time_source: each.undated === undefined ? 'DEVICE' : 'GATEWAY',
      original_value: null,
      original_unit: null,
      message_id: each.undated?.messageId ?? null,
      message_index: each.undated?.messageIndex ?? null,
      incarnation: each.incarnation,
      stream_partition: each.partition,
      sequence: each.sequence,
      row: each.row,
    }));
    const local = join(folder, 'curated.parquet');
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(
      `COPY (SELECT * REPLACE (make_timestamptz(observed_at * 1000) AS observed_at,
          make_timestamptz(received_at * 1000) AS received_at, make_timestamptz(enqueued_at * 1000) AS enqueued_at)
        FROM (SELECT unnest(from_json($rows, '[{"tenant_id":"VARCHAR","building_id":"VARCHAR","quantity":"VARCHAR",
          "point_id":"VARCHAR","observed_at":"BIGINT","value":"DOUBLE","space_id":"VARCHAR","device_id":"VARCHAR",
          "received_at":"BIGINT","enqueued_at":"BIGINT","time_source":"VARCHAR","original_value":"DOUBLE",
          "original_unit":"VARCHAR","message_id":"VARCHAR","message_index":"INTEGER","incarnation":"VARCHAR",
          "stream_partition":"INTEGER","sequence":"BIGINT","row":"INTEGER"}]'), recursive := true))
        ORDER BY building_id, quantity, point_id, observed_at) TO '${local}' (FORMAT parquet, COMPRESSION zstd)`,
      { rows: JSON.stringify(rows) },
    );
    const generationAt = generationFolder({ tenantId, period, generation, token: 'test' });
    const name = partPath(generationAt, 0);
    const { etag, contentLength } = await container
      .getBlockBlobClient(name)
      .uploadFile(local)
      .then(() => container.getBlobClient(name).getProperties());
    const buildings = rows.map((row) => row.building_id).sort();
    const instants = rows.map((row) => row.observed_at).sort((a, b) => a - b);
    const file: CuratedFile = {
      name,
      etag: etag!,
      bytes: contentLength!,
      rows: rows.length,
      rowGroups: 1,
      firstBuilding: buildings[0]!,
      lastBuilding: buildings.at(-1)!,
      observedFrom: instants[0]!,
      observedTo: instants.at(-1)!,
    };
    const from = Date.parse(`${period}T00:00:00Z`);
    periods.push({
      period,
      from,
      to: from + 86_400_000,
      generation,
      folder: generationAt,
      rows: rows.length,
      bytes: file.bytes,
      files: [file],
    });
  }
  const positions = new Map<string, Arrival>();
  for (const arrival of arrivals) positions.set(`${arrival.incarnation}/${arrival.partition}`, arrival);
  const published = await manifests.publish(
    {
      schema: MANIFEST_SCHEMA,
      tenantId,
      version: generation,
      publishedAt: Date.now(),
      periods,
      positions: [...positions.values()].map(({ incarnation, partition, sequence }) => ({
        incarnation,
        partition,
        sequence,
        landed: 0,
        curated: 0,
        duplicates: 0,
        dropped: 0,
      })),
      retired: [],
    },
    standing.manifest?.etag ?? null,
  );
  if (published === null) throw new Error('another curator published');
  const root = await manifests.root();
  if (root === null) {
    await manifests.publishRoot(
      { schema: ROOT_SCHEMA, version: 1, publishedAt: Date.now(), positions: [] },
      null,
    );
  }
}
