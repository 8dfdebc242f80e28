import { type AlertSubject } from '../../domain/alert';
import { quantityNamed } from '../../domain/quantity';
import { type AlertRuleDocument } from '../../store/alert-documents';
import {
  type Condition,
  conditionOf,
  type DeviceCondition,
  type PlaceCondition,
  type PointCondition,
} from './conditions';

/** A rule as the engine looks at it. */
export interface Rule<Of extends Condition | undefined = Condition | undefined> {
  /** As it was written last; of one revision it says the same but for names. */
  document: AlertRuleDocument;
  readonly id: string;
  readonly revision: number;
  /** `Quantity.code`; undefined where the condition is of none. */
  readonly code: number | undefined;
  readonly condition: Of;
  /** How long what it looks for must hold, in milliseconds. */
  readonly forMs: number;
  /** Nothing that was observed before the rule stood is judged by it, so that a replay judges as its first reading did. */
  readonly since: number;
}

export type PointRule = Rule<PointCondition>;
export type PlaceRule = Rule<PlaceCondition>;
export type DeviceRule = Rule<DeviceCondition>;

export function ruleOf(document: AlertRuleDocument): Rule {
  const { condition, quantity } = document;
  return {
    document,
    id: document.id,
    revision: document.revision,
    code: quantity === null ? undefined : quantityNamed(quantity)?.code,
    condition: conditionOf(condition),
    forMs: 'forMs' in condition ? condition.forMs : 0,
    since: document.changedAt,
  };
}

/** Whether it raises anything. One that does not may still have alerts to clear. */
export function isInForce({ enabled, endedAt }: AlertRuleDocument): boolean {
  return enabled && endedAt === null;
}

export function isOfPoints(rule: Rule): rule is PointRule {
  return rule.code !== undefined && rule.condition?.of === 'points';
}

export function isOfPlaces(rule: Rule): rule is PlaceRule {
  return rule.code !== undefined && rule.condition?.of === 'places';
}

export function isOfDevices(rule: Rule): rule is DeviceRule {
  return rule.condition?.of === 'devices';
}

/** What a rule and a subject have one name for: at most one alert of it is active. */
export function keyOf(rule: { id: string; revision: number }, subject: AlertSubject): string {
  const { spaceId, deviceId, pointId, quantity } = subject;
  const of = pointId ?? deviceId ?? `${spaceId ?? ''} ${quantity ?? ''}`;
  return `${rule.id} ${rule.revision} ${of}`;
}
