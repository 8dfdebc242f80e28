import { createConsumerClient, type NamespaceConnection } from './connection';
import { incarnationOf } from './incarnation';
import { withTimeout } from './hub-life';

/** Where each partition of a hub ends now. */
export interface StreamEnd {
  incarnation: string;
  partition: number;
  /** -1 where nothing was ever sent. */
  lastSequence: number;
}

/** Asks the hub itself: what it has taken, whoever reads it. Throws where it is away. */
export async function readStreamEnds(namespace: NamespaceConnection, hub: string): Promise<StreamEnd[]> {
  const client = createConsumerClient(namespace, { group: '$Default', hub });
  try {
    const properties = await client.getEventHubProperties(withTimeout());
    const incarnation = incarnationOf(properties);
    return await Promise.all(
      properties.partitionIds.map(async (id) => {
        const { lastEnqueuedSequenceNumber } = await client.getPartitionProperties(id, withTimeout());
        return { incarnation, partition: Number(id), lastSequence: Number(lastEnqueuedSequenceNumber) };
      }),
    );
  } finally {
    await client.close();
  }
}
