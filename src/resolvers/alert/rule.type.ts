import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type AlertSeverity as Severity } from '../../domain/alert';
import { MAXIMUM_RULES } from '../../domain/alert-rule';
import { type QuantityName } from '../../domain/quantity';
import { type AlertRuleDocument } from '../../store/alert-documents';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { Quantity } from '../quantity.type';
import { type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { AlertCondition, AlertConditionInput, conditionTypeOf } from './condition.type';
import { AlertSeverity } from './severity.type';

const QUANTITY =
  'What is looked at: a continuous quantity, or a state for a state condition; null for `deviceSilent`, which is of none.';

@ObjectType({ description: 'Where a rule looks: everywhere in its tenant, narrowed by what is not null.' })
export class AlertScope {
  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'In this building only.' })
  buildingId!: string | null;

  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'In this space, and all that lies in it, only.' })
  spaceId!: string | null;

  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'At this device only.' })
  deviceId!: string | null;
}

@ObjectType('AlertRule', {
  implements: Node,
  description: 'What a tenant wants to be told of. It acts within two seconds of a change.',
})
export class AlertRule extends Node implements Owned {
  tenantId!: string;

  @Visible('with-parent')
  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Visible('with-parent')
  @Field(() => AlertSeverity, { description: 'How bad its alerts are.' })
  severity!: Severity;

  @Visible('with-parent')
  @Field(() => Quantity, { nullable: true, description: QUANTITY })
  quantity!: QuantityName | null;

  @Visible('with-parent')
  @Field(() => AlertScope, { description: 'Where it looks.' })
  scope!: AlertScope;

  @Visible('with-parent')
  @Field(() => AlertCondition, { description: 'What it looks for.' })
  condition!: typeof AlertCondition;

  @Visible('with-parent')
  @Field({ description: 'Whether it looks at all.' })
  enabled!: boolean;

  @Visible('with-parent')
  @Field(() => Int, {
    description:
      '1 at first, one more with each change of where it looks and what for. An alert names its own.',
  })
  revision!: number;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was last changed.' })
  changedAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was deleted; null while it stands.' })
  deletedAt!: Date | null;

  static of(document: AlertRuleDocument): AlertRule {
    return Object.assign(new AlertRule(), {
      tenantId: document.tenantId,
      id: document.id,
      name: document.name,
      severity: document.severity,
      quantity: document.quantity,
      scope: Object.assign(new AlertScope(), document.scope),
      condition: conditionTypeOf(document.condition),
      enabled: document.enabled,
      revision: document.revision,
      createdAt: new Date(document.createdAt),
      changedAt: new Date(document.changedAt),
      deletedAt: document.endedAt === null ? null : new Date(document.endedAt),
    });
  }
}

export const AlertRuleConnection = connectionType(
  AlertRule,
  'AlertRule',
  'the alert rules of a tenant, by name',
);

@InputType({ description: 'Where a rule looks: everywhere in its tenant, narrowed by what is given.' })
export class AlertScopeInput {
  @Field(() => ID, { nullable: true, description: 'In this building only.' })
  buildingId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'In this space, and all that lies in it, only; with its building.',
  })
  spaceId?: string | null;

  @Field(() => ID, { nullable: true, description: 'At this device only, wherever it is moved.' })
  deviceId?: string | null;
}

@InputType({ description: 'A new alert rule.' })
export class CreateAlertRuleInput {
  @Field(() => ID, { description: `Whose it is; a tenant may have ${MAXIMUM_RULES}.` })
  tenantId!: string;

  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Field(() => AlertSeverity, { description: 'How bad its alerts are.' })
  severity!: Severity;

  @Field(() => Quantity, { nullable: true, description: QUANTITY })
  quantity?: QuantityName | null;

  @Field(() => AlertScopeInput, {
    nullable: true,
    description: 'Where it looks; null or left out for the whole tenant.',
  })
  scope?: AlertScopeInput | null;

  @Field(() => AlertConditionInput, { description: 'What it looks for.' })
  condition!: AlertConditionInput;

  @Field({ defaultValue: true, description: 'Whether it looks at all.' })
  enabled!: boolean;

  @Field({ description: 'Your own key for this rule: repeating the call with it makes no second one.' })
  idempotencyKey!: string;
}

@InputType({ description: 'A change of an alert rule: what is left out stays.' })
export class ChangeAlertRuleInput {
  @Field(() => ID, { description: 'The rule.' })
  ruleId!: string;

  @Field(() => String, { nullable: true, description: 'What people call it.' })
  name?: string | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'How bad its alerts are from now on.' })
  severity?: Severity | null;

  @Field(() => Quantity, { nullable: true, description: `${QUANTITY} Null is a value here.` })
  quantity?: QuantityName | null;

  @Field(() => AlertScopeInput, { nullable: true, description: 'Where it looks.' })
  scope?: AlertScopeInput | null;

  @Field(() => AlertConditionInput, { nullable: true, description: 'What it looks for.' })
  condition?: AlertConditionInput | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether it looks at all.' })
  enabled?: boolean | null;
}

@InputType({ description: 'A rule to delete.' })
export class DeleteAlertRuleInput {
  @Field(() => ID, { description: 'The rule.' })
  ruleId!: string;
}

@ObjectType({ description: 'The rule stands and acts within two seconds.' })
export class CreateAlertRuleSuccess {
  @Visible('with-parent')
  @Field(() => AlertRule, { description: 'The rule.' })
  rule!: AlertRule;
}

@ObjectType({
  description:
    'The rule is changed. Where it looks elsewhere or for something else, its active alerts are cleared and may be raised anew.',
})
export class ChangeAlertRuleSuccess {
  @Visible('with-parent')
  @Field(() => AlertRule, { description: 'The rule as it is now.' })
  rule!: AlertRule;
}

@ObjectType({ description: 'The rule is gone: its active alerts are cleared, its history stays.' })
export class DeleteAlertRuleSuccess {
  @Visible('with-parent')
  @Field(() => AlertRule, { description: 'The rule as it was.' })
  rule!: AlertRule;
}

export const CreateAlertRuleResult = createUnionType({
  name: 'CreateAlertRuleResult',
  description: 'The new rule, or why there is none.',
  types: () => [CreateAlertRuleSuccess, ...USER_ERROR_TYPES] as const,
});

export const ChangeAlertRuleResult = createUnionType({
  name: 'ChangeAlertRuleResult',
  description: 'The rule, or why it is not changed.',
  types: () => [ChangeAlertRuleSuccess, ...USER_ERROR_TYPES] as const,
});

export const DeleteAlertRuleResult = createUnionType({
  name: 'DeleteAlertRuleResult',
  description: 'The rule that was, or why it still is.',
  types: () => [DeleteAlertRuleSuccess, ...USER_ERROR_TYPES] as const,
});
