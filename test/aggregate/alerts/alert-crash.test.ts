import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { createEngine } from '../../../src/aggregate/engine';
import { createAlertMetrics } from '../../../src/aggregate/alerts/metrics';
import {
  type AlertsSnapshot,
  createPartitionAlerts,
  type PartitionAlerts,
} from '../../../src/aggregate/alerts/partition-alerts';
import { LATE_WITHIN_MS } from '../../../src/aggregate/alerts/progress';
import { horizonsFor } from '../../../src/aggregate/horizons';
import { partitionOf } from '../../../src/domain/partition';
import { createMetrics } from '../../../src/observability/metrics';
import {
  ALERT_RULE_TENANTS,
  type AlertDocument,
  type AlertEventDocument,
  type AlertHeadDocument,
  type AlertRuleDocument,
} from '../../../src/store/alert-documents';
import { type AlertRules, createAlertRules } from '../../../src/store/alert-rules';
import { createAlertsStore } from '../../../src/store/alerts-store';
import { type BuildingInventory, createBuildingInventory } from '../../../src/store/building-inventory';
import { type StreamProducer } from '../../../src/stream/producer';
import { decodeAlertEvent } from '../../../src/stream/alerts';
import { SCHEMA_PROPERTY } from '../../../src/stream/frame';
import { logger, startStore, type Store, tapped } from '../../store/store.support';
import { eventually } from '../../support/eventually';
import { above, buildEngine, buildRule, episodesFrom, frame, type Sent, START } from './alert-house';
import { type Episode, episodesOf } from './alert-model';

const RUNS = Number(process.env.ALERT_RUNS ?? 4);
jest.setTimeout(120_000 + 10_000 * RUNS);

const INCARNATION = '1790000000000-1';
/** How far back a replay without a snapshot begins for the averages' sake alone. */
const REPLAYED_MS = 840_000;

interface StreamEvent {
  sequence: number;
  enqueuedAt: number;
  rows: Sent[];
}

/** One life of an owner: what it has applied lies in memory, what it has found goes to the store. */
interface Owner {
  alerts: PartitionAlerts;
  sequence: number;
  second: number;
  apply(event: StreamEvent): void;
  /** As far as the last event's instant. */
  snapshot(): Kept | undefined;
}

interface Kept {
  sequence: number;
  second: number;
  alerts: AlertsSnapshot;
}

/** What happens after an event. */
type Fault =
  | { kind: 'killed'; from: 'snapshot' | 'older snapshot' | 'checkpoint'; settled: boolean }
  | { kind: 'second owner'; events: number }
  | { kind: 'snapshot' }
  | { kind: 'settle' };

const fault: fc.Arbitrary<Fault | null> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(null) },
  { weight: 3, arbitrary: fc.constant<Fault>({ kind: 'snapshot' }) },
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'settle' }) },
  {
    weight: 3,
    arbitrary: fc.record<Fault & { kind: 'killed' }>({
      kind: fc.constant('killed'),
      from: fc.constantFrom('snapshot', 'older snapshot', 'checkpoint'),
      settled: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record<Fault & { kind: 'second owner' }>({
      kind: fc.constant('second owner'),
      events: fc.integer({ min: 1, max: 12 }),
    }),
  },
);

interface Step {
  gap: number;
  point: number;
  value: number;
  /** A reading of an instant that was read before. */
  repeats?: boolean;
  /** Milliseconds. */
  late?: number;
  fault?: Fault | null;
}

const history: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    gap: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 200, max: 20_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 700_000 }) },
    ),
    point: fc.integer({ min: 0, max: 2 }),
    value: fc.integer({ min: 0, max: 9 }),
    repeats: fc.boolean(),
    fault,
  }),
  { minLength: 30, maxLength: 90 },
);

/**
 * Readings come late and out of order. What follows from them hangs on what was told before, so that only who knows the
 * stream from its beginning, or from a snapshot, can find what another has found.
 */
