import { type AlertSubject } from '../../domain/alert';
import { quantityNamed } from '../../domain/quantity';
import { type AlertRuleDocument } from '../../store/alert-documents';

/** A rule as the engine looks at it. */
export interface Rule {
  /** As it was written last; of one revision it says the same but for names. */
  document: AlertRuleDocument;
  readonly id: string;
  readonly revision: number;
  /** `Quantity.code`; undefined where the condition is of none. */
  readonly code: number | undefined;
  /** How long what it looks for must hold, in milliseconds. */
  readonly forMs: number;
  /** Nothing that was observed before the rule stood is judged by it, so that a replay judges as its first reading did. */
  readonly since: number;
}

/**
 * Where a value stands: in order, above what is allowed, or below. Which bound was crossed says what counts as back in
 * order, hence two ways of being out of it.
 */
export type Side = 0 | 1 | 2;
export const IN_ORDER = 0;
export const ABOVE = 1;
export const BELOW = 2;

export function ruleOf(document: AlertRuleDocument): Rule {
  const { condition, quantity } = document;
  return {
    document,
    id: document.id,
    revision: document.revision,
    code: quantity === null ? undefined : quantityNamed(quantity)?.code,
    forMs: 'forMs' in condition ? condition.forMs : 0,
    since: document.changedAt,
  };
}

/** Whether it raises anything. One that does not may still have alerts to clear. */
export function isInForce({ enabled, endedAt }: AlertRuleDocument): boolean {
  return enabled && endedAt === null;
}

/** Whether it judges the readings of points. */
export function isOfPoints({ document, code }: Rule): boolean {
  const { kind } = document.condition;
  return code !== undefined && (kind === 'READING' || kind === 'STATE' || kind === 'RATE_OF_CHANGE');
}

/** Whether it judges a building or a space as a whole, second by second. */
export function isOfPlaces({ document, code }: Rule): boolean {
  const { kind } = document.condition;
  return code !== undefined && (kind === 'AVERAGE' || kind === 'TOO_FEW_REPORTING');
}

/** How far back a point's readings matter to it, in milliseconds. */
export function looksBack({ document: { condition } }: Rule): number {
  return condition.kind === 'RATE_OF_CHANGE' ? condition.withinMs : 0;
}

/** Where a value stands, given where the one before it stood. */
export function sideOfValue({ document: { condition } }: Rule, before: Side, value: number): Side {
  if (condition.kind === 'STATE') return value === condition.value ? ABOVE : IN_ORDER;
  if (condition.kind !== 'READING' && condition.kind !== 'AVERAGE') return IN_ORDER;
  const { comparison, hysteresis } = condition;
  const high = comparison === 'BELOW' ? null : condition.high;
  const low = comparison === 'ABOVE' ? null : condition.low;
  if (high !== null && value > high) return ABOVE;
  if (low !== null && value < low) return BELOW;
  if (before === ABOVE && high !== null && value > high - hysteresis) return ABOVE;
  if (before === BELOW && low !== null && value < low + hysteresis) return BELOW;
  return IN_ORDER;
}

/** Whether a reading shows the change that the rule looks for, against those up to `withinMs` before it. */
export function sideOfChange(
  { document: { condition } }: Rule,
  times: readonly number[],
  values: readonly number[],
  index: number,
): Side {
  if (condition.kind !== 'RATE_OF_CHANGE') return IN_ORDER;
  const { change, withinMs, direction } = condition;
  const at = times[index]!;
  const value = values[index]!;
  for (let i = index - 1; i >= 0 && at - times[i]! <= withinMs; i--) {
    const rise = value - values[i]!;
    if (direction !== 'FALLING' && rise > change) return ABOVE;
    if (direction !== 'RISING' && -rise > change) return BELOW;
  }
  return IN_ORDER;
}

/** What a rule and a subject have one name for: at most one alert of it is active. */
export function keyOf(rule: { id: string; revision: number }, subject: AlertSubject): string {
  const { spaceId, deviceId, pointId, quantity } = subject;
  const of = pointId ?? deviceId ?? `${spaceId ?? ''} ${quantity ?? ''}`;
  return `${rule.id} ${rule.revision} ${of}`;
}
