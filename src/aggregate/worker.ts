import { setImmediate } from 'node:timers/promises';
import { type BlobServiceClient } from '@azure/storage-blob';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { type Registry } from '../observability/metrics';
import { type AlertRules } from '../store/alert-rules';
import { type AlertsStore } from '../store/alerts-store';
import { type AveragesWriter } from '../store/averages';
import { type BuildingInventory } from '../store/building-inventory';
import { type BuildingCounts } from '../store/building-counts';
import { type SpaceTree } from '../store/space-tree';
import {
  averagesWithout,
  type IsErased,
  recentWithout,
  rulesWithout,
  snapshotWithout,
} from './without-erased';
import { type NamespaceConnection } from '../stream/connection';
import { createPartitionConsumer } from '../stream/consumer';
import { createStreamProducer } from '../stream/producer';
import { checkpointContainerName } from '../stream/incarnation';
import { createAlertMetrics } from './alerts/metrics';
import { createPlatformAlert } from './alerts/platform-alert';
import { horizonsFor } from './horizons';
import { createAggregateMetrics } from './metrics';
import { type AggregatePartition, createAggregatePartition } from './partition';
import { type RecentStore } from './recent/recent';
import { createSnapshots } from './snapshots';

export interface AggregateWorker {
  /** Connects and takes partitions. Throws when the namespace or the blob account cannot be reached. */
  start(): Promise<void>;
  /** Stores what is computed, gives the partitions up, disconnects. */
  stop(): Promise<void>;
  /** Ready when every owned partition tells live values. */
  readiness(): Readiness;
}

/** Just after the second, so that what the clock says has certainly begun. */
const AFTER_THE_SECOND_MS = 5;

/**
 * The warm worker: consumes the telemetry stream, keeps the rolling average of every building and quantity, tells what
 * changed on the averages stream once a second and stores a point a minute.
 */