const lateHistory: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    gap: fc.integer({ min: 200, max: 20_000 }),
    point: fc.integer({ min: 0, max: 2 }),
    value: fc.integer({ min: 0, max: 9 }),
    repeats: fc.boolean(),
    late: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 280_000, max: 310_000 }),
    ),
    fault: fault.map((each) => (each?.kind === 'killed' && each.from === 'checkpoint' ? null : each)),
  }),
  { minLength: 30, maxLength: 90 },
);

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.stop());

const RULES = (tenantId: string, kinds?: readonly string[]): AlertRuleDocument[] =>
  [
    { id: 'at_once', condition: above(5, 1) },
    { id: 'held', condition: above(4, 1, 30_000) },
    {
      id: 'fast',
      condition: { kind: 'RATE_OF_CHANGE', change: 4, withinMs: 30_000, direction: 'ANY' } as const,
    },
  ]
    .filter(({ id }) => kinds?.includes(id) !== false)
    .map((each) =>
      buildRule({
        ...each,
        id: `alr_${tenantId}_${each.id}`,
        tenantId,
        key: `alertRules:${tenantId}`,
        changedAt: START,
      }),
    );

describe('alerts, while owners die, are doubled, and lose what they kept', () => {
  it('are stored once each, with the onset that the readings have, and told in order without a hole', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => inNewBuilding({ steps, expected: inOrder })),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('go by what was read first, where the replay begins between a reading and its repeat with another value', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) =>
        inNewBuilding({ steps, kinds: ['at_once', 'held'], otherValues: true, expected: inOrder }),
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('are those of an owner that never died, where readings come late', async () => {
    await fc.assert(
      fc.asyncProperty(lateHistory, async (steps) =>
        inNewBuilding({
          steps: [{ gap: 400_000, point: 0, value: 0 }, ...steps],
          checkpoints: false,
          expected: ofOneOwner,
        }),
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('are not cleared by the first reading of a point that neither a replay nor a snapshot of it had heard', async () => {
    // Found by chance, and kept.
    await fc.assert(
      fc.asyncProperty(history, async (steps) => inNewBuilding({ steps, expected: inOrder })),
      { numRuns: 1, seed: 868_549_182, path: '7', endOnFailure: true },
    );
  });

  it('are not lost where a late reading parts what was told from what was not, after a replay', async () => {
    const killed: Fault = { kind: 'killed', from: 'snapshot', settled: true };
    for (const [isLast, snapshot] of [
      [true, true],
      [false, true],
      [true, false],
      [false, false],
    ]) {
      await inNewBuilding({
        steps: [
          { gap: 60_000, point: 1, value: 0, fault: snapshot ? { kind: 'snapshot' } : null },
          { gap: 1_000, point: 0, value: 9 },
          // It was so before, but was told since then.
          { gap: 1_000, point: 0, value: 9, late: 10_000 },
          { gap: 1_000, point: 0, value: 1, ...(isLast && { fault: killed }) },
          { gap: 1_000, point: 2, value: 9, ...(!isLast && { fault: killed }) },
          // And not without a break: what was before the break was never told.
          { gap: 1_000, point: 0, value: 1, late: 9_000 },
        ],
        expected: ofOneOwner,
      });
    }
  });
});

let run = 0;

/** Lives through the steps in a building of its own, and looks at what is stored of it. */
async function inNewBuilding(given: {
  steps: Step[];
  /** Whether a checkpoint moves, so that what is before it is not read again. */
  checkpoints?: boolean;
  /** Of the rules; all where left out. */
  kinds?: readonly string[];
  /** Whether what is read again within five minutes may say another thing although checkpoints move. */
  otherValues?: boolean;
  expected: Expected;
}): Promise<void> {
  const tenantId = `ten_${process.pid}_${++run}`;
  const buildingId = `bld_${process.pid}_${run}`;
  await store.cosmos.bulkUpsert('directory', [
    { id: tenantId, key: ALERT_RULE_TENANTS, kind: 'alertRuleTenant', tenantId } as never,
    { id: buildingId, key: `tenant:${tenantId}`, kind: 'building', tenantId } as never,
    ...RULES(tenantId, given.kinds),
  ]);
  const rules = createAlertRules({ cosmos: store.cosmos, logger });
  const inventory = createBuildingInventory({ cosmos: store.cosmos, logger });
  await Promise.all([rules.start(), inventory.start()]);
  try {
    await live({ checkpoints: true, ...given, tenantId, buildingId, rules, inventory, published: [] });
  } finally {
    await Promise.all([rules.stop(), inventory.stop()]);
  }
}

/** What should be stored of a rule and a point, in the order of their onsets. */
type Expected = (
  rule: AlertRuleDocument,
  point: number,
  events: readonly StreamEvent[],
  now: number,
) => Episode[];

const inOrder: Expected = ({ condition }, point, events, now) => {
  const readings = events.flatMap(({ rows }) => rows).filter((row) => row.pointOrdinal === point);
  return episodesOf(condition, readings, now - 1_000);
};

const ofOneOwner: Expected = (rule, point, events, now) => {
  const { engine, effects } = buildEngine([rule]);
  for (const { sequence, enqueuedAt, rows } of events) {
    engine.advance(Math.floor(enqueuedAt / 1000), false);
    const decoded = frame(rows);
    for (const each of decoded.buildings) each.tenantId = rule.tenantId;
    engine.apply(decoded, sequence, enqueuedAt);
  }
  engine.advance(Math.floor(now / 1000), false);
  return episodesFrom(effects, `${rule.id} ${rule.revision} pnt_${point}`);
};

async function live(given: {
  steps: Step[];
  checkpoints: boolean;
  kinds?: readonly string[];
  otherValues?: boolean;
  expected: Expected;
  tenantId: string;
  buildingId: string;
  rules: AlertRules;
  inventory: BuildingInventory;
  published: AlertEventDocument[];
}): Promise<void> {
  const { steps, tenantId, buildingId, published } = given;
  expect(partitionOf(buildingId, 1)).toBe(0);
  let now = START;
  const events: StreamEvent[] = [];
  const kept: Kept[] = [];
  let checkpoint = -1;
  let underWay = 0;
  const cosmos = tapped(store.cosmos, { before: () => void underWay++, ended: () => void underWay-- });

  const begin = async (restored: Kept | undefined): Promise<Owner> => {
    const sequence = restored?.sequence ?? checkpoint;
    const averages = createEngine({
      incarnation: INCARNATION,
      partition: 0,
      horizons: horizonsFor(300_000),
      expected: () => 3,
      onFinal: () => undefined,
      now: () => now,
    });
    const alerts = createPartitionAlerts({
      logger,
      shared: {
        metrics: createAlertMetrics(createMetrics({ process: 'test' })),
        rules: given.rules,
        inventory: given.inventory,
        store: createAlertsStore({ cosmos }),
        gatewaysHeard: () => true,
        keepSeconds: 86_400,
      },
      producer: {
        partitionCount: 1,
        send: async (_partition: number, schema: string, bodies: readonly Buffer[]) => {
          for (const each of bodies) published.push(decodeAlertEvent(each, { [SCHEMA_PROPERTY]: schema }));
        },
      } as unknown as StreamProducer,
      averages,
      expected: () => 3,
      incarnation: INCARNATION,
      partition: 0,
      ...(restored && { restored: structuredClone(restored) }),
      now: () => now,
    });
    await alerts.open();
    const owner: Owner = {
      alerts,
      sequence,
      second: restored?.second ?? 0,
      apply(event) {
        if (event.sequence <= owner.sequence) return;
        owner.second = Math.floor(event.enqueuedAt / 1000);
        alerts.advance(owner.second, false);
        const decoded = frame(event.rows.map((row) => ({ ...row, buildingId })));
        for (const each of decoded.buildings) each.tenantId = tenantId;
        alerts.apply(decoded, event.sequence, event.enqueuedAt);
        alerts.pump();
        owner.sequence = event.sequence;
      },
      snapshot() {
        const packed = alerts.pack();
        return packed && structuredClone({ sequence: owner.sequence, second: owner.second, alerts: packed });
      },
    };
    // What it has not seen yet comes first.
    for (const event of events) owner.apply(event);
    return owner;
  };

  const moveCheckpoint = ({ alerts }: Owner): void => {
    const needed = Math.min(now - REPLAYED_MS, alerts.neededSince());
    for (const event of events) {
      const next = events[event.sequence + 1];
      if (event.sequence > checkpoint && next !== undefined && next.enqueuedAt <= needed)
        checkpoint = event.sequence;
    }
  };

  const settle = async ({ alerts }: Owner): Promise<void> => {
    // What is found while it is stored is stored too.
    await alerts.close(10_000);
  };

  let owner = await begin(undefined);
  let second: { owner: Owner; ends: number } | undefined;
  const recent: Sent[] = [];
  for (const step of steps) {
    now += step.gap;
    const repeated = step.repeats ? recent.at(-1 - (step.value % 3)) : undefined;
    // A replay that begins between the two knows nothing of the first. Of a rule of change, and of what is repeated later
    // than five minutes after, it takes the other value for what was read.
    const isTold =
      !given.checkpoints ||
      (given.otherValues === true && repeated !== undefined && now - repeated.observedAt <= LATE_WITHIN_MS);
    const other = repeated && (isTold ? 9 - repeated.value : repeated.value);
    const row: Sent = repeated
      ? { ...repeated, value: other! }
      : {
          observedAt: now - 150 - (step.late ?? 0),
          value: step.value,
          pointOrdinal: step.point,
          deviceOrdinal: step.point,
        };
    if (!repeated) recent.push(row);
    const event = { sequence: events.length, enqueuedAt: now, rows: [row] };
    events.push(event);
    owner.apply(event);
    second?.owner.apply(event);
    if (second !== undefined && events.length >= second.ends) second = undefined;
    const found = step.fault ?? null;
    // What is written is written while more comes.
    if (step.value % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    if (found === null) continue;
    if (found.kind === 'snapshot') {
      const snapshot = owner.snapshot();
      if (snapshot) kept.push(snapshot);
      if (given.checkpoints) moveCheckpoint(owner);
    } else if (found.kind === 'settle') {
      await settle(owner);
      owner = await begin(owner.snapshot());
    } else if (found.kind === 'second owner') {
      second = { owner: await begin(kept.at(-1)), ends: events.length + found.events };
    } else {
      if (found.settled) await settle(owner);
      const from =
        found.from === 'checkpoint' ? undefined : found.from === 'snapshot' ? kept.at(-1) : kept.at(-3);
      // A snapshot from before the checkpoint is of no use.
      owner = await begin(from !== undefined && from.sequence >= checkpoint ? from : undefined);
    }
  }
  now += 600_000;
  owner.alerts.advance(Math.floor(now / 1000), false);
  await settle(owner);
  // What a former life still had under way ends too.
  await eventually(async () => {
    expect(underWay).toBe(0);
    // Who goes on from one call to the next has begun that by now.
    await setImmediate();
    expect(underWay).toBe(0);
  });

  const stored = await store.cosmos.query<AlertDocument>(
    'alerts',
    buildingId,
    "SELECT * FROM c WHERE c.sortKey > ''",
  );
  for (const rule of RULES(tenantId, given.kinds)) {
    for (const point of [0, 1, 2]) {
      const { id } = rule;
      const found = stored
        .filter(({ ruleId, subject }) => ruleId === id && subject.pointId === `pnt_${point}`)
        .map(({ onset, raisedAt, clearedAt }) => ({ onset, raisedAt, clearedAt }))
        .sort((a, b) => a.onset - b.onset);
      expect({ id, point, found }).toEqual({ id, point, found: given.expected(rule, point, events, now) });
    }
  }
  const head = await store.cosmos.read<AlertHeadDocument>('alerts', buildingId, 'alh_head');
  const numbers = Array.from({ length: head?.number ?? 0 }, (_, i) => i + 1);
  const changes = stored.reduce((sum, { clearedAt }) => sum + (clearedAt === null ? 1 : 2), 0);
  expect(numbers).toHaveLength(changes);
  const told = published.filter((each) => each.buildingId === buildingId).map(({ number }) => number);
  expect([...new Set(told)].sort((a, b) => a - b)).toEqual(numbers);
}
