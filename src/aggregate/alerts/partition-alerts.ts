import { setTimeout as delay } from 'node:timers/promises';
import { explain, type Logger } from '../../observability/logger';
import { type AlertRuleDocument } from '../../store/alert-documents';
import { type AlertRules } from '../../store/alert-rules';
import { type AlertsStore } from '../../store/alerts-store';
import { type BuildingInventory } from '../../store/building-inventory';
import { partitionOf } from '../../domain/partition';
import { type Frame } from '../../stream/frame';
import { partitionCountOf } from '../../stream/incarnation';
import { type StreamProducer } from '../../stream/producer';
import { type DevicesExpected, type Engine } from '../engine';
import { createAlertEngine } from './alert-engine';
import { type AlertMetrics } from './metrics';
import { createOutbox, type PackedOutbox } from './outbox';
import { type PackedAlerts } from './packed-alerts';
import { LEARNS_FOR_MS } from './progress';
import { createAlertPublisher } from './publisher';

/** What alerts have in common in all partitions of a worker. Started and stopped by the caller. */
export interface AlertsShared {
  metrics: AlertMetrics;
  rules: AlertRules;
  inventory: BuildingInventory;
  store: AlertsStore;
  /** Whether gateways were heard lately, so that a device that is not heard is silent itself. */
  gatewaysHeard(): boolean;
  /** How long an alert is kept after it was cleared. */
  keepSeconds: number;
}

/** In a snapshot. */
export interface AlertsSnapshot {
  engine: PackedAlerts;
  outbox: PackedOutbox;
}

/**
 * The alerts of one partition while this worker owns it. Averages go on without the store, but nothing can be judged before
 * the rules are known, or by a rule of a space before it is known what lies in it. From what came meanwhile no snapshot is
 * taken and no checkpoint moves; once all is known the partition is replayed from before it.
 */
export interface PartitionAlerts {
  /** Resolves once what is stored was taken up, or the store was found away: then it is, as soon as it answers. */
  open(): Promise<void>;
  /** `verdicts`: what the averages made of each row. */
  apply(frame: Frame, sequence: number, enqueuedAt: number, verdicts?: Uint8Array): void;
  /** Moves the engine's clock, and looks at what the clock alone changes. */
  advance(second: number, told: boolean): void;
  /** Starts the writes that are due. */
  pump(): void;
  /** What was enqueued at or after this instant (ms) may be needed by a replay without a snapshot; Infinity for nothing. */
  neededSince(): number;
  /** Why what was applied must be applied again, now that it can be judged or stored; undefined where it need not. */
  needsReplay(): string | undefined;
  /** Undefined while something was given up, or could not be judged, and is in no snapshot. */
  pack(): AlertsSnapshot | undefined;
  close(withinMs: number): Promise<void>;
}

/** A condition that waits for longer begins anew after a replay without a snapshot, rather than have it take hours. */
const LONGEST_NEEDED_MS = 3_600_000;
const MAXIMUM_EFFECTS = 20_000;
const WRITES_AT_ONCE = 4;
const OPEN_WITHIN_MS = 3_000;
const AGAIN_MS = 2_000;
const HEADS_AT_ONCE = 1_000;
const SECONDS_AT_ONCE = 600;

