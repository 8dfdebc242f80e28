import { type ReceivedEventData } from '@azure/event-hubs';
import { explain, type Logger } from '../observability/logger';
import { type DeadLettersDocument } from '../store/dead-letters/documents';
import { type DeadLettersWriter } from '../store/dead-letters/writer';
import { type OwnedPartition, type PartitionProcessor } from '../stream/consumer';
import { decodeFrame, FrameError, holdsNoRefused } from '../stream/frame';
import { documentsOf, type EventPlace } from './filing';
import { createFloodCap, type FloodLimits } from './flood-cap';
import { type DeadLettersMetrics } from './metrics';

/** Without a dead letter among them, events are checkpointed this often: read again, they cost little. */
const CHECKPOINT_EVERY_MS = 10_000;
/** A trouble that was not met again for so long is over, or another worker's who has the partition by now. */
const TROUBLED_MS = 30_000;

/**
 * Files the dead letters of one partition. Documents first, then the counts of what was left out, then the checkpoint:
 * an event that comes again after a crash between two of them finds its documents there and is not counted again.
 */
export function createDeadLettersPartition(options: {
  logger: Logger;
  metrics: DeadLettersMetrics;
  owned: OwnedPartition;
  writer: DeadLettersWriter;
  limits: FloodLimits;
  ttlSeconds: number;
  /** Tenants of whom nothing is filed. */
  isErased?: (tenantId: string) => boolean;
}): PartitionProcessor & { trouble(): string | null } {
  const { metrics, owned, writer, ttlSeconds, isErased = () => false } = options;
  const { partition, incarnation } = owned;
  const cap = createFloodCap({
    limits: options.limits,
    ttlSeconds,
    mayRepeatThrough: owned.lastEnqueuedSequence,
  });
  let checkpointedAt = 0;
  let unstored: ReceivedEventData | undefined;
  let trouble: { what: string; at: number } | null = null;

  const documentsIn = (event: ReceivedEventData, place: EventPlace): DeadLettersDocument[] => {
    if (holdsNoRefused(event.properties)) return [];
    try {
      // Only now: a document's id counts those of the event before it.
      return documentsOf(decodeFrame(event.body, event.properties).refused, place, ttlSeconds).filter(
        ({ tenantId }) => !isErased(tenantId),
      );
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      metrics.skipped.inc();
      return [];
    }
  };

  const file = async (events: readonly ReceivedEventData[]): Promise<boolean> => {
    const kept: DeadLettersDocument[] = [];
    for (const event of events) {
      const enqueuedAt = event.enqueuedTimeUtc.getTime();
      const place = { incarnation, partition, sequence: event.sequenceNumber, enqueuedAt };
      for (const document of documentsIn(event, place)) {
        const { scopeKey, tenantId } = document;
        const admitted = await cap.admit(document, place, (minute) =>
          writer.omitted(scopeKey, minute, tenantId),
        );
        if (admitted) kept.push(document);
        else metrics.omitted.inc(document.letters.length);
      }
    }
    await writer.create(kept);
    const omitted = cap.take();
    if (omitted.length > 0) await writer.putOmitted(omitted);
    for (const { letters } of kept) for (const { code } of letters) metrics.filed.inc({ code });
    return kept.length > 0 || omitted.length > 0;
  };

  const checkpoint = async (): Promise<void> => {
    if (unstored === undefined) return;
    await owned.checkpoint(unstored);
    unstored = undefined;
    checkpointedAt = performance.now();
  };

  return {
    async process(events) {
      const last = events.at(-1);
      if (last === undefined) {
        metrics.lag.set({ partition }, 0);
        if (performance.now() - checkpointedAt >= CHECKPOINT_EVERY_MS) await checkpoint();
        return;
      }
      try {
        const filed = await file(events);
        unstored = last;
        if (filed || performance.now() - checkpointedAt >= CHECKPOINT_EVERY_MS) await checkpoint();
        trouble = null;
      } catch (error) {
        // The partition is opened again behind its checkpoint: nothing is skipped, and only this consumer waits.
        trouble = { what: `partition ${partition}: ${explain(error)}`, at: performance.now() };
        options.logger.warn({ partition, error: explain(error) }, 'dead letters cannot be filed');
        throw error;
      } finally {
        metrics.lag.set({ partition }, Math.max(0, Date.now() - last.enqueuedTimeUtc.getTime()) / 1_000);
      }
    },
    async close() {
      // At worst the events come again.
      await checkpoint().catch(() => undefined);
    },
    trouble: () => (trouble !== null && performance.now() - trouble.at < TROUBLED_MS ? trouble.what : null),
  };
}
