import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { type StreamProducer } from '../stream/producer';

/**
 * Keeps the producer connected, or knows that it is not: connects in the background, and after every failed send reads
 * the hub's properties anew until it answers, which also finds a hub that was made again with other partitions.
 */
export interface StreamLink {
  start(): void;
  stop(): void;
  /** Whether Event Hubs answered last. While it did not, requests are told so at once instead of piling up. */
  connected(): boolean;
  /** A send failed. */
  lost(error: unknown): void;
  readiness(): Readiness;
}

const RETRY_MS = 500;

export function createStreamLink(options: {
  producer: Pick<StreamProducer, 'start' | 'incarnation' | 'partitionCount'>;
  logger: Logger;
}): StreamLink {
  const { producer, logger } = options;
  let connected = false;
  let connecting = false;
  let stopped = false;
  let reason = 'not connected yet';
  let retry: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    if (connecting || stopped) return;
    connecting = true;
    const before = producer.incarnation;
    try {
      await producer.start();
      connected = true;
      const { incarnation, partitionCount } = producer;
      if (before !== '' && before !== incarnation) {
        logger.warn({ before, incarnation, partitionCount }, 'the telemetry hub is another than before');
      }
      logger.info({ incarnation, partitionCount }, 'connected to Event Hubs');
    } catch (error) {
      if (reason !== explain(error)) logger.warn({ error: explain(error) }, 'Event Hubs cannot be reached');
      reason = explain(error);
      if (!stopped) retry = setTimeout(() => void connect(), RETRY_MS);
    } finally {
      connecting = false;
    }
  };

  return {
    start: () => void connect(),
    stop() {
      stopped = true;
      connected = false;
      clearTimeout(retry);
    },
    connected: () => connected,
    lost(error) {
      if (!connected) return;
      connected = false;
      reason = explain(error);
      logger.warn({ error: reason }, 'Event Hubs did not take a send');
      void connect();
    },
    readiness: () =>
      connected
        ? { ready: true, reasons: [] }
        : { ready: false, reasons: [`Event Hubs cannot be reached: ${reason}`] },
  };
}
