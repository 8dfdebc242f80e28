import { type BlobServiceClient } from '@azure/storage-blob';
import { type DirectoryScope } from '../auth/directory-scope';
import { createAcceptedCounts } from '../gateway/accepted-counts';
import { createDecoderRegistry, PAYLOAD_DECODERS } from '../gateway/decoders';
import { createPacker } from '../gateway/packer';
import { createStreamLink } from '../gateway/stream-link';
import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type Cosmos } from '../store/cosmos';
import { createReplayStore } from '../store/dead-letters/replayed';
import { createDeadLettersWriter } from '../store/dead-letters/writer';
import { createAcceptedWriter } from '../store/ingestion/accepted-writer';
import { type JobHandler } from '../store/jobs/handler';
import { type NamespaceConnection } from '../stream/connection';
import { createStreamProducer } from '../stream/producer';
import { type FloodLimits } from './flood-cap';
import { createDeadLettersMetrics } from './metrics';
import { createReplayHandler } from './replay-job';
import { createDeadLettersWorker } from './worker';

/** Replays are no device that waits: frames fill up. */
const LINGER_MS = 100;
const ACCEPTED_WITHIN_MS = 10_000;

export interface DeadLetters {
  /** Resolves at once and connects in the background. */
  start(): Promise<void>;
  /** Call it when no replay is under way any more. */
  stop(): Promise<void>;
  readiness(): Readiness;
  /** The handler of the jobs that judge dead letters again. */
  replay: JobHandler;
}

/** Everything about dead letters behind the stream: filed for their tenants, and judged again when they ask for it. */
export function createDeadLetters(options: {
  logger: Logger;
  metrics: Registry;
  namespace: NamespaceConnection;
  hub: string;
  /** Holds the checkpoints. */
  blobs: BlobServiceClient;
  cosmos: Cosmos;
  scope: DirectoryScope;
  /** Stable for a worker slot, and held by one process at a time. */
  identifier: string;
  limits?: Partial<FloodLimits>;
  keepSeconds?: number;
  /** Tenants of whom nothing is filed. */
  isErased?: (tenantId: string) => boolean;
}): DeadLetters {
  const { logger, namespace, hub, cosmos } = options;
  const metrics = createDeadLettersMetrics(options.metrics);
  const worker = createDeadLettersWorker({
    ...options,
    metrics,
    writer: createDeadLettersWriter({ cosmos }),
  });
  const producer = createStreamProducer({ namespace, hub });
  const link = createStreamLink({ producer, logger });
  const packer = createPacker({
    producer,
    lingerMilliseconds: LINGER_MS,
    acceptedWithinMilliseconds: ACCEPTED_WITHIN_MS,
    observer: { sent: () => undefined, failed: (error) => link.lost(error) },
  });
  const counts = createAcceptedCounts({
    logger,
    writer: createAcceptedWriter({ cosmos }),
    partitionCount: () => producer.partitionCount,
  });
  return {
    replay: createReplayHandler({
      store: createReplayStore({ cosmos, scope: options.scope }),
      decoders: createDecoderRegistry(PAYLOAD_DECODERS),
      packer,
      counts,
      connected: link.connected,
      metrics,
    }),
    async start() {
      link.start();
      counts.start();
      await worker.start();
    },
    async stop() {
      await worker.stop();
      await packer.drain();
      await counts.stop();
      link.stop();
      await producer.stop();
    },
    readiness() {
      const reasons = [...worker.readiness().reasons, ...link.readiness().reasons];
      return { ready: reasons.length === 0, reasons };
    },
  };
}
