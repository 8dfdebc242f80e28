import { explain, type Logger } from '../../observability/logger';
import { type StoredAverage } from '../../store/averages';
import { type CorrectedMinutes, CORRECTIONS_SCHEMA, encodeCorrections } from '../../stream/corrections';
import { type StreamProducer } from '../../stream/producer';

/** Tells which minutes of the record late readings have changed, once the record holds them. */
export interface ToldCorrections {
  /** What a write changed. @param finalBefore a point of a minute that ended by then corrects what was told of it. */
  stored(points: readonly StoredAverage[], finalBefore: number): void;
  /** Sends what is to be told, at most one event at a time. Called at every tick. */
  pump(): void;
  /** Resolves when none is on its way. */
  idle(): Promise<void>;
}

/** Minutes that may wait while the averages hub is away. Beyond that a subscriber learns of them when it asks. */
const MAXIMUM_WAITING = 100_000;
/** Of 7 to 30 bytes each: far below the 1 MB that Event Hubs takes. */
const MINUTES_AN_EVENT = 10_000;

export function createToldCorrections(options: {
  logger: Logger;
  producer: StreamProducer;
  /** Of the telemetry hub. */
  partition: number;
}): ToldCorrections {
  const { logger, producer, partition } = options;
  const waiting = new Map<string, { of: Omit<CorrectedMinutes, 'minutes'>; minutes: Set<number> }>();
  let size = 0;
  let sending: Promise<void> | undefined;

  const add = (of: Omit<CorrectedMinutes, 'minutes'>, minutes: Iterable<number>): void => {
    const key = `${of.tenantId} ${of.buildingId} ${of.quantity}`;
    let entry = waiting.get(key);
    if (entry === undefined) waiting.set(key, (entry = { of, minutes: new Set() }));
    for (const minute of minutes) {
      if (size >= MAXIMUM_WAITING || entry.minutes.has(minute)) continue;
      entry.minutes.add(minute);
      size++;
    }
  };

  const send = async (corrections: readonly CorrectedMinutes[]): Promise<void> => {
    try {
      const body = encodeCorrections(corrections);
      await producer.send(partition % producer.partitionCount, CORRECTIONS_SCHEMA, [body]);
    } catch (error) {
      logger.warn({ partition, error: explain(error) }, 'corrections not told yet');
      for (const { minutes, ...of } of corrections) add(of, minutes);
    } finally {
      sending = undefined;
    }
  };

  return {
    stored(points, finalBefore) {
      for (const { tenantId, buildingId, quantity, windowEnd, revision } of points) {
        // The first time that a minute's point is stored it is no news: the live value was.
        if (revision === 1 && windowEnd > finalBefore) continue;
        add({ tenantId, buildingId, quantity }, [windowEnd / 60]);
      }
    },
    pump() {
      if (sending !== undefined || waiting.size === 0) return;
      const corrections: CorrectedMinutes[] = [];
      let count = 0;
      for (const [key, { of, minutes }] of waiting) {
        if (count >= MINUTES_AN_EVENT) break;
        waiting.delete(key);
        size -= minutes.size;
        count += minutes.size;
        corrections.push({ ...of, minutes: [...minutes].sort((a, b) => a - b) });
      }
      sending = send(corrections);
    },
    async idle() {
      await sending;
    },
  };
}
