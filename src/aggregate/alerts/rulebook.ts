import { type AlertRuleDocument } from '../../store/alert-documents';
import { type ActiveAlert, type ClearedBecause } from './effect';
import { isInForce, type Rule, ruleOf } from './rule';

/** Every rule as it stands, and which of them are in force. */
export interface Rulebook {
  /** A rule as it stands now. @returns whether it looks for anything else than before. */
  set(document: AlertRuleDocument): boolean;
  /** Whether any rule is in force. */
  readonly inForce: boolean;
  inForceOf(tenantId: string): readonly Rule[];
  /** Why and since when (ms) an alert can be active no more; `undefined` where it can. */
  outdated(active: ActiveAlert, now: number): { because: ClearedBecause; at: number } | undefined;
}

const NONE: readonly Rule[] = [];

export function createRulebook(): Rulebook {
  const rules = new Map<string, Rule>();
  const byTenant = new Map<string, Rule[]>();

  const regroup = (): void => {
    byTenant.clear();
    for (const rule of rules.values()) {
      if (!isInForce(rule.document)) continue;
      const { tenantId } = rule.document;
      const list = byTenant.get(tenantId);
      if (list) list.push(rule);
      else byTenant.set(tenantId, [rule]);
    }
  };

  return {
    set(document) {
      const before = rules.get(document.id);
      if (before !== undefined && before.revision > document.revision) return false;
      if (before?.revision === document.revision && isInForce(before.document) === isInForce(document)) {
        // Only what it is called has changed.
        before.document = document;
        return false;
      }
      rules.set(document.id, ruleOf(document));
      regroup();
      return true;
    },
    get inForce() {
      return byTenant.size > 0;
    },
    inForceOf: (tenantId) => byTenant.get(tenantId) ?? NONE,
    outdated({ ruleId, revision }, now) {
      const rule = rules.get(ruleId);
      if (rule === undefined) return { because: 'RULE_ENDED', at: now };
      const { endedAt, changedAt } = rule.document;
      if (endedAt !== null) return { because: 'RULE_ENDED', at: endedAt };
      if (rule.revision !== revision || !isInForce(rule.document))
        return { because: 'RULE_CHANGED', at: changedAt };
      return undefined;
    },
  };
}
