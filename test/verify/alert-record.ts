import { setTimeout as delay } from 'node:timers/promises';
import { createAlertEngine } from '../../src/aggregate/alerts/alert-engine';
import { type Effect } from '../../src/aggregate/alerts/effect';
import { DUPLICATE } from '../../src/aggregate/engine';
import { alertIdOf } from '../../src/domain/alert';
import { REPEATED_WITHIN_MS } from '../../src/domain/reading';
import {
  ALERT_RULE_TENANTS,
  type AlertDocument,
  type AlertEventDocument,
  type AlertHeadDocument,
  type AlertRuleDocument,
  alertRulesOf,
  type AlertRuleTenantDocument,
} from '../../src/store/alert-documents';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';
import { type PlatformEndpoints } from '../support/platform';
import { type Frame } from '../../src/stream/frame';
import { readFrames } from './stream-readings';

/** Rules over a random load, and what they should have raised against what is stored. */
export interface AlertRecord {
  /** Compares all that is stored of the buildings with the events that the stream holds. */
  compare(): Promise<{ counts: Record<string, number>; differences: string[] }>;
  stop(): void;
}

const SETTLES_WITHIN_MS = 60_000;

/**
 * What should be there is what one engine finds that reads the whole stream from its first event to its last, and never
 * dies: alert by alert, by the ids that follow from rule, subject and onset.
 */
export async function startAlertRecord(options: {
  endpoints: PlatformEndpoints;
  tenantId: string;
  buildingIds: readonly string[];
}): Promise<AlertRecord> {
  const { endpoints, tenantId, buildingIds } = options;
  const [, endpoint, key] = /AccountEndpoint=([^;]+);AccountKey=([^;]+)/.exec(endpoints.cosmos)!;
  const cosmos = createCosmos({ endpoint: endpoint!, key: key! }, 'atrium');
  const rules = buildingIds.flatMap((buildingId, index) => rulesOf(tenantId, buildingId, index));
  const tenant: AlertRuleTenantDocument = {
    id: tenantId,
    key: ALERT_RULE_TENANTS,
    kind: 'alertRuleTenant',
    tenantId,
  };
  await cosmos.bulkUpsert('directory', [tenant]);
  await cosmos.bulkUpsert('directory', rules);

  const expected = async (): Promise<Map<string, Expected>> => {
    const effects: Effect[] = [];
    const engine = createAlertEngine({
      learns: false,
      placeValue: () => undefined,
      expected: () => undefined,
      inventoryOf: () => undefined,
      owns: () => true,
      notJudged: () => undefined,
      emit: (effect) => effects.push(effect),
    });
    for (const rule of rules) engine.setRule(rule);
    const verdictsOn = createRepeats();
    await readFrames(endpoints.eventHubs, (frame, event) => {
      const enqueuedAt = event.enqueuedTimeUtc.getTime();
      engine.apply(frame, event.sequenceNumber, enqueuedAt, verdictsOn(frame, enqueuedAt));
    });
    return alertsOf(effects);
  };

  const differencesNow = async (): Promise<{ counts: Record<string, number>; differences: string[] }> => {
    const wanted = await expected();
    const differences: string[] = [];
    let compared = 0;
    let events = 0;
    for (const buildingId of buildingIds) {
      const stored = await alertsStored(cosmos, buildingId);
      const of = [...wanted.values()].filter((each) => each.buildingId === buildingId);
      compared += of.length;
      for (const each of of) {
        const found = stored.get(each.id);
        if (found === undefined) differences.push(`an alert is lost: ${JSON.stringify(each)}`);
        else if (found.clearedAt !== each.clearedAt) {
          differences.push(`an alert is over at ${found.clearedAt}, not as ${JSON.stringify(each)}`);
        }
      }
      for (const each of stored.values()) {
        if (!wanted.has(each.id)) differences.push(`an alert too many: ${JSON.stringify(each)}`);
      }
      const { told, wrong } = await eventsStored(cosmos, buildingId, stored);
      events += told;
      differences.push(...wrong);
    }
    return { counts: { 'alerts compared': compared, 'alert events compared': events }, differences };
  };

  return {
    async compare() {
      const deadline = Date.now() + SETTLES_WITHIN_MS;
      for (;;) {
        const outcome = await differencesNow();
        if (outcome.differences.length === 0 || Date.now() > deadline) return outcome;
        await delay(2_000);
      }
    },
    stop: () => cosmos.stop(),
  };
}

/**
 * Which readings repeat one that came before, in the plainest way: the first of an identity in stream order stands, and what
 * is without a time is known by its message while that comes again within five minutes.
 */
