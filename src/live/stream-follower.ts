import { type EventHubConsumerClient, type ReceivedEventData, type Subscription } from '@azure/event-hubs';
import { explain, type Logger } from '../observability/logger';
import { createConsumerClient, type NamespaceConnection } from '../stream/connection';
import { createHubLives, type HubLife, withTimeout } from '../stream/hub-life';
import { incarnationOf } from '../stream/incarnation';

export interface StreamFollower {
  /** Throws when the hub cannot be reached. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Partitions of which something that was there at the beginning is still to be read; null before the start. */
  behind(): string[] | null;
}

const MAX_BATCH = 500;
const MAX_WAIT_SECONDS = 1;

/**
 * Reads every partition of a hub from some time ago on, without a checkpoint store: each replica reads all, and none of a
 * group pushes another out. When the hub is made again it begins anew, because positions of the old life mean nothing.
 */
export function createStreamFollower(options: {
  logger: Logger;
  namespace: NamespaceConnection;
  hub: string;
  group: string;
  lookBackMilliseconds: number;
  /** Must not throw. */
  take(event: ReceivedEventData, partition: string): void;
}): StreamFollower {
  const { logger, namespace, hub, group } = options;

  const begin = async (): Promise<Life> => {
    const client = createConsumerClient(namespace, { group, hub });
    try {
      const properties = await client.getEventHubProperties(withTimeout());
      // By partition that is not yet caught up: the last event there was at the beginning.
      const behind = new Map<string, number>();
      for (const partition of properties.partitionIds) {
        const { isEmpty, lastEnqueuedSequenceNumber } = await client.getPartitionProperties(
          partition,
          withTimeout(),
        );
        if (!isEmpty) behind.set(partition, Number(lastEnqueuedSequenceNumber));
      }
      return {
        client,
        behind,
        incarnation: incarnationOf(properties),
        subscription: subscribe(client, behind),
      };
    } catch (error) {
      await client.close();
      throw error;
    }
  };

  const subscribe = (client: EventHubConsumerClient, behind: Map<string, number>): Subscription =>
    client.subscribe(
      {
        async processEvents(events, context) {
          for (const event of events) options.take(event, context.partitionId);
          const last = events.at(-1);
          // Kept in memory by the SDK: a pump that broke goes on here instead of at the start position again.
          if (last !== undefined) await context.updateCheckpoint(last);
          const target = behind.get(context.partitionId);
          // Nothing to deliver also means caught up: all there was is older than we look back.
          if (target !== undefined && (last === undefined || Number(last.sequenceNumber) >= target)) {
            behind.delete(context.partitionId);
            if (behind.size === 0) logger.info({ hub, group }, 'caught up');
          }
        },
        async processError(error, context) {
          logger.warn(
            { hub, group, partition: context.partitionId, error: explain(error) },
            'stream interrupted',
          );
        },
      },
      {
        startPosition: { enqueuedOn: Date.now() - options.lookBackMilliseconds },
        maxBatchSize: MAX_BATCH,
        maxWaitTimeInSeconds: MAX_WAIT_SECONDS,
        skipParsingBodyAsJson: true,
      },
    );

  const end = async ({ subscription, client }: Life): Promise<void> => {
    await subscription.close();
    await client.close();
  };

  const lives = createHubLives({ logger, hub, group, begin, end });
  return {
    start: lives.start,
    stop: lives.stop,
    behind() {
      const life = lives.current();
      return life === undefined ? null : [...life.behind.keys()];
    },
  };
}

interface Life extends HubLife {
  subscription: Subscription;
  behind: Map<string, number>;
}
