import { randomBytes } from 'node:crypto';
import { allows, tenantsWith, type TenantScope } from '../../auth/scope';
import { type AlertSeverity } from '../../domain/alert';
import { derivedId } from '../../domain/id';
import { MAXIMUM_WEBHOOK_BUILDINGS, MAXIMUM_WEBHOOKS, webhookUrlProblem } from '../../domain/webhook';
import { BEFORE_NAMES, createConfigurationOf, ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument, sortKeyOf } from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome, type Page, type Refusal } from '../registry';
import { notFound, refused } from '../registry/access';
import { type Attempt, attemptOf, claim } from '../registry/idempotency';
import { pageOf, sortKeyAfter } from '../registry/position';
import { keyReused } from '../registry/shown-once';
import { keyProblem, nameProblem } from '../registry/validation';
import { createDeliveryLog, type DeliveryLog } from './delivery-log';
import { type DeliveryDocument, type WebhookDocument, webhooksOf } from './documents';

export interface NewWebhook {
  tenantId: string;
  name: string;
  url: string;
  minimumSeverity: AlertSeverity;
  /** Null: all of the tenant's. */
  buildingIds: string[] | null;
}

/** A webhook with its secret, for the call that gave it; null for a repetition. */
export interface ShownWebhook {
  webhook: WebhookDocument;
  secret: string | null;
}

