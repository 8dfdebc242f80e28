import { alertIdOf } from '../../domain/alert';
import { explain, type Logger } from '../../observability/logger';
import {
  ALERT_HEAD_ID,
  type AlertDocument,
  alertEventIdOf,
  type AlertEventDocument,
  type AlertHeadDocument,
  alertSortKeyOf,
  toldAlert,
} from '../../store/alert-documents';
import { type AlertsStore, type AlertsView } from '../../store/alerts-store';
import { type ActiveAlert, type Effect } from './effect';
import { type AlertMetrics } from './metrics';
import { keyOf } from './rule';

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

/** Three changes each at most, and the head: below the hundred of a batch. */
const EFFECTS_A_BATCH = 24;
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
  const { logger, metrics, store, incarnation, partition, keepSeconds, now } = options;
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

  const positionOf = (head: AlertHeadDocument | null): number =>
    head?.position?.incarnation === incarnation && head.position.partition === partition
      ? head.position.sequence
      : -1;

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
  const adopt = (building: Building, view: AlertsView): void => {
    const decided = positionOf(view.head);
    const active = new Map(
      view.alerts
        .filter(({ clearedAt }) => clearedAt === null)
        .map((each) => [ownKeyOf(each), activeOf(each)]),
    );
    for (const effect of building.effects) {
      if (isDecided(effect, decided)) continue;
      const own = `${effect.tenantId} ${effect.key}`;
      if (effect.kind === 'clear') active.delete(own);
      else if (effect.clearedAt === null && !active.has(own) && !isKnown(view, effect)) {
        active.set(own, activeOfEffect(effect));
      }
    }
    options.adopt({ buildingId: building.buildingId, active: [...active.values()], decidedBefore: decided });
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
    const { alerts, events, head, found } = changesOf(building, view, taken, building.effects[taken.length]);
    if (events.length > 0) {
      const etags = await store.commit(building.buildingId, { alerts, events, head });
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

  const changesOf = (building: Building, view: AlertsView, effects: readonly Effect[], next?: Effect) => {
    const decided = positionOf(view.head);
    const alerts = new Map<string, AlertDocument>();
    const events: AlertEventDocument[] = [];
    let number = view.head?.number ?? 0;
    let sequence = decided;
    /** Whether something was already as it should be, or otherwise than was thought. */
    let found = false;
    const standing = (): AlertDocument[] => [
      ...alerts.values(),
      ...view.alerts.filter(({ id }) => !alerts.has(id)),
    ];
    const tell = (change: AlertEventDocument['change'], at: number, alert: AlertDocument): void => {
      number++;
      events.push({
        id: alertEventIdOf(number),
        type: 'alertEvent',
        buildingId: building.buildingId,
        tenantId: alert.tenantId,
        number,
        change,
        at,
        alert: toldAlert(alert),
        ttl: keepSeconds,
      });
    };
    const over = (
      alert: AlertDocument,
      at: number,
      because: AlertDocument['clearedBecause'],
    ): AlertDocument => ({
      ...alert,
      clearedAt: at,
      clearedBecause: because,
      ttl: keepSeconds,
    });
    for (const effect of effects) {
      const position = { incarnation, partition, sequence: effect.sequence };
      if (isDecided(effect, decided)) {
        // Another owner has come further, and has decided on this event.
        found = true;
        continue;
      }
      if (effect.kind === 'raise') {
        if (standing().some((each) => isSame(each, effect))) {
          found = true;
          continue;
        }
        const alert = alertOf(effect, position);
        alerts.set(alert.id, alert);
        tell('RAISED', effect.raisedAt, alert);
        if (effect.clearedAt !== null) {
          const ended = over(alert, effect.clearedAt, 'BACK_IN_ORDER');
          alerts.set(alert.id, ended);
          tell('CLEARED', effect.clearedAt, ended);
        }
      } else {
        const alert = standing().find(
          (each) =>
            each.clearedAt === null && each.tenantId === effect.tenantId && storedKeyOf(each) === effect.key,
        );
        if (alert === undefined) {
          found = true;
          continue;
        }
        const ended = over({ ...alert, position }, Math.max(effect.at, alert.raisedAt), effect.because);
        alerts.set(ended.id, ended);
        tell('CLEARED', ended.clearedAt!, ended);
      }
      sequence = Math.max(sequence, effect.sequence);
    }
    // An event with more than a batch's effects is decided once the last of them is stored.
    if (next?.ofEvent && next.sequence === sequence) sequence = Math.max(decided, sequence - 1);
    const head: AlertHeadDocument = {
      ...(view.head ?? { id: ALERT_HEAD_ID, type: 'alertHead', buildingId: building.buildingId }),
      number,
      position: { incarnation, partition, sequence },
    };
    return { alerts: [...alerts.values()], events, head, found };
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

/** Whoever has stored what the clock found after an event may not have stored all that it found, unlike the event's own. */
function isDecided({ sequence, ofEvent }: Effect, decided: number): boolean {
  return sequence < decided || (ofEvent === true && sequence === decided);
}

/** The oldest effects, an event's all or none where they have room. */
function batchOf(effects: readonly Effect[]): Effect[] {
  const isWithin = (at: number): boolean =>
    effects[at]?.ofEvent === true && effects[at].sequence === effects[at - 1]?.sequence;
  let length = Math.min(EFFECTS_A_BATCH, effects.length);
  while (length > 0 && isWithin(length)) length--;
  return effects.slice(0, length > 0 ? length : EFFECTS_A_BATCH);
}

function alertOf(
  effect: Extract<Effect, { kind: 'raise' }>,
  position: AlertDocument['position'],
): AlertDocument {
  const { rule, subject, onset, raisedAt, buildingId, tenantId, condition, value } = effect;
  const id = alertIdOf(rule, subject, onset);
  return {
    id,
    type: 'alert',
    buildingId,
    tenantId,
    ruleId: rule.id,
    ruleRevision: rule.revision,
    ruleName: rule.name,
    severity: rule.severity,
    subject,
    condition,
    onset,
    raisedAt,
    value,
    clearedAt: null,
    clearedBecause: null,
    acknowledged: null,
    position,
    sortKey: alertSortKeyOf(raisedAt, id),
  };
}

/**
 * Whether what was found is an alert that stands: of the same rule, revision and subject, while the one held the other did.
 * A replay that begins in the midst of it, or an owner whose clock differs by a second, finds another onset.
 */
function isSame(alert: AlertDocument, effect: Extract<Effect, { kind: 'raise' }>): boolean {
  if (alert.id === alertIdOf(effect.rule, effect.subject, effect.onset)) return true;
  if (alert.tenantId !== effect.tenantId || storedKeyOf(alert) !== effect.key) return false;
  return effect.onset < (alert.clearedAt ?? Infinity) && (effect.clearedAt ?? Infinity) > alert.onset;
}

function isKnown({ alerts }: AlertsView, effect: Extract<Effect, { kind: 'raise' }>): boolean {
  return alerts.some((each) => isSame(each, effect));
}

function storedKeyOf({ ruleId, ruleRevision, subject }: AlertDocument): string {
  return keyOf({ id: ruleId, revision: ruleRevision }, subject);
}

function ownKeyOf(alert: AlertDocument): string {
  return `${alert.tenantId} ${storedKeyOf(alert)}`;
}

function activeOf(alert: AlertDocument): ActiveAlert & { tenantId: string } {
  const { tenantId, ruleId, ruleRevision: revision, subject, onset, raisedAt, value } = alert;
  return { tenantId, key: storedKeyOf(alert), ruleId, revision, subject, onset, raisedAt, value };
}

function activeOfEffect(effect: Extract<Effect, { kind: 'raise' }>): ActiveAlert & { tenantId: string } {
  const { tenantId, key, rule, subject, onset, raisedAt, value } = effect;
  return { tenantId, key, ruleId: rule.id, revision: rule.revision, subject, onset, raisedAt, value };
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