function createRepeats(): (frame: Frame, enqueuedAt: number) => Uint8Array {
  const dated = new Set<string>();
  const arrivedAt = new Map<string, number>();
  return ({ points, point, observedAt, undated, buildings, count }, enqueuedAt) => {
    const verdicts = new Uint8Array(count);
    const messages = new Map(undated.map((each) => [each.row, each]));
    for (let row = 0; row < count; row++) {
      const { building, pointOrdinal } = points[point[row]!]!;
      const of = `${buildings[building]!.buildingId} ${pointOrdinal}`;
      const message = messages.get(row);
      let repeats = false;
      if (message === undefined) {
        const identity = `${of} ${observedAt[row]}`;
        repeats = dated.has(identity);
        dated.add(identity);
      } else if (message.messageId !== null) {
        const identity = `${of} ${message.messageId} ${message.messageIndex}`;
        repeats = enqueuedAt - (arrivedAt.get(identity) ?? -Infinity) < REPEATED_WITHIN_MS;
        arrivedAt.set(identity, enqueuedAt);
      }
      if (repeats) verdicts[row] = DUPLICATE;
    }
    return verdicts;
  };
}

interface Expected {
  id: string;
  buildingId: string;
  onset: number;
  clearedAt: number | null;
}

function alertsOf(effects: readonly Effect[]): Map<string, Expected> {
  const found = new Map<string, Expected>();
  const active = new Map<string, Expected>();
  for (const effect of effects) {
    if (effect.kind === 'clear') {
      active.get(effect.key)!.clearedAt = effect.at;
      active.delete(effect.key);
      continue;
    }
    const { buildingId, onset, clearedAt } = effect;
    const alert = { id: alertIdOf(effect.rule, effect.subject, onset), buildingId, onset, clearedAt };
    found.set(alert.id, alert);
    if (clearedAt === null) active.set(effect.key, alert);
  }
  return found;
}

/** Two rules that are broken again and again by what a random stream holds: a bound, and a change. */
function rulesOf(tenantId: string, buildingId: string, index: number): AlertRuleDocument[] {
  const rule = (id: string, parts: Partial<AlertRuleDocument>): AlertRuleDocument => ({
    id: `alr_${buildingId}_${id}`,
    key: alertRulesOf(tenantId),
    kind: 'alertRule',
    tenantId,
    name: id,
    severity: 'MINOR',
    quantity: 'AIR_TEMPERATURE',
    scope: { buildingId, spaceId: null, deviceId: null },
    condition: { kind: 'READING', comparison: 'ABOVE', low: null, high: 24, hysteresis: 1, forMs: 0 },
    enabled: true,
    revision: 1,
    createdAt: 0,
    // Whatever was observed counts, however late the worker heard of the rule: nothing was sent before.
    changedAt: 0,
    endedAt: null,
    sortKey: `${id} ${index}`,
    ...parts,
  });
  return [
    rule('warm', {}),
    rule('sudden', {
      condition: { kind: 'RATE_OF_CHANGE', change: 3, withinMs: 120_000, direction: 'ANY' },
    }),
  ];
}

async function alertsStored(cosmos: Cosmos, buildingId: string): Promise<Map<string, AlertDocument>> {
  const stored = await cosmos.query<AlertDocument>(
    'alerts',
    buildingId,
    "SELECT * FROM c WHERE c.sortKey > ''",
  );
  return new Map(stored.map((each) => [each.id, each]));
}

/** Each change of each alert must have been told once, in numbers without a hole. */
async function eventsStored(
  cosmos: Cosmos,
  buildingId: string,
  alerts: ReadonlyMap<string, AlertDocument>,
): Promise<{ told: number; wrong: string[] }> {
  const head = await cosmos.read<AlertHeadDocument>('alerts', buildingId, 'alh_head');
  const events = await cosmos.query<AlertEventDocument>(
    'alerts',
    buildingId,
    "SELECT * FROM c WHERE c.id >= 'ale_' AND c.id < 'ale`'",
  );
  const numbers = events.map(({ number }) => number).sort((a, b) => a - b);
  const wrong: string[] = [];
  const dense = numbers.length === (head?.number ?? 0) && numbers.every((number, i) => number === i + 1);
  if (!dense) wrong.push(`the events of ${buildingId} have holes: ${numbers.length} to ${head?.number}`);
  const told = new Set(events.map(({ alert, change }) => `${alert.id} ${change}`));
  if (told.size !== events.length)
    wrong.push(`${events.length - told.size} changes of ${buildingId} are told twice`);
  for (const { id, clearedAt } of alerts.values()) {
    if (!told.has(`${id} RAISED`)) wrong.push(`that ${id} was raised is told by no event`);
    if (clearedAt !== null && !told.has(`${id} CLEARED`))
      wrong.push(`that ${id} is over is told by no event`);
  }
  return { told: events.length, wrong };
}