/** Where tenants want to be told of their alerts, always inside the caller's scope. */
export interface Webhooks {
  createWebhook(
    scope: TenantScope,
    input: NewWebhook,
    idempotencyKey: string,
  ): Promise<Outcome<ShownWebhook>>;
  /**
   * A new secret. The one so far signs as well for another day, unless `revokeOther`. Whoever does it answers for the
   * webhook from then on: deliveries go by that person's rights.
   */
  rotateWebhookSecret(
    scope: TenantScope,
    input: { webhookId: string; revokeOther: boolean },
    idempotencyKey: string,
  ): Promise<Outcome<ShownWebhook>>;
  /** Nothing is sent any more. Deleting a deleted one changes nothing. */
  deleteWebhook(scope: TenantScope, webhookId: string): Promise<Outcome<WebhookDocument>>;
  /** In the order of their names, then ids. */
  webhooks(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<WebhookDocument>>;
  webhook(scope: TenantScope, webhookId: string): Promise<WebhookDocument | null>;
  /** Newest first; without their bodies' secrets, since there are none in them. */
  webhookDeliveries(
    webhook: Pick<WebhookDocument, 'id'>,
    options: { first: number; after: string | null },
  ): Promise<Page<DeliveryDocument>>;
  /** Sends a delivery anew that is not on its way: one that is keeps its next try. */
  redeliverWebhook(
    scope: TenantScope,
    input: { webhookId: string; deliveryId: string },
  ): Promise<Outcome<DeliveryDocument>>;
}

/** As Standard Webhooks recommends: 24 to 64 random bytes. */
const SECRET_BYTES = 32;
const SECRET_PREFIX = 'whsec_';
/** How long a receiver has to take a new secret over. */
const OVERLAP_MS = 24 * 3_600_000;

export function createWebhooks({
  cosmos,
  keyring,
  allowPrivate,
}: {
  cosmos: Cosmos;
  keyring: Keyring;
  /** For tests and laptops: any address, and http. */
  allowPrivate: boolean;
}): Webhooks {
  const configuration = createConfigurationOf<WebhookDocument>({
    cosmos,
    what: 'webhooks',
    maximum: MAXIMUM_WEBHOOKS,
  });
  const log: DeliveryLog = createDeliveryLog({ cosmos });

  async function find(scope: TenantScope, webhookId: string): Promise<WebhookDocument | null> {
    const found = await cosmos.readMany<WebhookDocument>(
      'directory',
      tenantsWith(scope, 'webhook.manage').map((tenantId) => ({
        partition: webhooksOf(tenantId),
        id: webhookId,
      })),
    );
    const webhook = found.find((each) => each !== null);
    return webhook?.kind === 'webhook' && may(scope, webhook) ? webhook : null;
  }

  async function begun(
    scope: TenantScope,
    tenantId: string,
    mutation: string,
    key: string,
    variables: unknown,
  ): Promise<{ attempt: Attempt; at: number } | null> {
    const attempt = attemptOf(scope, tenantId, mutation, key, variables);
    const claimed = await claim(cosmos, attempt);
    return claimed && { attempt, at: claimed.claimedAt };
  }

  async function placeProblem(scope: TenantScope, input: NewWebhook): Promise<Refusal | undefined> {
    const ids = input.buildingIds ?? [];
    const found = await cosmos.readMany<BuildingDocument>(
      'registry',
      ids.map((id) => ({ partition: id, id })),
    );
    const wrong = found.findIndex(
      (each) =>
        each?.type !== 'building' ||
        each.tenantId !== input.tenantId ||
        !allows(scope, 'building.read', each),
    );
    if (wrong === -1) return undefined;
    return {
      code: 'NOT_FOUND',
      message: `there is no building ${ids[wrong]}`,
      path: `buildingIds.${wrong}`,
    };
  }

  return {
    async createWebhook(scope, input, idempotencyKey) {
      const { tenantId, name, url, minimumSeverity, buildingIds } = input;
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!may(scope, input)) return refused('FORBIDDEN', 'your role may not make webhooks here');
      const problem =
        keyProblem(idempotencyKey) ??
        nameProblem('name', name) ??
        urlProblem(url, allowPrivate) ??
        buildingsProblem(buildingIds) ??
        (await placeProblem(scope, input));
      if (problem) return { ok: false, refusal: problem };
      const told = { name, url, minimumSeverity, buildingIds };
      const claimed = await begun(scope, tenantId, 'createWebhook', idempotencyKey, told);
      if (!claimed) return keyReused();
      const { attempt, at } = claimed;
      const id = derivedId('whk', tenantId, attempt.hash, String(at));
      const secret = randomBytes(SECRET_BYTES);
      const webhook: WebhookDocument = {
        id,
        key: webhooksOf(tenantId),
        kind: 'webhook',
        tenantId,
        ...told,
        secret: keyring.seal(id, secret),
        previous: null,
        responsible: scope.principal.id,
        createdAt: at,
        changedAt: at,
        endedAt: null,
        sortKey: sortKeyOf(name, id),
      };
      const audit = { id: derivedId('aud', id, 'create'), action: 'webhook.create', after: told };
      const outcome = await configuration.create(scope, webhook, audit);
      if (!outcome.ok) return outcome;
      const { document } = outcome.value;
      // Also where it was this very try, whose answer was lost, that stored it.
      const mine = document.secret === webhook.secret;
      return { ok: true, value: { webhook: document, secret: mine ? textOf(secret) : null } };
    },

    async rotateWebhookSecret(scope, { webhookId, revokeOther }, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      const found = await find(scope, webhookId);
      if (!found || found.endedAt !== null) return notFound('webhook', webhookId, 'webhookId');
      const { tenantId } = found;
      const variables = [webhookId, revokeOther];
      const claimed = await begun(scope, tenantId, 'rotateWebhookSecret', idempotencyKey, variables);
      if (!claimed) return keyReused();
      const rotation = derivedId('aud', claimed.attempt.hash, String(claimed.at));
      // The audit event's id follows from the key, and stands in the same batch: a repeated key rotates nothing.
      if (await cosmos.read('directory', found.key, rotation)) {
        return { ok: true, value: { webhook: found, secret: null } };
      }
      const secret = randomBytes(SECRET_BYTES);
      const sealed = keyring.seal(webhookId, secret);
      const outcome = await configuration.change(
        scope,
        found,
        (webhook, now) => {
          if (webhook.endedAt !== null) return notFound('webhook', webhookId, 'webhookId');
          const document: WebhookDocument = {
            ...webhook,
            secret: sealed,
            previous: revokeOther ? null : { secret: webhook.secret, until: now + OVERLAP_MS },
            responsible: scope.principal.id,
            changedAt: now,
          };
          const audit = {
            action: 'webhook.rotate-secret',
            before: { responsible: webhook.responsible },
            after: { responsible: document.responsible, revokeOther },
          };
          return { ok: true, value: { document, audit } };
        },
        rotation,
      );
      if (!outcome.ok) return outcome;
      const mine = outcome.value.secret === sealed;
      return { ok: true, value: { webhook: outcome.value, secret: mine ? textOf(secret) : null } };
    },

    async deleteWebhook(scope, webhookId) {
      const found = await find(scope, webhookId);
      if (!found) return notFound('webhook', webhookId, 'webhookId');
      return configuration.change(scope, found, (webhook, now) => {
        if (webhook.endedAt !== null) return { ok: true, value: null };
        const document = { ...webhook, endedAt: now, changedAt: now, ttl: ENDED_SECONDS };
        const { name, url } = webhook;
        return {
          ok: true,
          value: { document, audit: { action: 'webhook.delete', before: { name, url }, after: null } },
        };
      });
    },

    async webhooks(scope, tenantId, { first, after }) {
      const found = allows(scope, 'webhook.manage', { tenantId, quantity: null })
        ? await cosmos.query<WebhookDocument>(
            'directory',
            webhooksOf(tenantId),
            "SELECT * FROM c WHERE c.kind = 'webhook' AND c.endedAt = null AND c.sortKey > @position ORDER BY c.sortKey",
            { position: sortKeyAfter(after) || BEFORE_NAMES },
            { limit: first + 1 },
          )
        : [];
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

    webhook: find,
    webhookDeliveries: ({ id }, options) => log.newest(id, options),

    async redeliverWebhook(scope, { webhookId, deliveryId }) {
      const webhook = await find(scope, webhookId);
      if (!webhook || webhook.endedAt !== null) return notFound('webhook', webhookId, 'webhookId');
      const delivery = await log.again(webhookId, deliveryId);
      return delivery ? { ok: true, value: delivery } : notFound('delivery', deliveryId, 'deliveryId');
    },
  };
}

/** What is sent may be of any quantity: who has a right to some only may not say where to. */
function may(scope: TenantScope, { tenantId }: Pick<NewWebhook, 'tenantId'>): boolean {
  return allows(scope, 'webhook.manage', { tenantId, quantity: null });
}

function urlProblem(url: string, allowPrivate: boolean): Refusal | undefined {
  const problem = webhookUrlProblem(url, allowPrivate);
  return problem === undefined
    ? undefined
    : { code: 'INVALID_INPUT', message: `url ${problem}`, path: 'url' };
}

function buildingsProblem(buildingIds: readonly string[] | null): Refusal | undefined {
  if (buildingIds === null) return undefined;
  const count = buildingIds.length;
  if (count > 0 && count <= MAXIMUM_WEBHOOK_BUILDINGS) return undefined;
  const message = `buildingIds names ${count} buildings and must name 1 to ${MAXIMUM_WEBHOOK_BUILDINGS}, or be left out for all`;
  return { code: 'INVALID_INPUT', message, path: 'buildingIds' };
}

function textOf(secret: Buffer): string {
  return `${SECRET_PREFIX}${secret.toString('base64')}`;
}
