import { isDeepStrictEqual } from 'node:util';
import { allows, type Permission, tenantsWith, type TenantScope } from '../../auth/scope';
import { MAXIMUM_RULES, ruleProblem } from '../../domain/alert-rule';
import { derivedId } from '../../domain/id';
import {
  ALERT_RULE_TENANTS,
  type AlertRuleDocument,
  alertRulesOf,
  type AlertRuleTenantDocument,
} from '../alert-documents';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, type DeviceEntryDocument, sortKeyOf } from '../documents';
import { type Refusal } from '../registry';
import { notFound, refused, visible } from '../registry/access';
import { entryKey } from '../registry/devices';
import { attemptOf, claim } from '../registry/idempotency';
import { pageOf, sortKeyAfter } from '../registry/position';
import { keyReused } from '../registry/shown-once';
import { keyProblem, nameProblem } from '../registry/validation';
import { type Alerting, type NewAlertRule } from './alerting';
import { BEFORE_NAMES, createConfigurationOf, ENDED_SECONDS } from './configuration';

export function createAlertRules({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Alerting, 'createAlertRule' | 'changeAlertRule' | 'deleteAlertRule' | 'alertRules' | 'alertRule'> {
  const configuration = createConfigurationOf<AlertRuleDocument>({
    cosmos,
    what: 'alert rules',
    maximum: MAXIMUM_RULES,
  });

  /** An id does not say whose it is: it is looked for with the tenants that the caller has anything to do with. */
  async function find(scope: TenantScope, ruleId: string): Promise<AlertRuleDocument | null> {
    const found = await cosmos.readMany<AlertRuleDocument>(
      'directory',
      tenantsWith(scope, 'alert-rule.read').map((tenantId) => ({
        partition: alertRulesOf(tenantId),
        id: ruleId,
      })),
    );
    const rule = found.find((each) => each !== null);
    return rule?.kind === 'alertRule' && may(scope, 'alert-rule.read', rule) ? rule : null;
  }

  /** Whether the places that a rule names are there, of its tenant, and the caller's to see. */
  async function placeProblem(
    scope: TenantScope,
    { tenantId, scope: { buildingId, spaceId, deviceId } }: Pick<NewAlertRule, 'tenantId' | 'scope'>,
  ): Promise<Refusal | undefined> {
    const of = <T extends { tenantId: string; buildingId: string }>(found: T | null): T | null =>
      visible(scope, 'building.read', found?.tenantId === tenantId ? found : null);
    const missing = (what: string, id: string): Refusal => ({
      code: 'NOT_FOUND',
      message: `there is no ${what} ${id}`,
      path: `scope.${what}Id`,
    });
    const [building, space] = await cosmos.readMany<{ tenantId: string; buildingId: string; type: string }>(
      'registry',
      // A space alone was refused before.
      (buildingId === null ? [] : [buildingId, spaceId ?? buildingId]).map((id) => ({
        partition: buildingId!,
        id,
      })),
    );
    if (buildingId !== null && of(building ?? null)?.type !== 'building')
      return missing('building', buildingId);
    if (spaceId !== null && of(space ?? null)?.type !== 'space') return missing('space', spaceId);
    if (deviceId === null) return undefined;
    const { partition, id } = entryKey(deviceId);
    const entry = of(await cosmos.read<DeviceEntryDocument>('directory', partition, id));
    if (!entry || !allows(scope, 'device.read', entry)) return missing('device', deviceId);
    if (buildingId !== null && entry.buildingId !== buildingId) return missing('device', deviceId);
    const device = await cosmos.read<DeviceDocument>('registry', entry.buildingId, deviceId);
    if (device?.type === 'device' && device.state !== 'RETIRED') return undefined;
    return { code: 'WRONG_STATE', message: `device ${deviceId} is not in service`, path: 'scope.deviceId' };
  }

  return {
    async createAlertRule(scope, input, idempotencyKey) {
      const { tenantId, name } = input;
      if (!seesTenant(scope, input)) return notFound('tenant', tenantId, 'tenantId');
      if (!may(scope, 'alert-rule.manage', input)) {
        return refused('FORBIDDEN', 'your role may not make alert rules here');
      }
      const problem = keyProblem(idempotencyKey) ?? problemOf(input) ?? (await placeProblem(scope, input));
      if (problem) return { ok: false, refusal: problem };
      const attempt = attemptOf(scope, tenantId, 'createAlertRule', idempotencyKey, wordsOf(input));
      const claimed = await claim(cosmos, attempt);
      if (!claimed) return keyReused();
      const at = claimed.claimedAt;
      const id = derivedId('alr', tenantId, attempt.hash, String(at));
      const rule: AlertRuleDocument = {
        id,
        key: alertRulesOf(tenantId),
        kind: 'alertRule',
        ...input,
        revision: 1,
        createdAt: at,
        changedAt: at,
        endedAt: null,
        sortKey: sortKeyOf(name, id),
      };
      // First, so that a worker that starts finds every rule.
      const tenant: AlertRuleTenantDocument = {
        id: tenantId,
        key: ALERT_RULE_TENANTS,
        kind: 'alertRuleTenant',
        tenantId,
      };
      await cosmos.bulkUpsert('directory', [tenant]);
      const outcome = await configuration.create(scope, rule, {
        id: derivedId('aud', id, 'create'),
        action: 'alert-rule.create',
        after: wordsOf(rule),
      });
      return outcome.ok ? { ok: true, value: outcome.value.document } : outcome;
    },

    async changeAlertRule(scope, ruleId, patch) {
      const found = await find(scope, ruleId);
      if (!found || found.endedAt !== null) return notFound('alert rule', ruleId, 'ruleId');
      // Where it looked and where it is to look, both.
      const wanted = { ...found, ...patch };
      if (!may(scope, 'alert-rule.manage', found) || !may(scope, 'alert-rule.manage', wanted)) {
        return refused('FORBIDDEN', 'your role may not change alert rules here');
      }
      const moved = patch.scope !== undefined && !isDeepStrictEqual(patch.scope, found.scope);
      const problem = problemOf(wanted) ?? (moved ? await placeProblem(scope, wanted) : undefined);
      if (problem) return { ok: false, refusal: problem };
      return configuration.change(scope, found, (rule, now) => {
        if (rule.endedAt !== null) return notFound('alert rule', ruleId, 'ruleId');
        const next = { ...rule, ...patch };
        // Somebody else may have changed another part of it meanwhile, and the parts must fit.
        const misfit = problemOf(next);
        if (misfit) return { ok: false, refusal: misfit };
        const before = wordsOf(rule);
        const after = wordsOf(next);
        if (isDeepStrictEqual(before, after)) return { ok: true, value: null };
        const looksForMore = !isDeepStrictEqual(lookedFor(rule), lookedFor(next));
        const document: AlertRuleDocument = {
          ...next,
          revision: rule.revision + (looksForMore ? 1 : 0),
          changedAt: now,
          sortKey: sortKeyOf(next.name, rule.id),
        };
        return { ok: true, value: { document, audit: { action: 'alert-rule.change', before, after } } };
      });
    },

    async deleteAlertRule(scope, ruleId) {
      const found = await find(scope, ruleId);
      if (!found) return notFound('alert rule', ruleId, 'ruleId');
      if (!may(scope, 'alert-rule.manage', found)) {
        return refused('FORBIDDEN', 'your role may not delete alert rules here');
      }
      return configuration.change(scope, found, (rule, now) => {
        if (rule.endedAt !== null) return { ok: true, value: null };
        const document = { ...rule, endedAt: now, changedAt: now, ttl: ENDED_SECONDS };
        const audit = { action: 'alert-rule.delete', before: wordsOf(rule), after: null };
        return { ok: true, value: { document, audit } };
      });
    },

    async alertRules(scope, tenantId, { first, after, buildingId }) {
      const position = sortKeyAfter(after) || BEFORE_NAMES;
      const rules = await cosmos.query<AlertRuleDocument>(
        'directory',
        alertRulesOf(tenantId),
        "SELECT * FROM c WHERE c.kind = 'alertRule' AND c.endedAt = null AND c.sortKey > @position ORDER BY c.sortKey",
        { position },
        { limit: MAXIMUM_RULES },
      );
      const seen = rules.filter(
        (rule) =>
          may(scope, 'alert-rule.read', rule) &&
          (buildingId === undefined ||
            rule.scope.buildingId === null ||
            rule.scope.buildingId === buildingId),
      );
      return pageOf(
        seen.slice(0, first + 1).map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

    alertRule: find,
  };
}

type Placed = Pick<NewAlertRule, 'tenantId' | 'quantity' | 'scope'>;

/** A rule of the whole tenant needs the right to the whole tenant, one of a building the right to that. */
function may(scope: TenantScope, permission: Permission, { tenantId, quantity, scope: of }: Placed): boolean {
  const { buildingId } = of;
  return allows(scope, permission, { tenantId, quantity, ...(buildingId !== null && { buildingId }) });
}

function seesTenant(scope: TenantScope, { tenantId, scope: { buildingId } }: Placed): boolean {
  return (
    allows(scope, 'tenant.read', { tenantId }) ||
    (buildingId !== null && allows(scope, 'building.read', { tenantId, buildingId }))
  );
}

function problemOf(rule: Omit<NewAlertRule, 'tenantId'>): Refusal | undefined {
  const problem = nameProblem('name', rule.name);
  if (problem) return problem;
  const wrong = ruleProblem(rule);
  return wrong && { code: 'INVALID_INPUT', ...wrong };
}

/** What makes alerts of it: a change of it is another revision. */
function lookedFor({ quantity, scope, condition, enabled }: Omit<NewAlertRule, 'tenantId'>): object {
  return { quantity, scope, condition, enabled };
}

function wordsOf(rule: Omit<NewAlertRule, 'tenantId'>): Record<string, unknown> {
  const { name, severity } = rule;
  return { name, severity, ...lookedFor(rule) };
}
