import { type BlobServiceClient } from '@azure/storage-blob';
import { type Logger } from '../observability/logger';
import { createSnapshotStore, type SnapshotStore } from '../store/snapshots';
import { type CheckpointEvent, type OwnedPartition } from '../stream/consumer';
import { type AggregateMetrics } from './metrics';
import { openSnapshot, type Snapshot, SnapshotError } from './snapshot';

type Place = Pick<OwnedPartition, 'partition' | 'incarnation' | 'checkpointedSequence'>;

/** The snapshots of one worker's partitions, across the lives of the hub. */
export interface Snapshots {
  /** Where each partition can go on, but for those whose snapshot proved unreadable. */
  positions(incarnation: string): Promise<ReadonlyMap<number, CheckpointEvent>>;
  /**
   * What the partition goes on from; undefined where there is none, or only one from before the checkpoint: reading
   * begins behind that, and what lies between would be missing.
   *
   * @throws where the snapshot cannot be read: the partition is then opened again behind its checkpoint, which was never
   * moved past what a replay without a snapshot needs.
   */
  restore(owned: Place): Promise<Snapshot | undefined>;
  store(owned: Place, position: CheckpointEvent, body: Buffer): Promise<void>;
}

export function createSnapshots(options: {
  logger: Logger;
  metrics: AggregateMetrics;
  blobs: BlobServiceClient;
  containerOf(incarnation: string): string;
  folder: string;
}): Snapshots {
  const { logger, metrics, blobs, folder } = options;
  const stores = new Map<string, SnapshotStore>();
  /** Etags of snapshots that cannot be read. One that is written later has another. */
  const unreadable = new Set<string>();
  /** What was last told of each partition: reading may have begun there. */
  const told = new Map<string, number>();

  const storeOf = (incarnation: string): SnapshotStore => {
    let store = stores.get(incarnation);
    if (store === undefined) {
      store = createSnapshotStore({ blobs, container: options.containerOf(incarnation), folder });
      stores.set(incarnation, store);
    }
    return store;
  };

  return {
    async positions(incarnation) {
      const found = new Map<number, CheckpointEvent>();
      const stored = await storeOf(incarnation).positions();
      for (const key of told.keys()) if (key.startsWith(`${incarnation}/`)) told.delete(key);
      for (const [partition, { etag, ...position }] of stored) {
        if (unreadable.has(etag)) continue;
        found.set(partition, position);
        told.set(`${incarnation}/${partition}`, position.sequenceNumber);
      }
      return found;
    },

    async restore({ partition, incarnation, checkpointedSequence }) {
      const stored = await storeOf(incarnation).read(partition);
      const usable =
        stored !== null &&
        !unreadable.has(stored.etag) &&
        !(stored.position.sequenceNumber < checkpointedSequence);
      if (!usable) {
        if ((told.get(`${incarnation}/${partition}`) ?? -1) > checkpointedSequence) {
          told.delete(`${incarnation}/${partition}`);
          throw new SnapshotError(
            `the snapshot of partition ${partition} is gone since its position was told`,
          );
        }
        metrics.snapshotsUsed.inc({ outcome: 'absent' });
        return undefined;
      }
      try {
        const snapshot = await openSnapshot(stored.body);
        const { head } = snapshot;
        if (head.incarnation !== incarnation || head.partition !== partition) {
          throw new SnapshotError(`it is of partition ${head.partition} of ${head.incarnation}`);
        }
        if ((head.from ?? head.sequence) !== stored.position.sequenceNumber) {
          throw new SnapshotError(
            `it goes on behind ${head.from ?? head.sequence}, its metadata says otherwise`,
          );
        }
        metrics.snapshotsUsed.inc({ outcome: 'restored' });
        logger.info(
          { partition, sequence: head.sequence, bytes: stored.body.length },
          'partition restored from its snapshot',
        );
        return snapshot;
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
        unreadable.add(stored.etag);
        metrics.snapshotsUsed.inc({ outcome: 'unreadable' });
        logger.error({ partition, error: error.message }, 'a snapshot cannot be read: the partition replays');
        throw error;
      }
    },

    async store({ partition, incarnation }, position, body) {
      await storeOf(incarnation).write(partition, position, body);
    },
  };
}
