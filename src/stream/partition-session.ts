import { type ReceivedEventData } from '@azure/event-hubs';
import { type PartitionProcessor } from './consumer';

/**
 * One ownership of one partition: opens its processor at once, while the receiver still connects, hands it one batch at a
 * time and closes it once, behind the batch in flight. The SDK itself closes a partition while a batch of it is still being processed.
 */
export interface PartitionSession {
  process(events: ReceivedEventData[]): Promise<void>;
  /** Resolves once the processor is closed. Batches that come later are not taken. */
  close(): Promise<void>;
  /** Whether a processor is open. */
  isOpen(): boolean;
}

export function createPartitionSession(
  open: (ended: AbortSignal) => Promise<PartitionProcessor>,
): PartitionSession {
  const ended = new AbortController();
  let processor: PartitionProcessor | undefined;
  const opening = open(ended.signal).then((opened) => (processor = opened));
  // Told with the first delivery.
  opening.catch(() => undefined);
  let inFlight: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  const run = async (events: ReceivedEventData[]): Promise<void> => {
    try {
      const opened = await opening;
      if (!ended.signal.aborted) await opened.process(events);
    } catch (error) {
      // After an error that calls itself retryable (as those of the SDKs do) the client would go on with the next batch,
      // and this one would be lost; after any other it closes the partition, which is then opened again.
      throw new Error('the batch could not be processed', { cause: error });
    }
  };

  return {
    async process(events) {
      if (ended.signal.aborted) return;
      inFlight = run(events);
      await inFlight;
    },
    close() {
      closing ??= (async () => {
        ended.abort();
        // Its failure was already told to whoever delivered the batch.
        await inFlight.catch(() => undefined);
        const opened = await opening.catch(() => undefined);
        await opened?.close();
      })();
      return closing;
    },
    isOpen: () => processor !== undefined && !ended.signal.aborted,
  };
}
