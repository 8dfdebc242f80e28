import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type AlertSeverity as Severity } from '../../domain/alert';
import { MAXIMUM_WEBHOOK_BUILDINGS, MAXIMUM_WEBHOOKS } from '../../domain/webhook';
import {
  DELIVERY_STATES,
  type DeliveryAttempt,
  type DeliveryDocument,
  type DeliveryState as State,
  type WebhookDocument,
} from '../../store/webhooks/documents';
import { AlertSeverity } from '../alert/severity.type';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';

export const WebhookDeliveryState = Object.fromEntries(DELIVERY_STATES.map((each) => [each, each])) as Record<
  State,
  State
>;
registerEnumType(WebhookDeliveryState, {
  name: 'WebhookDeliveryState',
  description: 'Where a delivery is on its way.',
  valuesConfig: {
    PENDING: { description: 'It is sent, again if need be.' },
    DELIVERED: { description: 'The receiver has taken it.' },
    DEAD: { description: 'It was given up, after about a day or because the receiver answered 410.' },
    CANCELLED: { description: 'The webhook was deleted, or nobody with the right answers for it.' },
  },
});

@ObjectType({ description: 'One try to deliver. Of the answer only its status is kept.' })
export class WebhookAttempt {
  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When.' })
  at!: Date;

  @Visible('with-parent')
  @Field(() => Int, { nullable: true, description: 'The HTTP status; null where no answer came.' })
  status!: number | null;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: 'Why it was not taken; null where it was.' })
  problem!: string | null;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How long it took, in milliseconds.' })
  milliseconds!: number;

  static of({ at, status, problem, milliseconds }: DeliveryAttempt): WebhookAttempt {
    return Object.assign(new WebhookAttempt(), { at: new Date(at), status, problem, milliseconds });
  }
}

@ObjectType({ description: 'One event of an alert on its way to a webhook.' })
export class WebhookDelivery {
  @Visible('with-parent')
  @Field(() => ID, {
    description: 'What the receiver gets as `webhook-id`: the same for every try, to know a repetition by.',
  })
  id!: string;

  @Visible('with-parent')
  @Field({ description: 'What is told of, such as `alert.raised`.' })
  type!: string;

  @Visible('with-parent')
  @Field(() => WebhookDeliveryState, { description: 'Where it is on its way.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was filed.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When it is tried next, at the earliest; null where it is not on its way any more.',
  })
  nextAttemptAt!: Date | null;

  @Visible('with-parent')
  @Field(() => [WebhookAttempt], { description: 'The last tries, oldest first, twelve at most.' })
  attempts!: WebhookAttempt[];

  @Visible('with-parent')
  @Field({ description: 'The body exactly as it is sent: JSON.' })
  body!: string;

  static of(document: DeliveryDocument): WebhookDelivery {
    const { id, type, state, body, createdAt, nextAttemptAt } = document;
    return Object.assign(new WebhookDelivery(), {
      id,
      type,
      state,
      body,
      createdAt: new Date(createdAt),
      nextAttemptAt: nextAttemptAt === null ? null : new Date(nextAttemptAt),
      attempts: document.attempts.map(WebhookAttempt.of),
    });
  }
}

export const WebhookDeliveryConnection = connectionType(
  WebhookDelivery,
  'WebhookDelivery',
  'the deliveries of a webhook, newest first',
);

@ObjectType('Webhook', {
  implements: Node,
  description:
    'A server of yours that is told of alerts, signed as Standard Webhooks has it. Each event comes at least once, in no particular order.',
})
export class Webhook extends Node implements Owned {
  tenantId!: string;

  @Visible('with-parent')
  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Visible('with-parent')
  @Field({ description: 'Where it is sent to.' })
  url!: string;

  @Visible('with-parent')
  @Field(() => AlertSeverity, { description: 'Alerts as bad as this, or worse, are told of.' })
  minimumSeverity!: Severity;

  @Visible('with-parent')
  @Field(() => [ID], { nullable: true, description: 'Of these buildings only; null for all of the tenant.' })
  buildingIds!: string[] | null;

  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'The person whose rights bound what is sent: who made it, or rotated its secret last. Nothing is sent once that person may not have webhooks here any more: let another rotate the secret.',
  })
  responsible!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was deleted; null while it stands.' })
  deletedAt!: Date | null;

  /** Takes what may be shown; the sealed secrets stay behind. */
  static of(document: WebhookDocument): Webhook {
    const { id, tenantId, name, url, minimumSeverity, buildingIds, responsible } = document;
    return Object.assign(new Webhook(), {
      id,
      tenantId,
      name,
      url,
      minimumSeverity,
      buildingIds,
      responsible,
      createdAt: new Date(document.createdAt),
      deletedAt: document.endedAt === null ? null : new Date(document.endedAt),
    });
  }
}

