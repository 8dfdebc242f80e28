import {
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
import { checkpointContainerName, incarnationOf } from './incarnation';

/** What a checkpoint needs of an event, so that nobody has to hold on to its body. */
export type CheckpointEvent = Pick<ReceivedEventData, 'sequenceNumber' | 'offset'>;

/** What a worker is told of the partition it was given. */
export interface OwnedPartition {
  partition: number;
  incarnation: string;
  /** Last sequence number that was enqueued when the partition was taken; -1 when it is empty. */
  lastEnqueuedSequence: number;
  /**
   * Stores that every event up to and with this one has had its effect. The caller moves it only over the contiguous
   * prefix whose effects are stored; after a crash the events behind it are delivered again.
   */
  checkpoint(event: CheckpointEvent): Promise<void>;
}

/** A worker's state for one partition, from the moment it is owned until it is lost or the process drains. */
export interface PartitionProcessor {
  /**
   * Takes a batch, in stream order; also called with none when nothing came for a second, which is no proof that the
   * partition is caught up: at the opening the hub may only be slow to answer. Events may come twice after a reconnect.
   * Bad data is a value here, never an exception: what throws is a broken environment, after which the partition is
   * closed and opened again behind its checkpoint.
   */
  process(events: ReceivedEventData[]): Promise<void>;
  /**
   * Ownership ended: finish or hand back. Called after `process` has returned, and before the partition is opened again.
   * Not to be waited for longer than the drain deadline.
   */
  close(): Promise<void>;
}

export interface PartitionConsumer {
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
 * checkpoint store is a blob container of the hub's incarnation.
 */
export function createPartitionConsumer(options: {
  logger: Logger;
  namespace: NamespaceConnection;
  hub: string;
  group: string;
  /** Stable for a worker slot. */
  identifier: string;
  blobs: BlobServiceClient;
  /** Where a partition without a checkpoint begins; the oldest event kept when left out. */
  startPosition?: EventPosition;
  maxBatchSize?: number;
  open(partition: OwnedPartition): Promise<PartitionProcessor>;
}): PartitionConsumer {
  const { logger, namespace, hub, group } = options;
  let client: EventHubConsumerClient | undefined;
  let subscription: Subscription | undefined;
  let incarnation = '';
  const processors = new Map<string, PartitionProcessor>();
  const tails = new Map<string, Promise<unknown>>();

  /**
   * Opening, processing and closing of one partition never overlap, though the client closes a partition while a batch is
   * in hand: a processor that was still opening would otherwise outlive its ownership.
   */
  const inTurn = (partitionId: string, step: () => Promise<void>): Promise<void> => {
    const turn = (tails.get(partitionId) ?? Promise.resolve()).then(step);
    tails.set(
      partitionId,
      turn.catch(() => undefined),
    );
    return turn;
  };

  const openPartition = async (context: PartitionContext): Promise<PartitionProcessor> => {
    const { lastEnqueuedSequenceNumber } = await client!.getPartitionProperties(context.partitionId);
    return options.open({
      partition: Number(context.partitionId),
      incarnation,
      lastEnqueuedSequence: Number(lastEnqueuedSequenceNumber),
      // The client reads these two fields of the event and no others.
      checkpoint: (event) => context.updateCheckpoint(event as ReceivedEventData),
    });
  };

  const closePartition = async (partitionId: string, reason: string): Promise<void> => {
    const processor = processors.get(partitionId);
    processors.delete(partitionId);
    if (processor === undefined) return;
    logger.info({ group, partition: partitionId, reason }, 'partition given up');
    await processor.close();
  };

  const processBatch = async (events: ReceivedEventData[], context: PartitionContext): Promise<void> => {
    try {
      let processor = processors.get(context.partitionId);
      if (processor === undefined) {
        processor = await openPartition(context);
        processors.set(context.partitionId, processor);
      }
      await processor.process(events);
    } catch (error) {
      // An error that calls itself retryable makes the client go on with the next batch, and this one would be lost.
      throw new Error(`partition ${context.partitionId} is closed and opened again`, { cause: error });
    }
  };

  return {
    async start() {
      const probe = createConsumerClient(namespace, { group, hub });
      try {
        incarnation = incarnationOf(await probe.getEventHubProperties());
      } finally {
        await probe.close();
      }
      const container = options.blobs.getContainerClient(checkpointContainerName(hub, incarnation));
      await container.createIfNotExists();
      client = createConsumerClient(namespace, {
        group,
        hub,
        identifier: options.identifier,
        checkpointStore: new BlobCheckpointStore(container),
      });
      subscription = client.subscribe(
        {
          async processInitialize(context) {
            logger.info({ group, partition: context.partitionId }, 'partition taken');
          },
          processEvents: (events, context) =>
            inTurn(context.partitionId, () => processBatch(events, context)),
          async processError(error, context) {
            logger.warn({ group, partition: context.partitionId, error: explain(error) }, 'stream error');
          },
          processClose: (reason, context) =>
            inTurn(context.partitionId, () => closePartition(context.partitionId, reason)),
        },
        {
          startPosition: options.startPosition ?? earliestEventPosition,
          maxBatchSize: options.maxBatchSize ?? MAX_BATCH,
          maxWaitTimeInSeconds: MAX_WAIT_SECONDS,
          skipParsingBodyAsJson: true,
        },
      );
    },
    async stop() {
      await subscription?.close();
      for (const partitionId of [...processors.keys()]) {
        await inTurn(partitionId, () => closePartition(partitionId, 'stopped'));
      }
      await client?.close();
    },
    owned: () => [...processors.keys()].map(Number),
  };
}
