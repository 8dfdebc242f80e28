import { type TenantScope } from '../../auth/scope';
import { type AlertCondition, type AlertScope, type AlertSeverity } from '../../domain/alert';
import { type QuantityName } from '../../domain/quantity';
import { type AlertDocument, type AlertEventDocument, type AlertRuleDocument } from '../alert-documents';
import { type Cosmos } from '../cosmos';
import { type Outcome, type Page } from '../registry';
import { createAcknowledging } from './acknowledging';
import { createAlertsReader } from './reader';
import { createAlertRules } from './rules';

export interface NewAlertRule {
  tenantId: string;
  name: string;
  severity: AlertSeverity;
  /** Null where the condition is not of one quantity. */
  quantity: QuantityName | null;
  scope: AlertScope;
  condition: AlertCondition;
  enabled: boolean;
}

/** What is left out stays. */
export type AlertRulePatch = Partial<Omit<NewAlertRule, 'tenantId'>>;

export interface AlertFilter {
  state?: 'ACTIVE' | 'CLEARED';
  acknowledged?: boolean;
  /** And worse. */
  minimumSeverity?: AlertSeverity;
}

/**
 * The rules of tenants and the alerts that came of them, always inside the caller's scope. Lookups answer null for what
 * is unknown and for what is foreign, after the same store calls.
 */
export interface Alerting {
  /** At most 200 rules a tenant. */
  createAlertRule(
    scope: TenantScope,
    input: NewAlertRule,
    idempotencyKey: string,
  ): Promise<Outcome<AlertRuleDocument>>;
  /** A change of what the rule looks for is a further revision, which clears the alerts of the former. */
  changeAlertRule(
    scope: TenantScope,
    ruleId: string,
    patch: AlertRulePatch,
  ): Promise<Outcome<AlertRuleDocument>>;
  /** Its active alerts are cleared, its history stays. Deleting a deleted rule changes nothing. */
  deleteAlertRule(scope: TenantScope, ruleId: string): Promise<Outcome<AlertRuleDocument>>;
  /** In the order of their names, then ids; with `buildingId` those that look at that building. */
  alertRules(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null; buildingId?: string },
  ): Promise<Page<AlertRuleDocument>>;
  alertRule(scope: TenantScope, ruleId: string): Promise<AlertRuleDocument | null>;

  /** Newest first. A page may hold fewer than `first` and have a next all the same. */
  alerts(
    scope: TenantScope,
    buildingId: string,
    options: AlertFilter & { first: number; after: string | null },
  ): Promise<Page<AlertDocument>>;
  /** @param id `alertIdOf` */
  alert(scope: TenantScope, id: string): Promise<AlertDocument | null>;
  /** Says that somebody has seen to it. Who was first stands: doing so again changes nothing. */
  acknowledgeAlert(scope: TenantScope, id: string, note: string | null): Promise<Outcome<AlertDocument>>;

  /** The number of each building's newest event; 0 where there was none. */
  newestAlertEvents(buildingIds: readonly string[]): Promise<number[]>;
  /**
   * A building's events from one number to another, both inclusive, in order, at most `limit`. Whoever calls shows each
   * to nobody but who may see its alert.
   */
  alertEvents(
    buildingId: string,
    range: { from: number; to: number; limit: number },
  ): Promise<AlertEventDocument[]>;
}

export function createAlerting(options: {
  cosmos: Cosmos;
  /** How long an alert and its events are kept once it is cleared. */
  keepSeconds: number;
}): Alerting {
  return {
    ...createAlertRules(options),
    ...createAlertsReader(options),
    ...createAcknowledging(options),
  };
}
