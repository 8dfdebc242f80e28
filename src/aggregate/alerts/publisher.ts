import { explain, type Logger } from '../../observability/logger';
import { type AlertEventDocument } from '../../store/alert-documents';
import { ALERTS_SCHEMA, encodeAlertEvent } from '../../stream/alerts';
import { type StreamProducer } from '../../stream/producer';
import { type AlertMetrics } from './metrics';

/** Tells the replicas of the API of what stands in the store, at once and in order. */
export interface AlertPublisher {
  publish(event: AlertEventDocument): void;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
  stop(): void;
}

/** What cannot be sent for long is left out from its beginning: a subscriber sees the hole in the numbers and reads it. */
const MAXIMUM_WAITING = 10_000;
const EVENTS_AT_ONCE = 100;
const AGAIN_MS = 500;

export function createAlertPublisher(options: {
  logger: Logger;
  metrics: AlertMetrics;
  producer: StreamProducer;
  /** Of the telemetry hub; events travel in the averages hub's partition of this number, modulo its count. */
  partition: number;
}): AlertPublisher {
  const { logger, metrics, producer, partition } = options;
  const waiting: AlertEventDocument[] = [];
  let sending: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  let stopped = false;

  const send = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        const events = waiting.slice(0, EVENTS_AT_ONCE);
        const bodies = events.map(encodeAlertEvent);
        await producer.send(partition % producer.partitionCount, ALERTS_SCHEMA, bodies);
        waiting.splice(0, events.length);
      }
    } catch (error) {
      metrics.unpublished.inc(waiting.length);
      logger.warn({ partition, error: explain(error) }, 'alert events not sent');
      if (!stopped) again = setTimeout(pump, AGAIN_MS);
    } finally {
      sending = undefined;
    }
  };
  const pump = (): void => void (sending ??= send());

  return {
    publish(event) {
      if (waiting.length >= MAXIMUM_WAITING && sending === undefined) waiting.shift();
      waiting.push(event);
      pump();
    },
    async idle() {
      await sending;
    },
    stop() {
      stopped = true;
      clearTimeout(again);
    },
  };
}
