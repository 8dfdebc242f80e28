import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ContainerClient } from '@azure/storage-blob';
import { type Registry as Metrics } from '../observability/metrics';
import { tenantFolder } from '../store/curated-path';
import { type ErasedTenants } from '../store/erasure/erased-tenants';
import { createManifests } from '../store/manifests';
import { type RecentTail } from '../store/recent-tail';
import { type BlobCache, createBlobCache } from './blob-cache';
import { createCuratedListing } from './curated-listing';
import { createEngine } from './engine';
import { createReadingsFiles, type ReadingsFiles } from './exports/files';
import { createKeptExcursions } from './kept-excursions';
import { createLandingFiles } from './landing-files';
import { observeAnalytics } from './metrics';
import { createQuestions, type Questions } from './questions';
import { createReadingsSource } from './readings-source';

export interface AnalyticsOptions {
  /** The cold store's. */
  container: ContainerClient;
  /** Joined to what has landed; left out, what is answered is up to a minute behind. */
  recent?: RecentTail;
  /** Of this process alone; left out, a temporary one that goes with the process. */
  folder?: string | undefined;
  cacheMegabytes: number;
  memoryMegabytes: number;
  threads: number;
  /** Longest time of a question. */
  seconds: number;
  metrics?: Metrics;
  /** Whose copies are removed. */
  erased?: Pick<ErasedTenants, 'onChange'>;
}

/** Questions over stored readings. */
export interface Analytics {
  questions: Questions;
  /** The same readings as files. */
  files: Pick<ReadingsFiles, 'write'>;
  /** What the copies of cold files were good for since the start. */
  cacheCounts: BlobCache['counts'];
  start(): Promise<void>;
  /** Breaks off what is under way. */
  stop(): Promise<void>;
}

const AT_ONCE = 2;
const AT_ONCE_EACH = 1;
const COPIES = 'blobs';
/** How far the clock of whoever erases may be from ours: copies that are removed for nothing are made again. */
const CLOCKS_MS = 300_000;

export function createAnalytics(options: AnalyticsOptions): Analytics {
  let begun:
    | { questions: Questions; files: ReadingsFiles; counts: BlobCache['counts']; stop: () => Promise<void> }
    | undefined;
  const started = () => {
    if (begun === undefined) throw new Error('questions are asked before the start');
    return begun;
  };
  const theirs = (): Questions => started().questions;
  return {
    questions: {
      readings: (...asked) => theirs().readings(...asked),
      history: (...asked) => theirs().history(...asked),
      excursions: (...asked) => theirs().excursions(...asked),
    },
    files: { write: (...asked) => started().files.write(...asked) },
    cacheCounts: () => started().counts(),
    async start() {
      const { container, memoryMegabytes, threads } = options;
      // DuckDB compares what it may open by whole paths.
      const folder = resolve(options.folder ?? (await mkdtemp(join(tmpdir(), 'atrium-questions-'))));
      const cache = createBlobCache({
        container,
        folder: join(folder, COPIES),
        maximumBytes: options.cacheMegabytes * 1_000_000,
      });
      const engine = createEngine({
        folder,
        memoryMegabytes,
        threads,
        atOnce: AT_ONCE,
        atOnceEach: AT_ONCE_EACH,
        timeoutMs: options.seconds * 1_000,
      });
      await cache.start();
      await engine.start();
      if (options.metrics) observeAnalytics(options.metrics, { cache, engine });
      const landing = createLandingFiles({ container });
      const curated = createCuratedListing({ manifests: createManifests(container) });
      const source = createReadingsSource({ cache, landing, curated, recent: options.recent });
      const kept = createKeptExcursions();
      // Told at the tombstone and again as files are rewritten: landing files hold every tenant's rows.
      const endEvicting = options.erased?.onChange(({ tenantId, changedAt }) => {
        curated.forget(tenantId);
        landing.forget();
        kept.clear();
        for (const prefix of [tenantFolder(tenantId), 'landing/']) {
          void cache.evict(prefix, changedAt + CLOCKS_MS).catch(() => undefined);
        }
      });
      const files = createReadingsFiles({ engine, source, folder });
      await files.start();
      begun = {
        questions: createQuestions({ engine, source, kept }),
        files,
        counts: cache.counts,
        async stop() {
          endEvicting?.();
          await engine.stop();
          await cache.stop();
          if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
        },
      };
    },
    async stop() {
      await begun?.stop();
      begun = undefined;
    },
  };
}
