import {
  type AlertChange,
  type AlertCondition,
  type AlertScope,
  type AlertSeverity,
  type AlertSubject,
} from '../domain/alert';
import { type QuantityName } from '../domain/quantity';

/**
 * In `directory`, key `alertRulesOf(tenantId)`: a rule of a tenant. Never deleted but ended, because the change feed, which
 * every worker follows, tells of no deletion; an ended rule goes by its `ttl` after its alerts were cleared.
 */
export interface AlertRuleDocument {
  /** `alr_...` */
  id: string;
  key: string;
  kind: 'alertRule';
  tenantId: string;
  name: string;
  severity: AlertSeverity;
  /** Null where the condition is not of one quantity (DEVICE_SILENT). */
  quantity: QuantityName | null;
  scope: AlertScope;
  condition: AlertCondition;
  enabled: boolean;
  /** Greater with each change of what it looks for: an alert names the revision that raised it. */
  revision: number;
  createdAt: number;
  changedAt: number;
  /** Set once it was deleted. */
  endedAt: number | null;
  /** `name`, then id: the order of listings. */
  sortKey: string;
  /** Seconds. */
  ttl?: number;
  _etag?: string;
}

export function alertRulesOf(tenantId: string): string {
  return `alertRules:${tenantId}`;
}

/**
 * In `directory`, key `ALERT_RULE_TENANTS`, id the tenant's: that it has, or had, rules. Upserted before the tenant's first
 * rule is created, and never removed: how a worker that starts finds every rule, since Cosmos is asked one key at a time.
 */
export interface AlertRuleTenantDocument {
  /** The tenant's id. */
  id: string;
  key: typeof ALERT_RULE_TENANTS;
  kind: 'alertRuleTenant';
  tenantId: string;
}

export const ALERT_RULE_TENANTS = 'alertRuleTenants';

/**
 * In `alerts`, key `/buildingId`, id `alt_<hash of rule, subject and onset>`: one alert from its onset to its end, so that
 * whoever raises it a second time, after a crash or as a second owner, finds that it stands. The worker writes `onset`,
 * `raisedAt`, `clearedAt` and the like, people write `acknowledged`; both keep the other's by its etag.
 */
export interface AlertDocument {
  id: string;
  type: 'alert';
  buildingId: string;
  tenantId: string;
  ruleId: string;
  ruleRevision: number;
  /** As the rule was then, so that the history reads right when the rule is changed or gone. */
  ruleName: string;
  severity: AlertSeverity;
  subject: AlertSubject;
  condition: AlertCondition;
  /** Since when it holds: when the first reading that showed it was observed. */
  onset: number;
  /** When it was raised: `onset` and however long the rule waits. */
  raisedAt: number;
  /** What was read or computed when it was raised; null for silence. In the quantity's unit. */
  value: number | null;
  clearedAt: number | null;
  clearedBecause: 'BACK_IN_ORDER' | 'RULE_CHANGED' | 'RULE_ENDED' | 'SUBJECT_GONE' | null;
  acknowledged: { by: string; at: number; note: string | null } | null;
  /** Of the event that this says last, so that an owner that is behind changes nothing. */
  position: { incarnation: string; partition: number; sequence: number };
  /** `raisedAt` padded, then id: the order of the history. */
  sortKey: string;
  /** Seconds; set when cleared (kept for `ALERT_DAYS`). */
  ttl?: number;
  _etag?: string;
}

/**
 * In `alerts`, beside its alert and in the same transactional batch as the change it tells of: what a subscriber who
 * resumes is told. `number` is dense within its building, from 1, and is given by the building's `AlertHeadDocument`,
 * which each batch replaces by its etag.
 */
export interface AlertEventDocument {
  /** `ale_<number, 12 digits>` */
  id: string;
  type: 'alertEvent';
  buildingId: string;
  tenantId: string;
  number: number;
  change: AlertChange;
  at: number;
  /** The alert as it stood after the change. */
  alert: Omit<AlertDocument, '_etag' | 'ttl'>;
  /** Seconds. */
  ttl: number;
}

/** In `alerts`, id `alh_head`: the number of the building's newest event. */
export interface AlertHeadDocument {
  id: 'alh_head';
  type: 'alertHead';
  buildingId: string;
  number: number;
  /**
   * Of the newest event of the telemetry stream on which a worker has decided in this building: whoever has come no
   * further changes nothing. Left out before the first. Who replaces a head for another reason (an acknowledgement) keeps
   * it, and every field that it does not know.
   */
  position?: AlertDocument['position'];
  _etag?: string;
}

/** An event's alert: what of the document is told. */
export function toldAlert(document: AlertDocument): AlertEventDocument['alert'] {
  const { _etag, ttl: _ttl, ...alert } = document;
  // Cosmos adds fields of its own.
  return Object.fromEntries(
    Object.entries(alert).filter(([name]) => !name.startsWith('_')),
  ) as AlertEventDocument['alert'];
}

export const ALERT_HEAD_ID = 'alh_head';

export function alertEventIdOf(number: number): string {
  return `ale_${String(number).padStart(12, '0')}`;
}

/** By when it was raised, then id: later ones are greater. */
export function alertSortKeyOf(raisedAt: number, id: string): string {
  return `${String(raisedAt).padStart(15, '0')}\n${id}`;
}
