import { explain, type Logger } from '../observability/logger';
import {
  AVERAGES_SCHEMA,
  type AveragesBatch,
  DEVICE_MEANS_PROPERTY,
  encodeAverages,
  encodeDeviceMeans,
  encodeSpaceAverages,
  SPACE_AVERAGES_SCHEMA,
} from '../stream/averages';
import { type StreamProducer } from '../stream/producer';
import { type Engine, type LiveValue } from './engine';
import { type AggregateMetrics } from './metrics';

/** Sends one partition's live values to the averages stream, at most one batch at a time. */
export interface LiveValues {
  /**
   * Sends what changed by T. While an earlier batch is on its way nothing is taken: the changes stay and the next tick
   * sends their newest state. A batch that may not have arrived is followed by all values.
   */
  emit(): void;
  /** Resolves when no batch is on its way. */
  idle(): Promise<void>;
}

/** Keeps an event far below the 1 MB that Event Hubs takes: a value is about 100 bytes. */
const VALUES_AN_EVENT = 2_000;

interface Event {
  schema: string;
  body: Buffer;
  properties: Record<string, Buffer>;
}

export function createLiveValues(options: {
  logger: Logger;
  metrics: AggregateMetrics;
  producer: StreamProducer;
  engine: Engine;
  incarnation: string;
  /** Of the telemetry hub; values travel in the averages hub's partition of this number, modulo its count. */
  partition: number;
  now(): number;
}): LiveValues {
  const { logger, metrics, producer, engine, incarnation, partition, now } = options;
  let sending: Promise<void> | undefined;
  let emittedSecond = 0;
  let everything = true;

  const send = async (events: Event[], values: number): Promise<void> => {
    try {
      for (const { schema, body, properties } of events) {
        await producer.send(partition % producer.partitionCount, schema, [body], [properties]);
      }
      metrics.valuesEmitted.inc(values);
    } catch (error) {
      everything = true;
      metrics.emissionsFailed.inc();
      logger.warn({ partition, error: explain(error) }, 'live values not sent');
    } finally {
      sending = undefined;
    }
  };

  return {
    emit() {
      const windowEnd = engine.second;
      if (sending !== undefined || windowEnd <= emittedSecond) return;
      // At second 0, or at the first tick after it when that one was missed, silent and unchanged buildings speak too.
      const all = everything || Math.floor(windowEnd / 60) > Math.floor(emittedSecond / 60);
      const values = engine.takeValues(all);
      emittedSecond = windowEnd;
      everything = false;
      if (values.length === 0) return;
      const { sequence } = engine;
      const asOf = now();
      const events: Event[] = [];
      const buildings = values.filter(({ spaceId }) => spaceId === null);
      const spaces = values.filter(({ spaceId }) => spaceId !== null);
      const batch = { incarnation, partition, sequence, asOf, windowEnd };
      for (const part of partsOf(buildings)) events.push(buildingsEvent({ ...batch, values: part }));
      for (const part of partsOf(spaces)) {
        const body = encodeSpaceAverages({ ...batch, values: part });
        events.push({ schema: SPACE_AVERAGES_SCHEMA, body, properties: {} });
      }
      sending = send(events, values.length);
    },
    async idle() {
      await sending;
    },
  };
}

function* partsOf(values: readonly LiveValue[]): Iterable<LiveValue[]> {
  for (let i = 0; i < values.length; i += VALUES_AN_EVENT) yield values.slice(i, i + VALUES_AN_EVENT);
}

function buildingsEvent(batch: AveragesBatch): Event {
  return {
    schema: AVERAGES_SCHEMA,
    body: encodeAverages(batch),
    properties: { [DEVICE_MEANS_PROPERTY]: encodeDeviceMeans(batch) },
  };
}
