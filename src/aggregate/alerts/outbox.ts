import { explain, type Logger } from '../../observability/logger';
import { type AlertDocument, type AlertEventDocument } from '../../store/alert-documents';
import { type AlertsStore, type AlertsView } from '../../store/alerts-store';
import { type ActiveAlert, type Effect } from './effect';
import { type AlertMetrics } from './metrics';
import { activeWith, batchOf, changesOf, decidedIn, type Life } from './stored-changes';

/** A building's alerts as they are stored: the active ones, by tenant, and up to which event others have decided. */
export interface StoredAlerts {
  buildingId: string;
  active: (ActiveAlert & { tenantId: string })[];
  /** Sequence; -1 where nothing was decided in this life of the stream. */
  decidedBefore: number;
}

/** What stands in a snapshot: effects that are not stored, and how far each building had come. */
export interface PackedOutbox {
  effects: Effect[];
  /** By building: the number of its newest event. */
  numbers: [string, number][];
}

/**
 * What was found and is not stored yet, building after building, in the order in which it was found. An effect is stored
 * with its event and the building's head in one transactional batch by the head's etag, so that whatever is decided here is
 * decided on what stands: what another owner, or a former life, has stored already is found there and left alone.
 */
export interface Outbox {
  add(effect: Effect): void;
  /** Starts as many writes as may run. */
  pump(): void;
  /** Reads what is stored of these buildings where it is not as this outbox left it, and has it adopted. */
  catchUp(buildingIds: readonly string[]): Promise<void>;
  /** Effects that wait, those in flight included. */
  size(): number;
  /** What was enqueued before this instant is not needed for what waits; Infinity: nothing waits. */
  neededSince(): number;
  healthy(): boolean;
  /** True once effects had to be given up, and the store answers again: only a replay brings them back. */
  needsReplay(): boolean;
  /** Undefined once effects had to be given up. */
  pack(): PackedOutbox | undefined;
  drain(milliseconds: number): Promise<void>;
}

interface Building {
  buildingId: string;
  effects: Effect[];
  /** Undefined before it was read, and once it may not be what stands. */
  view: AlertsView | undefined;
  /** Of the newest event that was published, or that a snapshot knew; undefined where that is not known. */
  number: number | undefined;
  writing: boolean;
}

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Views are some kilobytes each. */
const VIEWS_KEPT = 2_000;
const PUBLISHED_AGAIN = 50;
/** Without a snapshot: what was told this long before the start may not have reached anybody. */
const PUBLISHED_AGAIN_WITHIN_MS = 60_000;
const CATCH_UP_AT_ONCE = 8;

