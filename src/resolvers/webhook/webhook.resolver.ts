import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type ShownWebhook } from '../../store/webhooks/webhooks';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  CreateWebhookInput,
  CreateWebhookResult,
  CreateWebhookSuccess,
  DeleteWebhookInput,
  DeleteWebhookResult,
  DeleteWebhookSuccess,
  RedeliverWebhookInput,
  RedeliverWebhookResult,
  RedeliverWebhookSuccess,
  RotateWebhookSecretInput,
  RotateWebhookSecretResult,
  RotateWebhookSecretSuccess,
  Webhook,
  WebhookConnection,
  WebhookDelivery,
  WebhookDeliveryConnection,
} from './webhook.type';

@Resolver(() => Webhook)
export class WebhookResolver {
  @Visible({ needs: 'webhook.manage', of: 'parent' })
  @FieldResolver(() => WebhookDeliveryConnection, {
    nullable: true,
    description: 'What was, is and will be sent, newest first; kept for 30 days.',
  })
  deliveries(
    @Root() webhook: Webhook,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { webhooks, cursors }, principal }: Context,
  ): Promise<Connection<WebhookDelivery>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Webhook.deliveries', arguments: [webhook.id] },
      fetch: (options) => webhooks.webhookDeliveries(webhook, options),
      toNode: WebhookDelivery.of,
    });
  }

  @Visible({ needs: 'webhook.manage', of: 'arguments' })
  @Mutation(() => CreateWebhookResult, {
    description: 'Has a server of yours told of alerts. Whoever does it answers for what is sent.',
  })
  async createWebhook(
    @Arg('input', () => CreateWebhookInput, { description: 'The webhook.' })
    { idempotencyKey, buildingIds, ...input }: CreateWebhookInput,
    @Ctx() { services: { webhooks }, scope }: Context,
  ): Promise<CreateWebhookSuccess | UserError> {
    const wanted = { ...input, buildingIds: buildingIds ?? null };
    const outcome = await webhooks.createWebhook(scope, wanted, idempotencyKey);
    return outcome.ok
      ? Object.assign(new CreateWebhookSuccess(), shown(outcome.value))
      : userErrorOf(outcome.refusal);
  }

  @Visible({ needs: 'webhook.manage', of: 'arguments' })
  @Mutation(() => RotateWebhookSecretResult, {
    description: 'Gives a webhook a new secret. Whoever does it answers for the webhook from then on.',
  })
  async rotateWebhookSecret(
    @Arg('input', () => RotateWebhookSecretInput, { description: 'The webhook.' })
    { idempotencyKey, webhookId, revokeOther }: RotateWebhookSecretInput,
    @Ctx() { services: { webhooks }, scope }: Context,
  ): Promise<RotateWebhookSecretSuccess | UserError> {
    const outcome = await webhooks.rotateWebhookSecret(scope, { webhookId, revokeOther }, idempotencyKey);
    return outcome.ok
      ? Object.assign(new RotateWebhookSecretSuccess(), shown(outcome.value))
      : userErrorOf(outcome.refusal);
  }

  @Visible({ needs: 'webhook.manage', of: 'arguments' })
  @Mutation(() => DeleteWebhookResult, {
    description: 'Deletes a webhook: what is still on its way is not sent. Doing so again changes nothing.',
  })
  async deleteWebhook(
    @Arg('input', () => DeleteWebhookInput, { description: 'The webhook.' })
    { webhookId }: DeleteWebhookInput,
    @Ctx() { services: { webhooks }, scope }: Context,
  ): Promise<DeleteWebhookSuccess | UserError> {
    const outcome = await webhooks.deleteWebhook(scope, webhookId);
    return outcome.ok
      ? Object.assign(new DeleteWebhookSuccess(), { webhook: Webhook.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }

  @Visible({ needs: 'webhook.manage', of: 'arguments' })
  @Mutation(() => RedeliverWebhookResult, {
    description: 'Sends a delivery again, under the same id; one that is on its way stays as it is.',
  })
  async redeliverWebhook(
    @Arg('input', () => RedeliverWebhookInput, { description: 'The delivery.' })
    input: RedeliverWebhookInput,
    @Ctx() { services: { webhooks }, scope }: Context,
  ): Promise<RedeliverWebhookSuccess | UserError> {
    const outcome = await webhooks.redeliverWebhook(scope, input);
    return outcome.ok
      ? Object.assign(new RedeliverWebhookSuccess(), { delivery: WebhookDelivery.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }
}

@Resolver(() => Tenant)
export class TenantWebhooksResolver {
  @Visible({ needs: 'webhook.manage', of: 'parent' })
  @FieldResolver(() => WebhookConnection, {
    nullable: true,
    description: 'Its webhooks, by name; null, with an error, where your role does not manage them.',
  })
  webhooks(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { webhooks, cursors }, principal, scope }: Context,
  ): Promise<Connection<Webhook>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.webhooks', arguments: [tenantId] },
      fetch: (options) => webhooks.webhooks(scope, tenantId, options),
      toNode: Webhook.of,
    });
  }
}

function shown({ webhook, secret }: ShownWebhook) {
  return { webhook: Webhook.of(webhook), secret, secretsAlreadyShown: secret === null };
}

export async function loadWebhook(
  { services: { webhooks }, scope }: Context,
  id: string,
): Promise<Webhook | null> {
  const webhook = await webhooks.webhook(scope, id);
  return webhook === null ? null : Webhook.of(webhook);
}
