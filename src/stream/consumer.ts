import {
  type CheckpointStore,
  earliestEventPosition,
  type EventHubConsumerClient,
  type EventPosition,
  type PartitionContext,
  type ReceivedEventData,
  type Subscription,
} from '@azure/event-hubs';
import { BlobCheckpointStore } from '@azure/eventhubs-checkpointstore-blob';
import { type BlobServiceClient } from '@azure/storage-blob';
import { explain, type Logger } from '../observability/logger';
import { createConsumerClient, type NamespaceConnection } from './connection';
import { createHubLives, type HubLife, withTimeout } from './hub-life';
import { checkpointContainerName, incarnationOf } from './incarnation';
import { createPartitionSession, type PartitionSession } from './partition-session';

/** The hub and one of its partitions, as they are at this moment. */
export interface PartitionNow {
  incarnation: string;
  /** When the hub's present life began, milliseconds since 1970. */
  hubCreatedAt: number;
  /** Sequence of the oldest event that is kept; 0 in a partition that never held one. */
  firstSequence: number;
  /** -1 when nothing was ever enqueued. */
  lastEnqueuedSequence: number;
}

/** What a checkpoint takes of an event, so that nobody need keep its body for that. */
export type CheckpointEvent = Pick<ReceivedEventData, 'sequenceNumber' | 'offset'>;

/** What a worker is told of the partition it was given. */
export interface OwnedPartition {
  partition: number;
  incarnation: string;
  /** Last sequence number that was enqueued when the partition was taken; -1 when it is empty. */
  lastEnqueuedSequence: number;
  /** Sequence of the checkpoint behind which reading began (or of a later one); -1 when there is none. */
  checkpointedSequence: number;
  /** Aborted when ownership ends. A `process` in flight then returns as soon as it can; `close` follows. */
  ended: AbortSignal;
  /**
   * Stores that every event up to and with this one has had its effect. The caller moves it only over the contiguous
   * prefix whose effects are stored; after a crash the events behind it are delivered again.
   */
  checkpoint(event: CheckpointEvent): Promise<void>;
  /**
   * Asks Event Hubs. Events received before an answer that names this partition's incarnation belong to it: a hub that
   * is made again while a worker reads could otherwise pass its first events off as the old hub's next ones.
   */
  now(): Promise<PartitionNow>;
}

/** A worker's state for one partition, from the moment it is owned until it is lost or the process drains. */
export interface PartitionProcessor {
  /**
   * Takes a batch, in stream order; also called with none when there is nothing new, which says that the partition is
   * caught up. Bad data is a value here, never an exception: what throws is a broken environment, after which the
   * partition is closed and opened again behind its checkpoint.
   */
  process(events: ReceivedEventData[]): Promise<void>;
  /**
   * Ownership ended: finish or hand back. Never called while a `process` is in flight. Not to be waited for longer than
   * the drain deadline.
   */
  close(): Promise<void>;
}

export interface PartitionConsumer {
  /** Throws when the hub or the checkpoint store cannot be reached; it may then be called again. */
  start(): Promise<void>;
  /** Drains: closes every processor, gives the partitions up, disconnects. */
  stop(): Promise<void>;
  /** Partitions owned now. */
  owned(): number[];
}

const MAX_BATCH = 500;
const MAX_WAIT_SECONDS = 1;

/**
 * Shares a hub's partitions among the workers of a consumer group and runs a processor for each owned one. The
 * checkpoint store is a blob container of the hub's incarnation; when the hub is made again, every partition is closed
 * and reading begins anew in the new incarnation.
 */