export function createPartitionAlerts(options: {
  logger: Logger;
  shared: AlertsShared;
  producer: StreamProducer;
  averages: Pick<Engine, 'advance' | 'placeValue' | 'second'>;
  expected: DevicesExpected;
  incarnation: string;
  partition: number;
  restored?: { alerts?: AlertsSnapshot; sequence: number; second: number };
  now(): number;
}): PartitionAlerts {
  const { logger, shared, averages, incarnation, partition, restored, now } = options;
  const { rules, inventory, store, metrics } = shared;
  const publisher = createAlertPublisher({ logger, metrics, producer: options.producer, partition });
  const engine = createAlertEngine({
    learns: restored === undefined,
    placeValue: (of, within) => averages.placeValue(of, within),
    expected: options.expected,
    inventoryOf: (buildingId) => inventory.of(buildingId),
    owns: (buildingId) => owns(buildingId),
    notJudged: (buildingId) => void notJudged.add(buildingId),
    emit: (effect) => outbox.add(effect),
  });
  const outbox = createOutbox({
    logger,
    metrics,
    store,
    incarnation,
    partition,
    publish: publisher.publish,
    adopt: ({ buildingId, active, decidedBefore }) => engine.adopt(buildingId, active, decidedBefore),
    keepSeconds: shared.keepSeconds,
    maximumEffects: MAXIMUM_EFFECTS,
    writesAtOnce: WRITES_AT_ONCE,
    ...(restored?.alerts && { restored: restored.alerts.outbox }),
    now,
  });
  const partitionCount = partitionCountOf(incarnation);
  const owns = (buildingId: string): boolean => partitionOf(buildingId, partitionCount) === partition;
  const ends: (() => void)[] = [];
  let closed = false;
  /** It was opened before the rules were known: nothing is judged, taken up or stored, not even what a snapshot holds. */
  let isBlind = false;
  /** Buildings of which readings came before it was known which of their spaces lie in a rule's. */
  const notJudged = new Set<string>();
  /** Rules whose buildings' stored alerts are still to be taken up. */
  const untaken = new Set<AlertRuleDocument>();
  let taking: Promise<void> | undefined;

  const buildingsOf = async (some: readonly AlertRuleDocument[]): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const tenants = new Set<string>();
    for (const { tenantId, scope } of some) {
      if (scope.buildingId !== null) found.set(scope.buildingId, tenantId);
      else tenants.add(tenantId);
    }
    for (const tenantId of tenants) {
      for (const buildingId of await rules.buildingsOf(tenantId)) found.set(buildingId, tenantId);
    }
    for (const buildingId of found.keys()) if (!owns(buildingId)) found.delete(buildingId);
    return found;
  };

  const takeUp = async (some: readonly AlertRuleDocument[]): Promise<void> => {
    const of = await buildingsOf(some);
    const ofSpaces = some.flatMap(({ scope }) =>
      scope.spaceId !== null && scope.buildingId !== null && owns(scope.buildingId) ? [scope.buildingId] : [],
    );
    for (const buildingId of new Set(ofSpaces)) await inventory.read(buildingId);
    for (const [buildingId, tenantId] of of) engine.watch(tenantId, buildingId);
    const ids = [...new Set([...of.keys(), ...engine.buildings.keys()])];
    for (let start = 0; start < ids.length; start += HEADS_AT_ONCE) {
      await outbox.catchUp(ids.slice(start, start + HEADS_AT_ONCE));
    }
    outbox.pump();
  };

  const takeUntaken = async (): Promise<void> => {
    while (untaken.size > 0 && !closed) {
      const some = [...untaken];
      try {
        await takeUp(some);
        for (const each of some) untaken.delete(each);
      } catch (error) {
        logger.warn({ partition, error: explain(error) }, 'stored alerts cannot be read');
        await delay(AGAIN_MS, undefined, { ref: false });
      }
    }
  };
  /** Of a space's rule first what lies there, so that no reading comes between: until then the rule is not followed yet. */
  const follow = async (rule: AlertRuleDocument): Promise<void> => {
    const { spaceId, buildingId } = rule.scope;
    if (spaceId !== null && buildingId !== null && owns(buildingId)) {
      await inventory.read(buildingId).catch(() => undefined);
    }
    if (closed) return;
    engine.setRule(rule);
    outbox.pump();
    untaken.add(rule);
    await take();
  };
  const isUnjudged = (): boolean => isBlind || notJudged.size > 0;
  const take = (): Promise<void> => (taking ??= takeUntaken().finally(() => (taking = undefined)));

  return {
    async open() {
      isBlind = !rules.known();
      if (isBlind) {
        logger.warn({ partition }, 'alerts wait until the rules can be read, and are then found by a replay');
        return;
      }
      for (const rule of rules.all()) {
        engine.setRule(rule);
        untaken.add(rule);
      }
      if (restored?.alerts) engine.restore(restored.alerts.engine, restored);
      ends.push(
        rules.onRule((rule) => void follow(rule)),
        inventory.onDevice((buildingId, deviceId, device) => {
          engine.deviceChanged(buildingId, deviceId, device);
          outbox.pump();
        }),
      );
      if (untaken.size > 0) await Promise.race([take(), delay(OPEN_WITHIN_MS, undefined, { ref: false })]);
    },
    apply(frame, sequence, enqueuedAt, verdicts) {
      if (!isBlind) engine.apply(frame, sequence, enqueuedAt, verdicts);
    },
    advance(to, current) {
      if (isBlind) {
        averages.advance(to);
        return;
      }
      const told = current && shared.gatewaysHeard();
      if (!engine.everySecond || averages.second === 0) {
        averages.advance(to);
        engine.advance(to, told);
        return;
      }
      for (let second = Math.max(averages.second + 1, to - SECONDS_AT_ONCE); second <= to; second++) {
        averages.advance(second);
        engine.advance(second, told);
      }
    },
    pump() {
      if (!isBlind) outbox.pump();
    },
    neededSince() {
      if (isUnjudged()) return -Infinity;
      const waitsSince = Math.max(engine.neededSince(), now() - LONGEST_NEEDED_MS);
      return Math.min(outbox.neededSince(), waitsSince) - LEARNS_FOR_MS;
    },
    needsReplay() {
      if (outbox.needsReplay()) return 'alerts were given up while Cosmos was away';
      if (isBlind) return rules.known() ? 'the alert rules are known only now' : undefined;
      if (notJudged.size === 0) return undefined;
      for (const buildingId of notJudged) if (inventory.of(buildingId) === undefined) return undefined;
      return 'what lies in the spaces of alert rules is known only now';
    },
    pack() {
      if (isUnjudged()) return undefined;
      const packed = outbox.pack();
      return packed && { engine: engine.pack(), outbox: packed };
    },
    async close(withinMs) {
      closed = true;
      for (const end of ends.splice(0)) end();
      if (!isBlind) await outbox.drain(withinMs);
      await publisher.idle();
      publisher.stop();
    },
  };
}
