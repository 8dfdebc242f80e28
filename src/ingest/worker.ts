import { type BlobServiceClient } from '@azure/storage-blob';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type NamespaceConnection } from '../stream/connection';
import { createPartitionConsumer } from '../stream/consumer';
import { createInTurn } from './in-turn';
import { createLandingChain, type FlushLimits, type KnownHoles, type LandingChain } from './landing-chain';
import { createLandingStore } from './landing-store';
import { createIngestMetrics } from './metrics';
import { retryUntil } from './retry';

export type { FlushLimits };

export interface IngestWorker {
  /** Resolves at once; connects, and where Event Hubs or Blob is away tries until they are there. See `readiness`. */
  start(): Promise<void>;
  /** Drains: lands what is held and checkpoints it, or hands it back to whoever comes next. */
  stop(): Promise<void>;
  readiness(): Readiness;
  /** Partitions owned now. */
  owned(): number[];
}

export const DEFAULT_FLUSH: FlushLimits = {
  rows: 250_000,
  bytes: 64 * 1024 * 1024,
  milliseconds: 60_000,
};

// A frame is at most 64 KB (a lone refused message can fill one of 260), and so many of them may wait in memory for each
// partition: more would cost more memory than the readings held for their files.
const PREFETCHED_EVENTS = 150;
const BATCH_EVENTS = 100;

/**
 * The cold worker: every event of the telemetry stream becomes rows of Parquet files in Blob Storage, exactly once. Blob
 * being slow or failing slows this worker alone: nobody else reads through its consumer group.
 */
export function createIngestWorker(options: {
  logger: Logger;
  metrics: Registry;
  namespace: NamespaceConnection;
  hub?: string;
  blobs: BlobServiceClient;
  /** The cold store's container. */
  container?: string;
  /** Stable for a worker slot, and held by one process at a time. */
  identifier: string;
  flush?: Partial<FlushLimits>;
}): IngestWorker {
  const { logger } = options;
  const flush = { ...DEFAULT_FLUSH, ...options.flush };
  const store = createLandingStore(options.blobs.getContainerClient(options.container ?? 'telemetry'));
  const chains = new Map<number, LandingChain>();
  const holes: KnownHoles = new Map();
  const encoding = createInTurn();
  const metrics = createIngestMetrics(options.metrics, () =>
    [...chains].map(([partition, chain]) => ({
      ...{ partition, enqueuedAt: chain.oldestHeldAt(), bytes: chain.heldBytes() },
    })),
  );

  const consumer = createPartitionConsumer({
    logger,
    namespace: options.namespace,
    hub: options.hub ?? 'telemetry',
    group: 'ingest',
    identifier: options.identifier,
    blobs: options.blobs,
    maxBatchSize: BATCH_EVENTS,
    prefetchCount: PREFETCHED_EVENTS,
    async open(owned) {
      const chain = createLandingChain({
        logger,
        metrics,
        owned,
        store,
        flush,
        holes,
        encoding,
        ownedPartitions: () => chains.size,
      });
      chains.set(owned.partition, chain);
      return {
        process: (events) => chain.process(events),
        async close() {
          await chain.close();
          if (chains.get(owned.partition) === chain) chains.delete(owned.partition);
        },
      };
    },
  });

  const stopping = new AbortController();
  let connecting: Promise<void> | undefined;
  let unconnected: string | null = 'not started';

  const connect = async (): Promise<void> => {
    const attempt = async (): Promise<void> => {
      await store.prepare();
      await consumer.start();
    };
    await retryUntil(stopping.signal, attempt, (error, attempts) => {
      unconnected = `cannot reach Event Hubs or Blob: ${explain(error)}`;
      logger.warn({ attempts, error: explain(error) }, 'waiting to connect');
    });
    unconnected = null;
    logger.info({ ...flush }, 'landing');
  };

  return {
    async start() {
      unconnected = 'connecting';
      connecting ??= connect().catch((error: unknown) => {
        if (!stopping.signal.aborted) throw error;
      });
    },
    async stop() {
      stopping.abort();
      await connecting;
      await consumer.stop();
    },
    readiness() {
      const troubles = [...chains.values()].flatMap((chain) => chain.trouble() ?? []);
      const reasons = unconnected === null ? troubles : [unconnected, ...troubles];
      return { ready: reasons.length === 0, reasons };
    },
    owned: () => consumer.owned(),
  };
}
