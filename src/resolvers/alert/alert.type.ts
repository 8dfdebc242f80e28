import {
  ArgsType,
  createUnionType,
  Field,
  Float,
  ID,
  InputType,
  Int,
  ObjectType,
  registerEnumType,
} from 'type-graphql';
import { type AlertSeverity as Severity } from '../../domain/alert';
import { quantityNamed, type QuantityName } from '../../domain/quantity';
import { type AlertDocument } from '../../store/alert-documents';
import { alertIdOf } from '../../store/alerts/alert-id';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { Quantity } from '../quantity.type';
import { INDEPENDENT, type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { AlertCondition, conditionTypeOf } from './condition.type';
import { AlertSeverity } from './severity.type';

export const AlertState = { ACTIVE: 'ACTIVE', CLEARED: 'CLEARED' } as const;
registerEnumType(AlertState, {
  name: 'AlertState',
  description: 'Whether it still holds.',
  valuesConfig: {
    ACTIVE: { description: 'It holds.' },
    CLEARED: { description: 'It is over.' },
  },
});

export const AlertClearedBecause = {
  BACK_IN_ORDER: 'BACK_IN_ORDER',
  RULE_CHANGED: 'RULE_CHANGED',
  RULE_ENDED: 'RULE_ENDED',
  SUBJECT_GONE: 'SUBJECT_GONE',
} as const;
registerEnumType(AlertClearedBecause, {
  name: 'AlertClearedBecause',
  description: 'Why an alert is over. Further reasons may come.',
  valuesConfig: {
    BACK_IN_ORDER: { description: 'What was out of order is in order again.' },
    RULE_CHANGED: { description: 'The rule looks for something else now.' },
    RULE_ENDED: { description: 'The rule was deleted.' },
    SUBJECT_GONE: { description: 'The device was retired or is elsewhere.' },
  },
});

@ObjectType({ description: 'That somebody has seen to an alert.' })
export class AlertAcknowledgement {
  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'Who: the person’s id, as `viewer` tells one’s own.' })
  by!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'When.' })
  at!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => String, { nullable: true, description: 'What they wrote; null for nothing.' })
  note!: string | null;
}

@ObjectType('Alert', {
  implements: Node,
  description: 'That something was out of order, from its onset to its end.',
})
export class Alert extends Node implements Owned {
  tenantId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'Opaque and global: unique over all tenants and kinds.' })
  declare id: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The building it is in.' })
  buildingId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { nullable: true, description: 'The space it is in; null for the building as a whole.' })
  spaceId!: string | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { nullable: true, description: 'The device it is about; null where it is about none.' })
  deviceId!: string | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { nullable: true, description: 'The point it is about; null where it is about none.' })
  pointId!: string | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Quantity, {
    nullable: true,
    description: 'What is out of order; null for a device as such.',
  })
  quantity!: QuantityName | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => String, {
    nullable: true,
    description: 'The unit of `value` and of the condition (UCUM); null without a quantity.',
  })
  unit!: string | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => ID, { description: 'The rule that raised it, which may be gone.' })
  ruleId!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field({ description: 'What the rule was called then.' })
  ruleName!: string;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Int, { description: 'The rule’s revision that raised it.' })
  ruleRevision!: number;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertSeverity, { description: 'How bad it is.' })
  severity!: Severity;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertCondition, { description: 'What the rule looked for then.' })
  condition!: typeof AlertCondition;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertState, { description: 'Whether it still holds.' })
  state!: keyof typeof AlertState;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, {
    description: 'Since when it holds: when the first reading that showed it was observed.',
  })
  onset!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { description: 'When it was raised: after the onset, where the rule waits.' })
  raisedAt!: Date;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => Float, {
    nullable: true,
    description: 'What was read or computed when it was raised, in `unit`; null for silence.',
  })
  value!: number | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => DateTime, { nullable: true, description: 'When it was over; null while it holds.' })
  clearedAt!: Date | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertClearedBecause, { nullable: true, description: 'Why it is over; null while it holds.' })
  clearedBecause!: keyof typeof AlertClearedBecause | null;

  @Visible('with-parent', INDEPENDENT)
  @Field(() => AlertAcknowledgement, {
    nullable: true,
    description: 'Who has seen to it, first; null while nobody has.',
  })
  acknowledgement!: AlertAcknowledgement | null;

  static of(document: Omit<AlertDocument, '_etag' | 'ttl'>): Alert {
    const { subject, acknowledged, clearedAt } = document;
    return Object.assign(new Alert(), {
      tenantId: document.tenantId,
      id: alertIdOf(document),
      buildingId: document.buildingId,
      spaceId: subject.spaceId,
      deviceId: subject.deviceId,
      pointId: subject.pointId,
      quantity: subject.quantity,
      unit: subject.quantity === null ? null : quantityNamed(subject.quantity).unit,
      ruleId: document.ruleId,
      ruleName: document.ruleName,
      ruleRevision: document.ruleRevision,
      severity: document.severity,
      condition: conditionTypeOf(document.condition),
      state: clearedAt === null ? ('ACTIVE' as const) : ('CLEARED' as const),
      onset: new Date(document.onset),
      raisedAt: new Date(document.raisedAt),
      value: document.value,
      clearedAt: clearedAt === null ? null : new Date(clearedAt),
      clearedBecause: document.clearedBecause,
      acknowledgement:
        acknowledged === null
          ? null
          : Object.assign(new AlertAcknowledgement(), {
              by: acknowledged.by,
              at: new Date(acknowledged.at),
              note: acknowledged.note,
            }),
    });
  }
}

export const AlertConnection = connectionType(Alert, 'Alert', 'the alerts of a building, newest first');

@ArgsType()
export class AlertFilterArguments {
  @Field(() => AlertState, { nullable: true, description: 'Only those that hold, or that are over.' })
  state?: keyof typeof AlertState | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that somebody has seen to (true), or that nobody has (false).',
  })
  acknowledged?: boolean | null;

  @Field(() => AlertSeverity, { nullable: true, description: 'Only those that are as bad, or worse.' })
  minimumSeverity?: Severity | null;
}

@InputType({ description: 'An alert that somebody has seen to.' })
export class AcknowledgeAlertInput {
  @Field(() => ID, { description: 'The alert.' })
  alertId!: string;

  @Field(() => String, { nullable: true, description: 'What is being done, up to 500 characters.' })
  note?: string | null;
}

@ObjectType({ description: 'The alert is acknowledged: it stays active until it is over.' })
export class AcknowledgeAlertSuccess {
  @Visible('with-parent')
  @Field(() => Alert, { description: 'The alert as it is now.' })
  alert!: Alert;
}

export const AcknowledgeAlertResult = createUnionType({
  name: 'AcknowledgeAlertResult',
  description: 'The alert, or why it is not acknowledged.',
  types: () => [AcknowledgeAlertSuccess, ...USER_ERROR_TYPES] as const,
});
