import { createConsumerClient } from '../../src/stream/connection';
import { incarnationOf } from '../../src/stream/incarnation';

/** How far each partition of a hub goes now. */
export interface StreamEnd {
  incarnation: string;
  /** By partition: the first event's sequence number and the last one's, -1 where there is none. */
  partitions: { first: number; last: number }[];
}

/** Asks Event Hubs itself, with the SDK. */
export async function streamEnd(eventHubs: string, hub = 'telemetry'): Promise<StreamEnd> {
  const client = createConsumerClient({ connectionString: eventHubs }, { group: '$Default', hub });
  try {
    const properties = await client.getEventHubProperties();
    const partitions = await Promise.all(
      properties.partitionIds.map(async (id) => {
        const found = await client.getPartitionProperties(id);
        return {
          first: Number(found.beginningSequenceNumber),
          last: found.isEmpty ? -1 : Number(found.lastEnqueuedSequenceNumber),
        };
      }),
    );
    return { incarnation: incarnationOf(properties), partitions };
  } finally {
    await client.close();
  }
}