export function createPartitionConsumer(options: {
  logger: Logger;
  namespace: NamespaceConnection;
  hub: string;
  group: string;
  /** Stable for a worker slot, and held by one process at a time. */
  identifier: string;
  blobs: BlobServiceClient;
  /** Where a partition without a checkpoint begins; the oldest event kept when left out. */
  startPosition?: EventPosition;
  maxBatchSize?: number;
  /** After so long without a word from its owner a partition is another's to take. Default 10,000. */
  ownershipExpiresMs?: number;
  /** After so long without an event `process` is called with none. Default 1. */
  maxWaitSeconds?: number;
  /** Events that may wait in memory for each partition; three batches when left out. */
  prefetchCount?: number;
  /**
   * Positions from which a processor can go on although its checkpoint is earlier, by partition: reading begins behind
   * the later of the two. Where it throws, it begins behind the checkpoint.
   */
  positions?: (incarnation: string) => Promise<ReadonlyMap<number, CheckpointEvent>>;
  open(partition: OwnedPartition): Promise<PartitionProcessor>;
}): PartitionConsumer {
  const { logger, namespace, hub, group } = options;

  const onUnknown = (error: unknown): void =>
    logger.warn({ group, error: explain(error) }, 'no position but the checkpoint is known');

  const begin = async (): Promise<Life> => {
    const probe = createConsumerClient(namespace, { group, hub });
    let incarnation: string;
    try {
      incarnation = incarnationOf(await probe.getEventHubProperties(withTimeout()));
    } finally {
      // Nothing waits for its good-bye.
      void probe.close().catch(() => undefined);
    }
    const container = options.blobs.getContainerClient(checkpointContainerName(hub, incarnation));
    await container.createIfNotExists();
    const checkpointStore = new BlobCheckpointStore(container);
    const client = createConsumerClient(namespace, {
      group,
      hub,
      identifier: options.identifier,
      ...(options.ownershipExpiresMs !== undefined && { ownershipExpiresMs: options.ownershipExpiresMs }),
      checkpointStore: listingOnce(
        options.positions
          ? startingLater(checkpointStore, () => options.positions!(incarnation), onUnknown)
          : checkpointStore,
      ),
    });
    await releaseOwn(checkpointStore, client, group, options.identifier);
    // By context, which is one a pump: a pump that failed may still be closing while the next one begins.
    const sessions = new Map<PartitionContext, PartitionSession>();
    const closing = new Map<string, Promise<void>>();
    const openPartition = async (context: PartitionContext, ended: AbortSignal) => {
      const lookUp = async (): Promise<PartitionNow> => {
        const [properties, partition] = await Promise.all([
          client.getEventHubProperties(withTimeout()),
          client.getPartitionProperties(context.partitionId, withTimeout()),
        ]);
        return {
          incarnation: incarnationOf(properties),
          hubCreatedAt: properties.createdOn.getTime(),
          firstSequence: Math.max(0, Number(partition.beginningSequenceNumber)),
          lastEnqueuedSequence: Number(partition.lastEnqueuedSequenceNumber),
        };
      };
      const [checkpoints, { lastEnqueuedSequence }] = await Promise.all([
        checkpointStore.listCheckpoints(
          context.fullyQualifiedNamespace,
          context.eventHubName,
          context.consumerGroup,
        ),
        lookUp(),
      ]);
      const checkpoint = checkpoints.find(({ partitionId }) => partitionId === context.partitionId);
      return options.open({
        partition: Number(context.partitionId),
        incarnation,
        lastEnqueuedSequence,
        checkpointedSequence: Number(checkpoint?.sequenceNumber ?? -1),
        ended,
        checkpoint: (event) => context.updateCheckpoint(event as ReceivedEventData),
        now: lookUp,
      });
    };
    const subscription = client.subscribe(
      {
        async processInitialize(context) {
          logger.info({ group, partition: context.partitionId }, 'partition taken');
          const session = createPartitionSession(async (ended) => {
            for (const [other, earlier] of sessions) {
              if (other !== context && other.partitionId === context.partitionId) await earlier.close();
            }
            await closing.get(context.partitionId)?.catch(() => undefined);
            return openPartition(context, ended);
          });
          sessions.set(context, session);
        },
        async processEvents(events, context) {
          await sessions.get(context)?.process(events);
        },
        async processError(error, context) {
          logger.warn({ group, partition: context.partitionId, error: explain(error) }, 'stream error');
        },
        async processClose(reason, context) {
          const session = sessions.get(context);
          if (session === undefined) return;
          sessions.delete(context);
          logger.info({ group, partition: context.partitionId, reason }, 'partition given up');
          const closed = session.close();
          closing.set(context.partitionId, closed);
          await closed;
        },
      },
      {
        startPosition: options.startPosition ?? earliestEventPosition,
        maxBatchSize: options.maxBatchSize ?? MAX_BATCH,
        maxWaitTimeInSeconds: options.maxWaitSeconds ?? MAX_WAIT_SECONDS,
        skipParsingBodyAsJson: true,
        ...(options.prefetchCount === undefined ? {} : { prefetchCount: options.prefetchCount }),
      },
    );
    return { incarnation, client, subscription, sessions };
  };

  const end = async ({ subscription, sessions, client }: Life): Promise<void> => {
    try {
      await subscription.close();
    } catch (error) {
      // The checkpoint store is away: our claims expire, or our successor under this identifier releases them.
      logger.warn({ group, error: explain(error) }, 'the partitions could not be given up');
    }
    for (const session of sessions.values()) await session.close();
    sessions.clear();
    await client.close();
  };

  const lives = createHubLives({ logger, hub, group, begin, end });
  return {
    start: lives.start,
    stop: lives.stop,
    owned: () =>
      [...(lives.current()?.sessions ?? [])]
        .filter(([, session]) => session.isOpen())
        .map(([context]) => Number(context.partitionId)),
  };
}

