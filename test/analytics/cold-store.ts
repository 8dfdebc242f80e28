import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ReceivedEventData } from '@azure/event-hubs';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createBlobCache } from '../../src/analytics/blob-cache';
import { createCurator } from '../../src/analytics/curation/curator';
import { createCuratedListing } from '../../src/analytics/curated-listing';
import { createEngine } from '../../src/analytics/engine';
import { createReadingsFiles, type ReadingsFiles } from '../../src/analytics/exports/files';
import { type KeptExcursions } from '../../src/analytics/kept-excursions';
import { createLandingFiles } from '../../src/analytics/landing-files';
import { createQuestions, type Questions } from '../../src/analytics/questions';
import { createReadingsSource } from '../../src/analytics/readings-source';
import { type Reading } from '../../src/domain/reading';
import { createHeldEvents } from '../../src/ingest/held-events';
import { encodeLanding } from '../../src/ingest/landing-file';
import { createLandingStore } from '../../src/ingest/landing-store';
import { createLogger } from '../../src/observability/logger';
import { createManifests } from '../../src/store/manifests';
import { type RecentTail } from '../../src/store/recent-tail';
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
  blobs: BlobServiceClient;
  questions: Questions;
  files: ReadingsFiles;
  /** Writes one landing file of successive events, as the ingest worker does. */
  land(arrivals: readonly Arrival[]): Promise<void>;
  /** Curates what was landed, in periods of days or of months, so many rows a file. */
  curate(options?: { months?: boolean; fileRows?: number }): Promise<void>;
  cacheFolder: string;
}

export interface ColdStores {
  /** An empty one. */
  next(options?: {
    now?: () => number;
    cacheBytes?: number;
    timeoutMs?: number;
    /** What is joined to it; left out, it is a cold store alone. */
    recent?: RecentTail;
    /** Where pages behind the first are kept. */
    kept?: KeptExcursions;
  }): Promise<ColdStore>;
  stop(): Promise<void>;
}

/** Blob's stand-in on a free port; each store has a container and a cache of its own. */
export async function startColdStores(): Promise<ColdStores> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-analytics-'));
  const emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const { connectionString } = await emulator.start();
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const ending: (() => Promise<void>)[] = [];
  let stores = 0;

  return {
    async next({ now = Date.now, cacheBytes = 200_000_000, timeoutMs = 20_000, recent, kept } = {}) {
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
        recent,
        now,
      });
      const landing = createLandingStore(container);
      const files = createReadingsFiles({ engine, source, folder: join(folder, name) });
      await files.start();
      return {
        container,
        blobs,
        cacheFolder,
        files,
        questions: createQuestions({ engine, source, now, ...(kept && { kept }) }),
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
          const encoded = await encodeLanding(held, arrivals[0]!);
          await landing.create(encoded, new AbortController().signal);
        },
        async curate({ months = false, fileRows = 1_000_000 } = {}) {
          const monthBytes = months ? 1_000_000_000 : 0;
          const logger = createLogger({ name: 'test', level: 'silent' });
          const curator = createCurator({ logger, container, monthBytes, fileRows });
          await curator.curate(new AbortController().signal);
        },
      };
    },
    async stop() {
      for (const end of ending) await end();
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A reading with its place in the stream. */
export type PlacedReading = Reading &
  Pick<Arrival, 'incarnation' | 'partition' | 'sequence'> & { row: number };

/** Each identity once: the first in the order given. That of a message without a time is of a day of UTC. */
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
            : `${pointId} in ${undated.messageId} ${undated.messageIndex} ${Math.floor(observedAt / 86_400_000)}`;
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ ...reading, incarnation, partition, sequence, row }];
    }),
  );
}
