import { randomUUID } from 'node:crypto';
import { type ReceivedEventData } from '@azure/event-hubs';
import { explain, type Logger } from '../observability/logger';
import { type StreamProducer } from '../stream/producer';
import { decodeUsage, encodeUsage, USAGE_SCHEMA } from '../stream/usage';

/** What is exchanged: see `Throttle` of the API, which is one. */
export interface SharedUsage {
  takeOwnUsage(): Record<string, number>;
  takeUsage(replica: string, usage: Readonly<Record<string, number>>): void;
}

/** Tells the other replicas what this one charged, and hears it of them. */
export interface UsageExchange {
  /** Begins to tell. What cannot be told now is told with what comes after it: an outage lets clients have a little more. */
  start(): void;
  stop(): Promise<void>;
  /** An event of the averages stream with `USAGE_SCHEMA`. Throws FrameError where it cannot be read. */
  take(event: ReceivedEventData): void;
}

const EVERY_MS = 250;
/** Said at least this often, so that the others count this replica. */
const ALIVE_EVERY_MS = 5_000;
const BUCKETS_AN_EVENT = 2_000;

export function createUsageExchange(options: {
  logger: Logger;
  producer: StreamProducer;
  usage: SharedUsage;
  everyMs?: number;
}): UsageExchange {
  const { logger, producer, usage, everyMs = EVERY_MS } = options;
  const replica = randomUUID();
  let untold: Record<string, number> = {};
  let toldAt = -Infinity;
  let telling: Promise<void> | undefined;
  let started = false;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;

  async function tell(): Promise<void> {
    for (const [key, amount] of Object.entries(usage.takeOwnUsage())) {
      untold[key] = (untold[key] ?? 0) + amount;
    }
    const buckets = Object.entries(untold);
    if (buckets.length === 0 && performance.now() - toldAt < ALIVE_EVERY_MS) return;
    const bodies: Buffer[] = [];
    for (let from = 0; from === 0 || from < buckets.length; from += BUCKETS_AN_EVENT) {
      const charged = Object.fromEntries(buckets.slice(from, from + BUCKETS_AN_EVENT));
      bodies.push(encodeUsage({ replica, charged }));
    }
    try {
      if (!started) {
        await producer.start();
        started = true;
      }
      await producer.send(0, USAGE_SCHEMA, bodies);
      untold = {};
      toldAt = performance.now();
      failing = false;
    } catch (error) {
      if (!failing) logger.warn({ error: explain(error) }, 'the other replicas cannot be told what was used');
      failing = true;
    }
  }

  return {
    start() {
      timer ??= setInterval(() => (telling ??= tell().finally(() => (telling = undefined))), everyMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await telling;
    },
    take(event) {
      const { replica: other, charged } = decodeUsage(event.body, event.properties);
      if (other !== replica) usage.takeUsage(other, charged);
    },
  };
}
