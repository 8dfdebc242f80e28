import { type EventHubConsumerClient, type ReceivedEventData, type Subscription } from '@azure/event-hubs';
import { quantityNamed, type QuantityName } from '../domain/quantity';
import { type BuildingAverage } from '../domain/window';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { Counter, Gauge, type Registry as Metrics } from '../observability/metrics';
import { decodeAverages } from '../stream/averages';
import { createConsumerClient, type NamespaceConnection } from '../stream/connection';
import { FrameError } from '../stream/frame';
import { createLatestAverages } from './latest';
import { createListeners } from './listeners';

/** The latest value of each building and quantity, as the aggregate workers publish them. */
export interface LiveAverages {
  /** What is held for a building now, one value a quantity; empty where nothing was published lately. */
  latest(buildingId: string): BuildingAverage[];
  /**
   * Every change from now on, of one quantity or of all. A reader that is slower than the changes gets the latest value
   * of each quantity and misses those between: at most one value a quantity waits for it. Ends with `return()`.
   */
  changes(buildingId: string, quantity?: QuantityName): AsyncIterableIterator<BuildingAverage>;
}

export interface Live extends LiveAverages {
  /** Throws when the namespace cannot be reached. */
  start(): Promise<void>;
  /** Ends every `changes`. */
  stop(): Promise<void>;
  /** Ready once everything that was in the hub at the start has been taken in. */
  readiness(): Readiness;
}

/** How far back a replica reads at its start. What changed last before that is told from the stored record instead. */
const LOOK_BACK_MS = 90_000;
const MAX_BATCH = 500;
const MAX_WAIT_SECONDS = 1;

/** Follows the averages hub, every partition of it, and wakes only those who asked for what changed. */
export function createLive(options: {
  logger: Logger;
  metrics: Metrics;
  namespace: NamespaceConnection;
  hub: string;
  /** One of the hub's `live-` groups; five replicas may share one. */
  group: string;
}): Live {
  const { logger, namespace, hub, group } = options;
  const latest = createLatestAverages();
  const listeners = createListeners();
  const meters = createMeters(options.metrics, listeners.count);
  /** By partition that is not yet caught up: the last event there was at the start. */
  const behind = new Map<string, number>();
  let client: EventHubConsumerClient | undefined;
  let subscription: Subscription | undefined;

  const take = (event: ReceivedEventData, partition: string): void => {
    let values: BuildingAverage[];
    try {
      values = decodeAverages(event.body, event.properties);
    } catch (error) {
      // What cannot be read is one publisher's fault; the next value replaces it a second later.
      if (!(error instanceof FrameError)) throw error;
      meters.values.inc({ outcome: 'unreadable' });
      logger.warn(
        { partition, sequence: event.sequenceNumber, error: explain(error) },
        'unreadable averages',
      );
      return;
    }
    for (const value of values) {
      const taken = latest.take(value);
      meters.values.inc({ outcome: taken });
      if (taken === 'changed') listeners.tell(value);
    }
  };

  return {
    latest: latest.of,
    changes: (buildingId, quantity) =>
      listeners.listen(buildingId, quantity === undefined ? undefined : quantityNamed(quantity).code),
    async start() {
      // Without a checkpoint store every replica reads every partition, and no replica of a group pushes another out.
      client = createConsumerClient(namespace, { group, hub });
      for (const partition of await client.getPartitionIds()) {
        const { isEmpty, lastEnqueuedSequenceNumber } = await client.getPartitionProperties(partition);
        if (!isEmpty) behind.set(partition, Number(lastEnqueuedSequenceNumber));
      }
      subscription = client.subscribe(
        {
          async processEvents(events, context) {
            for (const event of events) take(event, context.partitionId);
            const last = events.at(-1);
            // Kept in memory by the SDK: a pump that broke goes on here instead of at the start position again.
            if (last !== undefined) await context.updateCheckpoint(last);
            const target = behind.get(context.partitionId);
            // Nothing to deliver also means caught up: all there was is older than we look back.
            if (target !== undefined && (last === undefined || Number(last.sequenceNumber) >= target)) {
              behind.delete(context.partitionId);
              if (behind.size === 0) logger.info({ group }, 'live averages caught up');
            }
          },
          async processError(error, context) {
            logger.warn(
              { group, partition: context.partitionId, error: explain(error) },
              'live averages interrupted',
            );
          },
        },
        {
          startPosition: { enqueuedOn: Date.now() - LOOK_BACK_MS },
          maxBatchSize: MAX_BATCH,
          maxWaitTimeInSeconds: MAX_WAIT_SECONDS,
          skipParsingBodyAsJson: true,
        },
      );
    },
    async stop() {
      listeners.close();
      await subscription?.close();
      await client?.close();
    },
    readiness() {
      if (subscription === undefined) return { ready: false, reasons: ['live averages are not started'] };
      const partitions = [...behind.keys()];
      return {
        ready: partitions.length === 0,
        reasons:
          partitions.length === 0
            ? []
            : [`live averages of partitions ${partitions.join(', ')} are being read`],
      };
    },
  };
}

function createMeters(registry: Metrics, listening: () => number) {
  new Gauge({
    name: 'atrium_live_listeners',
    help: 'Open subscriptions to live averages. A number that only grows means that clients are not noticed leaving.',
    registers: [registry],
    collect() {
      this.set(listening());
    },
  });
  return {
    values: new Counter({
      name: 'atrium_live_values_total',
      help: 'Values taken from the averages hub, by outcome. "unreadable" that grows means a publisher of a newer release: upgrade this one. "stale" that grows means two owners of a partition: look at the aggregate workers.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}
