import { explain, type Logger } from '../observability/logger';
import {
  AVERAGES_SCHEMA,
  type AveragesBatch,
  encodeAverages,
  encodeSpaceAverages,
  furtherProperties,
  SPACE_AVERAGES_SCHEMA,
} from '../stream/averages';
import { encodeStates, STATES_SCHEMA, type StatesBatch } from '../stream/states';
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
      const states = engine.takeStates(all);
      emittedSecond = windowEnd;
      everything = false;
      if (values.length === 0 && states.length === 0) return;
      const { sequence } = engine;
      const asOf = now();
      const events: Event[] = [];
      const buildings = values.filter(({ spaceId }) => spaceId === null);
      const spaces = values.filter(({ spaceId }) => spaceId !== null);
      const head = { incarnation, partition, sequence, asOf, windowEnd };
      const add = (schema: string, encode: (batch: AveragesBatch) => Buffer, of: LiveValue[]): void => {
        for (let i = 0; i < of.length; i += VALUES_AN_EVENT) {
          const batch = { ...head, values: of.slice(i, i + VALUES_AN_EVENT) };
          events.push({ schema, body: encode(batch), properties: furtherProperties(batch) });
        }
      };
      add(AVERAGES_SCHEMA, encodeAverages, buildings);
      add(SPACE_AVERAGES_SCHEMA, encodeSpaceAverages, spaces);
      for (let i = 0; i < states.length; i += VALUES_AN_EVENT) {
        const batch: StatesBatch = { ...head, values: states.slice(i, i + VALUES_AN_EVENT) };
        events.push({ schema: STATES_SCHEMA, body: encodeStates(batch), properties: {} });
      }
      sending = send(events, values.length + states.length);
    },
    async idle() {
      await sending;
    },
  };
}
