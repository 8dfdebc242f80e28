import { type PartitionContext, type ReceivedEventData } from '@azure/event-hubs';
import { createConsumerClient } from '../../src/stream/connection';
import { decodeFrame, type Frame } from '../../src/stream/frame';
import { streamEnd, type StreamEnd } from './stream-end';

/** Hands over every frame that stands in the telemetry hub now, behind `from` where that is given. */
export async function readFrames(
  eventHubs: string,
  onFrame: (frame: Frame, event: ReceivedEventData, partition: number) => void,
  from?: StreamEnd,
): Promise<{ events: number }> {
  const end = await streamEnd(eventHubs);
  const client = createConsumerClient(
    { connectionString: eventHubs },
    { group: '$Default', hub: 'telemetry' },
  );
  let events = 0;
  try {
    await Promise.all(
      end.partitions.map(async ({ first, last }, partition) => {
        // An empty partition has neither a first event nor a last one.
        const before = from?.partitions[partition]?.last ?? Math.max(0, first) - 1;
        if (last <= before) return;
        let done!: () => void;
        let fail!: (error: Error) => void;
        const read = new Promise<void>((onDone, onFail) => ([done, fail] = [onDone, onFail]));
        const subscription = client.subscribe(
          String(partition),
          {
            processEvents(batch: ReceivedEventData[], _context: PartitionContext) {
              for (const event of batch) {
                if (event.sequenceNumber > last) break;
                events++;
                onFrame(decodeFrame(event.body, event.properties), event, partition);
              }
              if (batch.length > 0 && batch.at(-1)!.sequenceNumber >= last) done();
              return Promise.resolve();
            },
            processError: (error: Error) => Promise.resolve(fail(error)),
          },
          {
            startPosition: { sequenceNumber: before + 1, isInclusive: true },
            maxBatchSize: 500,
            maxWaitTimeInSeconds: 1,
          },
        );
        await read.finally(() => subscription.close());
      }),
    );
    return { events };
  } finally {
    await client.close();
  }
}

/** Readings by what identifies them here, a device's index and the instant it was observed, as one number each. */
export function readingNumber(device: number, observedAt: number): number {
  // 2^41 ms reach to 2039; with 2,048 devices and more the sum would pass 2^53, so the instants count from 2025.
  return device * 2 ** 36 + (observedAt - FIRST);
}
const FIRST = Date.UTC(2025, 0, 1);

/**
 * Compares what devices were told to be taken with what stands in the stream, by identity.
 * @returns how many acknowledged readings are missing, and how many stand there more than once (sent again).
 */
export async function compareWithStream(options: {
  eventHubs: string;
  from?: StreamEnd;
  deviceIds: readonly string[];
  acknowledged: { device: Uint32Array; observedAt: Float64Array };
}): Promise<{ acknowledged: number; stored: number; missing: number; again: number }> {
  const indexOf = new Map(options.deviceIds.map((deviceId, index) => [deviceId, index]));
  const stored = new Set<number>();
  let rows = 0;
  await readFrames(
    options.eventHubs,
    (frame) => {
      for (let row = 0; row < frame.count; row++) {
        const device = indexOf.get(frame.points[frame.point[row]!]!.deviceId);
        if (device === undefined) continue;
        rows++;
        stored.add(readingNumber(device, frame.observedAt[row]!));
      }
    },
    options.from,
  );
  const { device, observedAt } = options.acknowledged;
  let missing = 0;
  for (let i = 0; i < device.length; i++) {
    if (!stored.has(readingNumber(device[i]!, observedAt[i]!))) missing++;
  }
  return { acknowledged: device.length, stored: stored.size, missing, again: rows - stored.size };
}