export function createAggregateWorker(options: {
  logger: Logger;
  metrics: Registry;
  namespace: NamespaceConnection;
  /** Holds the checkpoints. */
  blobs: BlobServiceClient;
  /** Stable for a worker slot, so that a restarted worker takes its own partitions back at once. */
  identifier: string;
  /** Started and stopped by the caller. */
  counts: BuildingCounts;
  /** Where spaces lie. Left out, each lies directly in its building. */
  tree?: SpaceTree;
  averages: AveragesWriter;
  /** Left out, nothing is stored of single readings, and late ones correct nothing. */
  recent?: RecentStore;
  /** What rules are followed by; started and stopped by the caller. Left out, nothing is raised. */
  alerts?: {
    rules: AlertRules;
    inventory: BuildingInventory;
    store: AlertsStore;
    /** How long an alert is kept after it was cleared, and each of its events. */
    keepSeconds: number;
  };
  /** Readings that come at most this late are counted at once; later ones, up to 48 h, correct the record. */
  allowedLatenessMs?: number;
  telemetryHub?: string;
  averagesHub?: string;
  group?: string;
  /** Minute points of one partition that may wait for Cosmos. */
  maximumPointsWaiting?: number;
  /** Writes to Cosmos at once, by partition. */
  writesAtOnce?: number;
  /** How often each partition's state is stored. Default 30,000. */
  snapshotEveryMs?: number;
  /**
   * How often it is looked for what is due; a divisor of 1,000, which is the default. Values are told once a second however
   * often that is: more serves a clock that leaps.
   */
  tickEveryMs?: number;
  /** After so long without an event the stream counts as heard to its end. Default 1. */
  heardAfterSeconds?: number;
  /** Milliseconds since 1970. */
  /** Tenants of whom nothing is counted, stored or kept any more. */
  isErased?: IsErased;
  now?: () => number;
}): AggregateWorker {
  const { logger, namespace, counts, isErased = () => false, now = Date.now } = options;
  const averages = averagesWithout(options.averages, isErased);
  const recent = options.recent && recentWithout(options.recent, isErased);
  const metrics = createAggregateMetrics(options.metrics);
  const alertMetrics = options.alerts && createAlertMetrics(options.metrics);
  const horizons = horizonsFor(options.allowedLatenessMs ?? 300_000);
  const producer = createStreamProducer({ namespace, hub: options.averagesHub ?? 'averages' });
  const partitions = new Set<AggregatePartition>();
  const snapshotTurn = { taken: false };
  const platformAlert =
    options.alerts &&
    createPlatformAlert({ logger, metrics: alertMetrics!, rules: options.alerts.rules, now });
  const alerts = options.alerts && {
    ...options.alerts,
    rules: rulesWithout(options.alerts.rules, isErased),
    metrics: alertMetrics!,
    gatewaysHeard: () => !platformAlert!.raised(),
  };
  let started = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const hub = options.telemetryHub ?? 'telemetry';
  const group = options.group ?? 'aggregate';
  const snapshots = createSnapshots({
    logger,
    metrics,
    blobs: options.blobs,
    containerOf: (incarnation) => checkpointContainerName(hub, incarnation),
    folder: `snapshots/${group}`,
  });

  const consumer = createPartitionConsumer({
    logger,
    namespace,
    hub,
    group,
    identifier: options.identifier,
    blobs: options.blobs,
    positions: snapshots.positions,
    ...(options.heardAfterSeconds !== undefined && { maxWaitSeconds: options.heardAfterSeconds }),
    open: async (owned) => {
      const stored = await snapshots.restore(owned);
      const restored = stored && snapshotWithout(stored, isErased);
      const partition = createAggregatePartition({
        logger,
        metrics,
        owned,
        horizons,
        expected: (buildingId, quantity) => counts.devicesExpected(buildingId, quantity),
        ...(options.tree && { tree: options.tree }),
        averages,
        ...(recent && { recent }),
        isErased,
        producer,
        maximumPoints: options.maximumPointsWaiting ?? 100_000,
        writesAtOnce: options.writesAtOnce ?? 2,
        ...(restored && { restored }),
        snapshotTurn,
        ...(alerts && { alerts }),
        storeSnapshot: (position, body) => snapshots.store(owned, position, body),
        ...(options.snapshotEveryMs !== undefined && { snapshotEveryMs: options.snapshotEveryMs }),
        now,
      });
      await partition.open();
      partitions.add(partition);
      return {
        process: (events) => partition.process(events),
        async close() {
          // A partition that was lost tells nothing more, whatever is still being stored.
          partitions.delete(partition);
          await partition.close();
        },
      };
    },
  });

  options.tree?.onLearned((buildingId) => {
    for (const partition of partitions) partition.regroup(buildingId);
  });

  /** A partition a turn: what comes in meanwhile waits for one of them and not for all. */
  const tick = async (): Promise<void> => {
    platformAlert?.look();
    for (const partition of partitions) {
      try {
        partition.tick();
      } catch (error) {
        logger.error({ partition: partition.partition, error: explain(error) }, 'tick failed');
      }
      await setImmediate();
    }
    if (!stopped) schedule();
  };
  const schedule = (): void => {
    const every = options.tickEveryMs ?? 1000;
    const wait = every - (now() % every) + AFTER_THE_SECOND_MS;
    timer = setTimeout(() => void tick(), wait);
  };

  return {
    async start() {
      // Together: whoever comes back after a crash is waited for.
      const consuming = consumer.start();
      try {
        await Promise.all([consuming, producer.start()]);
      } catch (error) {
        await consuming.then(consumer.stop, () => undefined);
        throw error;
      }
      started = true;
      schedule();
    },
    async stop() {
      started = false;
      await consumer.stop();
      stopped = true;
      clearTimeout(timer);
      await producer.stop();
    },
    readiness() {
      if (!started) return { ready: false, reasons: ['the worker is not started'] };
      const reasons = [...partitions].flatMap((partition) => partition.silentBecause() ?? []);
      return { ready: reasons.length === 0, reasons };
    },
  };
}
