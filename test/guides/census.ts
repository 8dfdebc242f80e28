import { type BlobServiceClient } from '@azure/storage-blob';
import { type Logger } from '../../src/observability/logger';
import { type NamespaceConnection } from '../../src/stream/connection';
import { createPartitionConsumer, type PartitionConsumer } from '../../src/stream/consumer';
import { decodeFrame, FrameError } from '../../src/stream/frame';

/** Counts the distinct readings of each building, as an example of a consumer of the telemetry stream. */
export function createCensus(options: {
  logger: Logger;
  namespace: NamespaceConnection;
  blobs: BlobServiceClient;
}): PartitionConsumer & { readingsOf(buildingId: string): number } {
  const identities = new Map<string, Set<string>>();
  const consumer = createPartitionConsumer({
    ...options,
    hub: 'telemetry',
    group: 'census',
    identifier: 'census-0',
    async open({ checkpoint }) {
      return {
        async process(events) {
          for (const event of events) {
            try {
              const frame = decodeFrame(event.body, event.properties);
              for (let row = 0; row < frame.count; row++) {
                const point = frame.points[frame.point[row]!]!;
                const { buildingId } = frame.buildings[point.building]!;
                const seen = identities.get(buildingId) ?? new Set();
                identities.set(buildingId, seen.add(`${point.pointId} ${frame.observedAt[row]}`));
              }
            } catch (error) {
              // A frame that cannot be read is skipped here; the ingest worker keeps it.
              if (!(error instanceof FrameError)) throw error;
            }
          }
          // A restart begins behind this event. These counts are in memory and end with the process: an effect that must
          // outlive it is stored before its event is checkpointed.
          const last = events.at(-1);
          if (last !== undefined) await checkpoint(last);
        },
        async close() {},
      };
    },
  });
  return { ...consumer, readingsOf: (buildingId) => identities.get(buildingId)?.size ?? 0 };
}
