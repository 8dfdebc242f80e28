import { setTimeout as delay } from 'node:timers/promises';
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

/** Waits until everything in the stream has come to the landing, or throws what is still missing. */
export async function untilLanded(options: {
  end: StreamEnd;
  /** By partition: the last sequence number landed. */
  landed: () => Promise<ReadonlyMap<number, number>>;
  withinMs: number;
}): Promise<void> {
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    const landed = await options.landed();
    const missing = options.end.partitions.flatMap(({ last }, partition) =>
      last > (landed.get(partition) ?? -1)
        ? [`partition ${partition} landed up to ${landed.get(partition) ?? -1} of ${last}`]
        : [],
    );
    if (missing.length === 0) return;
    if (Date.now() >= deadline) throw new Error(`the landing stays behind the stream: ${missing.join(', ')}`);
    await delay(1000);
  }
}