/**
 * Lists checkpoints once each time that partitions are shared out, which the SDK begins by listing who owns what; it asks
 * for all of them again for each partition that it takes, one after another.
 */
function listingOnce(store: CheckpointStore): CheckpointStore {
  let listed: ReturnType<CheckpointStore['listCheckpoints']> | undefined;
  return {
    listOwnership(...args) {
      listed = undefined;
      return store.listOwnership(...args);
    },
    claimOwnership: (...args) => store.claimOwnership(...args),
    updateCheckpoint: (...args) => store.updateCheckpoint(...args),
    listCheckpoints(...args) {
      const list = (listed ??= store.listCheckpoints(...args));
      list.catch(() => {
        if (listed === list) listed = undefined;
      });
      return list;
    },
  };
}

/** The same checkpoints, but those that are earlier than a position are told as that position. */
function startingLater(
  store: CheckpointStore,
  positions: () => Promise<ReadonlyMap<number, CheckpointEvent>>,
  onUnknown: (error: unknown) => void,
): CheckpointStore {
  return {
    listOwnership: (...args) => store.listOwnership(...args),
    claimOwnership: (...args) => store.claimOwnership(...args),
    updateCheckpoint: (...args) => store.updateCheckpoint(...args),
    async listCheckpoints(fullyQualifiedNamespace, eventHubName, consumerGroup, options) {
      const stored = await store.listCheckpoints(
        fullyQualifiedNamespace,
        eventHubName,
        consumerGroup,
        options,
      );
      const later = await positions().catch((error: unknown) => {
        onUnknown(error);
        return new Map<number, CheckpointEvent>();
      });
      const byPartition = new Map(stored.map((each) => [each.partitionId, each]));
      for (const [partition, { sequenceNumber, offset }] of later) {
        const partitionId = String(partition);
        const checkpoint = byPartition.get(partitionId);
        if (checkpoint !== undefined && Number(checkpoint.sequenceNumber) >= sequenceNumber) continue;
        byPartition.set(partitionId, {
          fullyQualifiedNamespace,
          eventHubName,
          consumerGroup,
          partitionId,
          offset,
          sequenceNumber,
        });
      }
      return [...byPartition.values()];
    },
  };
}

interface Life extends HubLife {
  subscription: Subscription;
  sessions: Map<PartitionContext, PartitionSession>;
}

/**
 * Frees what our own dead predecessor still holds. The SDK's balancer counts a partition under our identifier as ours
 * and so never claims it: a worker that was killed would wait for its own claims to expire.
 */
async function releaseOwn(
  store: BlobCheckpointStore,
  client: EventHubConsumerClient,
  group: string,
  identifier: string,
): Promise<void> {
  const ownerships = await store.listOwnership(client.fullyQualifiedNamespace, client.eventHubName, group);
  const own = ownerships.filter(({ ownerId }) => ownerId === identifier);
  if (own.length > 0) await store.claimOwnership(own.map((each) => ({ ...each, ownerId: '' })));
}
