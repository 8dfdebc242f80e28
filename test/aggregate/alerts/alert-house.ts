import { type AlertCondition } from '../../../src/domain/alert';
import {
  createAlertEngine,
  type AlertEngine,
  type AlertEngineOptions,
} from '../../../src/aggregate/alerts/alert-engine';
import { type Effect } from '../../../src/aggregate/alerts/effect';
import { type AlertRuleDocument, alertRulesOf } from '../../../src/store/alert-documents';
import { type Frame } from '../../../src/stream/frame';
import { type Row } from '../plain-model';
import { frameOf } from '../random-stream';
import { type Episode } from './alert-model';

/** 1 September 2026: a whole number of minutes. */
export const START = 1_788_220_800_000;

export function buildRule(parts: Partial<AlertRuleDocument> = {}): AlertRuleDocument {
  return {
    id: 'alr_1',
    key: alertRulesOf('ten_a'),
    kind: 'alertRule',
    tenantId: 'ten_a',
    name: 'Too warm',
    severity: 'MAJOR',
    quantity: 'AIR_TEMPERATURE',
    scope: { buildingId: null, spaceId: null, deviceId: null },
    condition: above(30),
    enabled: true,
    revision: 1,
    createdAt: START,
    changedAt: START,
    endedAt: null,
    sortKey: 'Too warm\nalr_1',
    ...parts,
  };
}

export function above(high: number, hysteresis = 0, forMs = 0): AlertCondition {
  return { kind: 'READING', comparison: 'ABOVE', low: null, high, hysteresis, forMs };
}

export type Sent = Pick<Row, 'observedAt' | 'value'> & Partial<Row>;

/** Some readings as one event. */
export function frame(rows: readonly Sent[]): Frame {
  return frameOf(
    rows.map((row) => ({
      sequence: 0,
      enqueuedAt: 0,
      buildingId: 'bld_a',
      spaceId: 'spc_a',
      quantity: 1,
      pointOrdinal: 0,
      deviceOrdinal: 0,
      ...row,
    })),
  );
}

/** An engine of its own, and what it has found. */
export function buildEngine(
  rules: readonly AlertRuleDocument[],
  house: Partial<AlertEngineOptions> = {},
): { engine: AlertEngine; effects: Effect[] } {
  const effects: Effect[] = [];
  const engine = createAlertEngine({
    learns: false,
    placeValue: () => undefined,
    expected: () => 4,
    inventoryOf: () => undefined,
    owns: () => true,
    notJudged: () => undefined,
    emit: (effect) => effects.push(effect),
    ...house,
  });
  for (const rule of rules) engine.setRule(rule);
  return { engine, effects };
}

/** The alerts that follow from effects, in the order of their onsets. */
export function episodesFrom(effects: readonly Effect[], key?: string): Episode[] {
  const episodes = new Map<string, Episode[]>();
  for (const effect of effects) {
    if (key !== undefined && effect.key !== key) continue;
    const list = episodes.get(effect.key) ?? [];
    episodes.set(effect.key, list);
    if (effect.kind === 'raise') {
      const { onset, raisedAt, clearedAt } = effect;
      list.push({ onset, raisedAt, clearedAt });
    } else {
      const open = list.filter(({ clearedAt }) => clearedAt === null);
      if (open.length !== 1) throw new Error(`${open.length} alerts are active where one is cleared`);
      open[0]!.clearedAt = effect.at;
    }
  }
  return [...episodes.values()].flat().sort((a, b) => a.onset - b.onset);
}