export const WebhookConnection = connectionType(Webhook, 'Webhook', 'the webhooks of a tenant, by name');

@InputType({ description: 'A server that is to be told of alerts.' })
export class CreateWebhookInput {
  @Field(() => ID, { description: `Whose alerts; a tenant may have ${MAXIMUM_WEBHOOKS}.` })
  tenantId!: string;

  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Field({
    description:
      'Where it is sent to: an https address of a public host, on port 443 or from 1024 on. Redirects are not followed.',
  })
  url!: string;

  @Field(() => AlertSeverity, {
    defaultValue: 'WARNING',
    description: 'Alerts as bad as this, or worse, are told of.',
  })
  minimumSeverity!: Severity;

  @Field(() => [ID], {
    nullable: true,
    description: `Of these buildings only, 1 to ${MAXIMUM_WEBHOOK_BUILDINGS}; null or left out for all of the tenant.`,
  })
  buildingIds?: string[] | null;

  @Field({ description: 'Your own key for this webhook: repeating the call with it makes no second one.' })
  idempotencyKey!: string;
}

@InputType({ description: 'A webhook that is to have a new secret.' })
export class RotateWebhookSecretInput {
  @Field(() => ID, { description: 'The webhook.' })
  webhookId!: string;

  @Field({
    defaultValue: false,
    description:
      'Whether the secret so far signs no more at once, as for one that has leaked; otherwise both sign for a day.',
  })
  revokeOther!: boolean;

  @Field({ description: 'Your own key for this rotation: repeating the call with it rotates nothing.' })
  idempotencyKey!: string;
}

@InputType({ description: 'A webhook to delete.' })
export class DeleteWebhookInput {
  @Field(() => ID, { description: 'The webhook.' })
  webhookId!: string;
}

@InputType({ description: 'A delivery to send again.' })
export class RedeliverWebhookInput {
  @Field(() => ID, { description: 'The webhook.' })
  webhookId!: string;

  @Field(() => ID, { description: 'The delivery.' })
  deliveryId!: string;
}

const SECRET =
  'With it the receiver checks signatures: `whsec_` and base64. Shown once, to the call that gave it; null for a repetition: rotate it then.';
const SHOWN = 'Whether the secret was shown to an earlier call with this key.';

@ObjectType({ description: 'The webhook stands: alerts from now on are told of.' })
export class CreateWebhookSuccess {
  @Visible('with-parent')
  @Field(() => Webhook, { description: 'The webhook.' })
  webhook!: Webhook;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: SECRET })
  secret!: string | null;

  @Visible('with-parent')
  @Field({ description: SHOWN })
  secretsAlreadyShown!: boolean;
}

@ObjectType({ description: 'The webhook has a new secret, and you answer for it.' })
export class RotateWebhookSecretSuccess {
  @Visible('with-parent')
  @Field(() => Webhook, { description: 'The webhook.' })
  webhook!: Webhook;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: SECRET })
  secret!: string | null;

  @Visible('with-parent')
  @Field({ description: SHOWN })
  secretsAlreadyShown!: boolean;
}

@ObjectType({ description: 'The webhook is gone: nothing is sent any more.' })
export class DeleteWebhookSuccess {
  @Visible('with-parent')
  @Field(() => Webhook, { description: 'The webhook as it was.' })
  webhook!: Webhook;
}

@ObjectType({ description: 'The delivery is on its way.' })
export class RedeliverWebhookSuccess {
  @Visible('with-parent')
  @Field(() => WebhookDelivery, { description: 'The delivery as it is now.' })
  delivery!: WebhookDelivery;
}

export const CreateWebhookResult = createUnionType({
  name: 'CreateWebhookResult',
  description: 'The new webhook, or why there is none.',
  types: () => [CreateWebhookSuccess, ...USER_ERROR_TYPES] as const,
});
export const RotateWebhookSecretResult = createUnionType({
  name: 'RotateWebhookSecretResult',
  description: 'The webhook with its new secret, or why it has none.',
  types: () => [RotateWebhookSecretSuccess, ...USER_ERROR_TYPES] as const,
});
export const DeleteWebhookResult = createUnionType({
  name: 'DeleteWebhookResult',
  description: 'The webhook that was, or why it still is.',
  types: () => [DeleteWebhookSuccess, ...USER_ERROR_TYPES] as const,
});
export const RedeliverWebhookResult = createUnionType({
  name: 'RedeliverWebhookResult',
  description: 'The delivery, or why it is not sent.',
  types: () => [RedeliverWebhookSuccess, ...USER_ERROR_TYPES] as const,
});
