import { Counter, Gauge, type Registry } from '../observability/metrics';
import { type BlobCache } from './blob-cache';
import { type Engine } from './engine';

/** Shows how the questions over the cold store fare. */
export function observeAnalytics(
  registry: Registry,
  { cache, engine }: { cache: Pick<BlobCache, 'counts'>; engine: Pick<Engine, 'counts'> },
): void {
  const registers = [registry];
  const gauge = (name: string, help: string, of: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(of());
      },
    });
  };
  const counter = (name: string, help: string, of: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(of());
      },
    });
  };
  gauge(
    'atrium_questions_running',
    'Questions over the cold store under way. Always at the limit: add a replica, or threads and memory.',
    () => engine.counts().running,
  );
  gauge(
    'atrium_questions_waiting',
    'Questions that wait for their turn. Growing: see atrium_questions_running, and who asks.',
    () => engine.counts().waiting,
  );
  gauge(
    'atrium_cold_cache_bytes',
    'Copies of cold files on the local disk. At the limit with many misses: raise COLD_CACHE_MEGABYTES.',
    () => cache.counts().bytes,
  );
  counter(
    'atrium_cold_cache_hits_total',
    'Files that a question found copied already.',
    () => cache.counts().hits,
  );
  counter(
    'atrium_cold_cache_misses_total',
    'Files that a question had to wait for. More than hits for long: raise COLD_CACHE_MEGABYTES.',
    () => cache.counts().misses,
  );
  counter(
    'atrium_cold_cache_downloaded_bytes_total',
    'Bytes that were copied from Blob.',
    () => cache.counts().downloadedBytes,
  );
}
