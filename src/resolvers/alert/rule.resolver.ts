import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import { type AlertScope as Scope } from '../../domain/alert';
import { type AlertRuleDocument } from '../../store/alert-documents';
import { type AlertRulePatch } from '../../store/alerts/alerting';
import { type Outcome } from '../../store/registry';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import { conditionOf } from './condition.type';
import {
  AlertRule,
  AlertRuleConnection,
  type AlertScopeInput,
  ChangeAlertRuleInput,
  ChangeAlertRuleResult,
  ChangeAlertRuleSuccess,
  CreateAlertRuleInput,
  CreateAlertRuleResult,
  CreateAlertRuleSuccess,
  DeleteAlertRuleInput,
  DeleteAlertRuleResult,
  DeleteAlertRuleSuccess,
} from './rule.type';

@Resolver()
export class AlertRuleResolver {
  @Visible({ needs: 'alert-rule.manage', of: 'arguments' })
  @Mutation(() => CreateAlertRuleResult, {
    description: 'Makes a rule by which alerts are raised and cleared.',
  })
  async createAlertRule(
    @Arg('input', () => CreateAlertRuleInput, { description: 'The rule.' }) input: CreateAlertRuleInput,
    @Ctx() { services: { alerting }, scope }: Context,
  ): Promise<CreateAlertRuleSuccess | UserError> {
    const { tenantId, name, severity, enabled } = input;
    const rule = {
      tenantId,
      name,
      severity,
      quantity: input.quantity ?? null,
      scope: scopeOf(input.scope),
      condition: conditionOf(input.condition),
      enabled,
    };
    const outcome = await alerting.createAlertRule(scope, rule, input.idempotencyKey);
    return answer(outcome, new CreateAlertRuleSuccess());
  }

  @Visible({ needs: 'alert-rule.manage', of: 'arguments' })
  @Mutation(() => ChangeAlertRuleResult, {
    description: 'Changes a rule. Changing nothing keeps its revision.',
  })
  async changeAlertRule(
    @Arg('input', () => ChangeAlertRuleInput, { description: 'The rule and what is to be different.' })
    { ruleId, ...input }: ChangeAlertRuleInput,
    @Ctx() { services: { alerting }, scope }: Context,
  ): Promise<ChangeAlertRuleSuccess | UserError> {
    const patch: AlertRulePatch = {
      ...(input.name != null && { name: input.name }),
      ...(input.severity != null && { severity: input.severity }),
      ...(input.quantity !== undefined && { quantity: input.quantity }),
      ...(input.scope != null && { scope: scopeOf(input.scope) }),
      ...(input.condition != null && { condition: conditionOf(input.condition) }),
      ...(input.enabled != null && { enabled: input.enabled }),
    };
    return answer(await alerting.changeAlertRule(scope, ruleId, patch), new ChangeAlertRuleSuccess());
  }

  @Visible({ needs: 'alert-rule.manage', of: 'arguments' })
  @Mutation(() => DeleteAlertRuleResult, { description: 'Deletes a rule. Doing so again changes nothing.' })
  async deleteAlertRule(
    @Arg('input', () => DeleteAlertRuleInput, { description: 'The rule.' }) { ruleId }: DeleteAlertRuleInput,
    @Ctx() { services: { alerting }, scope }: Context,
  ): Promise<DeleteAlertRuleSuccess | UserError> {
    return answer(await alerting.deleteAlertRule(scope, ruleId), new DeleteAlertRuleSuccess());
  }
}

@Resolver(() => Tenant)
export class TenantAlertRulesResolver {
  @Visible({ needs: 'alert-rule.read', of: 'parent' })
  @FieldResolver(() => AlertRuleConnection, {
    nullable: true,
    description:
      'Its alert rules, by name; null, with an error, where your role in the tenant as a whole does not show them.',
  })
  alertRules(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('building', () => ID, {
      nullable: true,
      description: 'Only those that look at this building, those of the whole tenant among them.',
    })
    buildingId: string | null | undefined,
    @Ctx() { services: { alerting, cursors }, principal, scope }: Context,
  ): Promise<Connection<AlertRule>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.alertRules', arguments: [tenantId, buildingId] },
      fetch: (options) =>
        alerting.alertRules(scope, tenantId, { ...options, ...(buildingId != null && { buildingId }) }),
      toNode: AlertRule.of,
    });
  }
}

function scopeOf(input: AlertScopeInput | null | undefined): Scope {
  return {
    buildingId: input?.buildingId ?? null,
    spaceId: input?.spaceId ?? null,
    deviceId: input?.deviceId ?? null,
  };
}

function answer<Success extends { rule: AlertRule }>(
  outcome: Outcome<AlertRuleDocument>,
  success: Success,
): Success | UserError {
  return outcome.ok
    ? Object.assign(success, { rule: AlertRule.of(outcome.value) })
    : userErrorOf(outcome.refusal);
}

export async function loadAlertRule(
  { services: { alerting }, scope }: Context,
  id: string,
): Promise<AlertRule | null> {
  const rule = await alerting.alertRule(scope, id);
  return rule === null ? null : AlertRule.of(rule);
}
