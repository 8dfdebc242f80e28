import { type BlobServiceClient } from '@azure/storage-blob';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { type DeadLettersWriter } from '../store/dead-letters/writer';
import { type NamespaceConnection } from '../stream/connection';
import { createPartitionConsumer } from '../stream/consumer';
import { DEFAULT_FLOOD_LIMITS, type FloodLimits } from './flood-cap';
import { type DeadLettersMetrics } from './metrics';
import { createDeadLettersPartition } from './partition';

export interface DeadLettersWorker {
  /** Resolves at once; connects, and where Event Hubs or Blob is away tries until they are there. See `readiness`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readiness(): Readiness;
}

const KEEP_SECONDS = 30 * 86_400;
const RETRY_MS = 1_000;
/** A frame has up to 64 KB, a lone refused message 256: so many may wait in memory for each partition. */
const PREFETCHED_EVENTS = 40;
const BATCH_EVENTS = 40;

/**
 * Files what the gateways refused where its tenants can ask for it. A consumer of the telemetry stream of its own: slow,
 * stopped or without Cosmos it delays nobody else, and goes on behind its checkpoint.
 */
export function createDeadLettersWorker(options: {
  logger: Logger;
  metrics: DeadLettersMetrics;
  namespace: NamespaceConnection;
  hub?: string;
  /** Holds the checkpoints. */
  blobs: BlobServiceClient;
  writer: DeadLettersWriter;
  /** Stable for a worker slot, and held by one process at a time. */
  identifier: string;
  limits?: Partial<FloodLimits>;
  /** How long a letter can be asked for. Default 30 days. */
  keepSeconds?: number;
  /** Tenants of whom nothing is filed. */
  isErased?: (tenantId: string) => boolean;
}): DeadLettersWorker {
  const { logger, metrics, writer, keepSeconds = KEEP_SECONDS } = options;
  const limits = { ...DEFAULT_FLOOD_LIMITS, ...options.limits };
  const troubles = new Map<number, () => string | null>();
  const consumer = createPartitionConsumer({
    logger,
    namespace: options.namespace,
    hub: options.hub ?? 'telemetry',
    group: 'dead-letters',
    identifier: options.identifier,
    blobs: options.blobs,
    maxBatchSize: BATCH_EVENTS,
    prefetchCount: PREFETCHED_EVENTS,
    open(owned) {
      const partition = createDeadLettersPartition({
        logger,
        metrics,
        owned,
        writer,
        limits,
        ttlSeconds: keepSeconds,
        ...(options.isErased && { isErased: options.isErased }),
      });
      troubles.set(owned.partition, partition.trouble);
      return Promise.resolve(partition);
    },
  });
  const stopping = new AbortController();
  let connecting: Promise<void> | undefined;
  let unconnected: string | null = 'the dead letters’ consumer has not started';

  const connect = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await consumer.start();
        unconnected = null;
        return;
      } catch (error) {
        unconnected = `the dead letters’ consumer cannot reach Event Hubs or Blob: ${explain(error)}`;
        logger.warn({ error: explain(error) }, 'waiting to connect');
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, RETRY_MS);
          stopping.signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
        });
      }
    }
  };

  return {
    async start() {
      connecting ??= connect();
      await Promise.resolve();
    },
    async stop() {
      stopping.abort();
      await connecting;
      await consumer.stop();
    },
    readiness() {
      const reasons = [...troubles.values()].flatMap((trouble) => trouble() ?? []);
      if (unconnected !== null) reasons.unshift(unconnected);
      return { ready: reasons.length === 0, reasons };
    },
  };
}
