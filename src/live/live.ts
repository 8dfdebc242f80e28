import { type ReceivedEventData } from '@azure/event-hubs';
import { type CorrectedMinutes } from '../domain/corrected-minutes';
import { quantityNamed, type QuantityName } from '../domain/quantity';
import { type PlaceState } from '../domain/state';
import { type BuildingAverage } from '../domain/window';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { Counter, Gauge, type Registry as Metrics } from '../observability/metrics';
import { decodeAverages } from '../stream/averages';
import { type NamespaceConnection } from '../stream/connection';
import { CORRECTIONS_SCHEMA, decodeCorrections } from '../stream/corrections';
import { FrameError, SCHEMA_PROPERTY } from '../stream/frame';
import { decodeStates, STATES_SCHEMA } from '../stream/states';
import { createCorrectionListeners } from './correction-listeners';
import { createLatestAverages, type Place } from './latest';
import { createLatestStates } from './latest-states';
import { createListeners } from './listeners';
import { createStreamFollower } from './stream-follower';

/** The latest value of each building or space and quantity, as the aggregate workers publish them. */
export interface LiveAverages {
  /** What is held for a building or a space now, one value a quantity; empty where nothing was published lately. */
  latest(place: Place): BuildingAverage[];
  /** What the state quantities of a building or a space say now; empty where nothing was heard lately. */
  states(place: Place): PlaceState[];
  /**
   * What was published for a building at second 0 of its last minute, one value a quantity: the record of that minute is
   * stored some seconds later.
   */
  lastMinute(place: Omit<Place, 'spaceId'>): BuildingAverage[];
  /**
   * Every change of these buildings from now on, of one quantity or of all. A reader that is slower than the changes gets
   * the latest value of each building and quantity and misses those between: at most one of each waits for it. Ends with
   * `return()`.
   */
  changes(
    buildingIds: string | readonly string[],
    quantity?: QuantityName,
  ): AsyncIterableIterator<BuildingAverage>;
  /** Which minutes of these buildings’ records are corrected from now on. Ends with `return()`. */
  corrections(
    buildingIds: readonly string[],
    quantity?: QuantityName,
  ): AsyncIterableIterator<CorrectedMinutes>;
}

export interface Live extends LiveAverages {
  /** Throws when the namespace cannot be reached. */
  start(): Promise<void>;
  /** Ends every `changes`. */
  stop(): Promise<void>;
  /** Ready once everything that was in the hub at the start has been taken in. */
  readiness(): Readiness;
}

/**
 * How far back a replica reads at its start. Every value, unchanged ones too, is published at second 0 of each minute, so that
 * this far back all that is alive is found; of what is not, the stored record tells.
 */
const LOOK_BACK_MS = 90_000;

/** Follows the averages hub, every partition of it, and wakes only those who asked for what changed. */
export function createLive(options: {
  logger: Logger;
  metrics: Metrics;
  namespace: NamespaceConnection;
  hub: string;
  /** One of the hub's `live-` groups; five replicas may share one. */
  group: string;
  /** By the schema they name: takers of events that are no averages. Each throws FrameError on what it cannot read. */
  others?: Readonly<Record<string, (event: ReceivedEventData) => void>>;
}): Live {
  const { logger, namespace, hub, group } = options;
  const latest = createLatestAverages();
  const states = createLatestStates();
  const listeners = createListeners();
  const corrections = createCorrectionListeners();
  const meters = createMeters(options.metrics, listeners.count);

  const take = (event: ReceivedEventData, partition: string): void => {
    let values: BuildingAverage[] = [];
    const schema = event.properties?.[SCHEMA_PROPERTY];
    const taker = options.others?.[String(schema)];
    try {
      if (taker !== undefined) taker(event);
      else if (schema === CORRECTIONS_SCHEMA) {
        for (const corrected of decodeCorrections(event.body)) corrections.tell(corrected);
      } else if (schema === STATES_SCHEMA) {
        for (const state of decodeStates(event.body)) meters.values.inc({ outcome: states.take(state) });
      } else values = decodeAverages(event.body, event.properties);
    } catch (error) {
      // What cannot be read is one publisher's fault, and the next value makes up for it.
      if (!(error instanceof FrameError)) throw error;
      meters.values.inc({ outcome: 'unreadable' });
      logger.warn(
        { partition, sequence: event.sequenceNumber, error: explain(error) },
        'unreadable averages',
      );
      return;
    }
    for (const value of values) {
      const taken = latest.take(value);
      meters.values.inc({ outcome: taken });
      if (taken === 'changed' && value.spaceId == null) listeners.tell(value);
    }
  };
  const follower = createStreamFollower({
    logger,
    namespace,
    hub,
    group,
    lookBackMilliseconds: LOOK_BACK_MS,
    take,
  });

  return {
    latest: latest.of,
    states: (place) => states.of(place, Date.now()),
    lastMinute: latest.lastMinuteOf,
    changes: (buildingIds, quantity) =>
      listeners.listen(buildingIds, quantity === undefined ? undefined : quantityNamed(quantity).code),
    corrections: (buildingIds, quantity) =>
      corrections.listen(buildingIds, quantity === undefined ? undefined : quantityNamed(quantity).code),
    start: follower.start,
    async stop() {
      listeners.close();
      corrections.close();
      await follower.stop();
    },
    readiness() {
      const behind = follower.behind();
      const reasons =
        behind === null
          ? ['the averages hub is not being read']
          : behind.length > 0
            ? [`averages of partitions ${behind.join(', ')} are still being read`]
            : [];
      return { ready: reasons.length === 0, reasons };
    },
  };
}

function createMeters(registry: Metrics, listening: () => number) {
  new Gauge({
    name: 'atrium_live_listeners',
    help: 'Open subscriptions to live averages. A number that only grows means that clients are not noticed leaving.',
    registers: [registry],
    collect() {
      this.set(listening());
    },
  });
  return {
    values: new Counter({
      name: 'atrium_live_values_total',
      help: 'Values taken from the averages hub, by outcome. "unreadable" that grows means a publisher of a newer release: upgrade this one. "stale" that grows means two owners of a partition: look at the aggregate workers.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
  };
}