export function createOutbox(options: {
  logger: Logger;
  metrics: AlertMetrics;
  store: AlertsStore;
  incarnation: string;
  partition: number;
  /** Hands an event to the subscribers. Called in the order of a building's events. */
  publish(event: AlertEventDocument): void;
  /** Sets the engine to what is stored. */
  adopt(stored: StoredAlerts): void;
  /** How long an alert is kept after it was cleared, and an event after it was told. */
  keepSeconds: number;
  maximumEffects: number;
  writesAtOnce: number;
  restored?: PackedOutbox;
  now(): number;
}): Outbox {
  const { logger, metrics, store, partition, keepSeconds, now } = options;
  const life: Life = { incarnation: options.incarnation, partition };
  const buildings = new Map<string, Building>();
  const waiting = new Set<Building>();
  let size = 0;
  let running = 0;
  let failures = 0;
  let pausedUntil = 0;
  let givenUpSince = Infinity;
  let answeredSinceGivenUp = false;
  let settled: (() => void)[] = [];

  const buildingOf = (buildingId: string): Building => {
    let building = buildings.get(buildingId);
    if (building === undefined) {
      building = { buildingId, effects: [], view: undefined, number: undefined, writing: false };
      buildings.set(buildingId, building);
    }
    return building;
  };

  const forgetView = (building: Building): void => {
    building.view = undefined;
  };

  const read = async (building: Building): Promise<AlertsView> => {
    const view = await store.view(building.buildingId);
    await publishAgain(building, view.head?.number ?? 0);
    building.view = view;
    // The one that was used longest ago goes; it is read again where it is needed.
    buildings.delete(building.buildingId);
    buildings.set(building.buildingId, building);
    if (buildings.size > VIEWS_KEPT) {
      let more = buildings.size - VIEWS_KEPT;
      for (const each of buildings.values()) {
        if (more-- <= 0) break;
        if (each.effects.length === 0 && !each.writing) each.view = undefined;
      }
    }
    adopt(building, view);
    return view;
  };

  /** What stands, with what waits put to it, is what the engine goes on from. */
  const adopt = ({ buildingId, effects }: Building, view: AlertsView): void => {
    const decidedBefore = decidedIn(view.head, life);
    options.adopt({ buildingId, active: activeWith(view, effects, decidedBefore), decidedBefore });
  };

  /** What was stored and perhaps told to nobody, because who stored it died or its answer was lost. */
  const publishAgain = async (building: Building, newest: number): Promise<void> => {
    const { number } = building;
    const first = Math.max(1, newest - PUBLISHED_AGAIN + 1, (number ?? 0) + 1);
    if (first <= newest) {
      const numbers = Array.from({ length: newest - first + 1 }, (_, i) => first + i);
      const tellsSince = number === undefined ? now() - PUBLISHED_AGAIN_WITHIN_MS : -Infinity;
      const events = await store.events(building.buildingId, numbers);
      for (const event of events) {
        const storedAt = ((event as { _ts?: number })._ts ?? Infinity) * 1000;
        if (storedAt >= tellsSince) options.publish(plain(event));
      }
    }
    building.number = newest;
  };

  /** One batch, or the discovery that nothing need be stored. */
  const flush = async (building: Building): Promise<void> => {
    const view = building.view ?? (await read(building));
    const taken = batchOf(building.effects);
    const { buildingId } = building;
    const next = building.effects[taken.length];
    const changes = changesOf({ buildingId, view, effects: taken, next, life, keepSeconds });
    const { alerts, events, head, found } = changes;
    if (events.length > 0) {
      const etags = await store.commit(buildingId, { alerts, events, head });
      if (etags === null) {
        // Somebody else has changed something: an acknowledgement, or another owner of the partition.
        metrics.conflicts.inc();
        forgetView(building);
        return;
      }
      const kept = new Map(view.alerts.map((each) => [each.id, each]));
      for (const each of alerts) kept.set(each.id, { ...each, _etag: etags.get(each.id)! });
      view.alerts = trimmed([...kept.values()]);
      view.head = { ...head, _etag: etags.get(head.id)! };
      building.number = head.number;
      for (const event of events) {
        metrics.changes.inc({ change: event.change });
        options.publish(event);
      }
    }
    building.effects.splice(0, taken.length);
    size -= taken.length;
    if (found) adopt(building, view);
  };

  const work = async (building: Building): Promise<void> => {
    building.writing = true;
    running++;
    try {
      while (building.effects.length > 0) await flush(building);
      failures = 0;
      answeredSinceGivenUp = true;
    } catch (error) {
      // Whether it took effect is not known: what stands is read before anything more is written.
      forgetView(building);
      failures++;
      const pause = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** Math.min(failures, 10));
      pausedUntil = now() + pause;
      metrics.failures.inc();
      logger.warn(
        { partition, buildingId: building.buildingId, pause, error: explain(error) },
        'alerts not stored',
      );
    } finally {
      building.writing = false;
      running--;
      waiting.delete(building);
      if (building.effects.length > 0) waiting.add(building);
      metrics.waiting.set({ partition }, size);
      pump();
      if (size === 0) for (const resolve of settled.splice(0)) resolve();
    }
  };

  const pump = (): void => {
    if (now() < pausedUntil) return;
    for (const building of waiting) {
      if (running >= options.writesAtOnce) return;
      if (!building.writing) void work(building);
    }
  };

  for (const [buildingId, number] of options.restored?.numbers ?? []) buildingOf(buildingId).number = number;
  for (const effect of options.restored?.effects ?? []) {
    const building = buildingOf(effect.buildingId);
    building.effects.push(effect);
    waiting.add(building);
    size++;
  }

  return {
    add(effect) {
      if (givenUpSince !== Infinity || (size >= options.maximumEffects && failures > 0)) {
        givenUpSince = Math.min(givenUpSince, effect.neededSince);
        answeredSinceGivenUp = false;
        metrics.givenUp.inc();
        return;
      }
      const building = buildingOf(effect.buildingId);
      building.effects.push(effect);
      size++;
      waiting.add(building);
      metrics.waiting.set({ partition }, size);
    },
    pump,
    async catchUp(buildingIds) {
      const changed: Building[] = [];
      const heads = await store.heads(buildingIds);
      buildingIds.forEach((buildingId, index) => {
        const head = heads[index] ?? null;
        const known = buildings.get(buildingId);
        if (head === null ? known !== undefined && known.number! > 0 : head.number !== known?.number) {
          changed.push(buildingOf(buildingId));
        }
      });
      for (let start = 0; start < changed.length; start += CATCH_UP_AT_ONCE) {
        await Promise.all(changed.slice(start, start + CATCH_UP_AT_ONCE).map(read));
      }
    },
    size: () => size,
    neededSince() {
      let since = givenUpSince;
      for (const { effects } of waiting)
        for (const effect of effects) since = Math.min(since, effect.neededSince);
      return since;
    },
    healthy: () => failures === 0,
    needsReplay: () => givenUpSince !== Infinity && answeredSinceGivenUp,
    pack() {
      if (givenUpSince !== Infinity) return undefined;
      return {
        effects: [...waiting].flatMap(({ effects }) => effects),
        numbers: [...buildings.values()].flatMap(({ buildingId, number }): [string, number][] =>
          number === undefined ? [] : [[buildingId, number]],
        ),
      };
    },
    async drain(milliseconds) {
      if (size === 0) return;
      pump();
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => settled.push(resolve)),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, milliseconds);
        }),
      ]);
      clearTimeout(timer);
      settled = [];
    },
  };
}

/** Those active and the newest others. */
function trimmed(alerts: AlertDocument[]): AlertDocument[] {
  if (alerts.length <= 300) return alerts;
  const active = alerts.filter(({ clearedAt }) => clearedAt === null);
  const others = alerts.filter(({ clearedAt }) => clearedAt !== null);
  others.sort((a, b) => (a.sortKey < b.sortKey ? 1 : -1));
  return [...active, ...others.slice(0, 200)];
}

/** Without Cosmos's own fields. */
function plain(event: AlertEventDocument): AlertEventDocument {
  return Object.fromEntries(
    Object.entries(event).filter(([name]) => !name.startsWith('_')),
  ) as unknown as AlertEventDocument;
}
