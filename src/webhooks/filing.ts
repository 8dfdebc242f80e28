import { maySeeAlert } from '../auth/alert-access';
import { allows, type TenantScope } from '../auth/scope';
import { explain, type Logger } from '../observability/logger';
import { type AlertEventDocument } from '../store/alert-documents';
import { atLeast } from '../store/alerts/reader';
import { type ChangeFeed, type Cosmos } from '../store/cosmos';
import { createPauses } from '../store/pauses';
import { createDeliveryLog } from '../store/webhooks/delivery-log';
import {
  deliveriesOf,
  type DeliveryDocument,
  deliveryIdOf,
  deliverySortKey,
  type WebhookDocument,
  webhooksOf,
} from '../store/webhooks/documents';
import { payloadOf } from './payload';

/** key `webhook-feed`, id `feed`: how far the change feed of alerts has been made into deliveries, and by whom. */
interface FeedDocument {
  id: 'feed';
  key: 'webhook-feed';
  continuation: string | null;
  lease: { worker: string; until: number };
  _etag?: string;
}

const KEY = 'webhook-feed';
/** After this a replica that says nothing is believed dead. */
const LEASE_MS = 10_000;
const RENEWAL_MS = 3_000;
const POLL_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const PAGE = 100;

/**
 * Makes a delivery of each alert's event for each webhook that asks for it. One replica at a time follows the change feed;
 * its position is kept only behind what was filed, under its etag, so that a crash files an event again, which finds its
 * delivery there, and never leaves one out.
 */
export function createFiling(options: {
  cosmos: Cosmos;
  worker: string;
  /** The rights of a person, of now. */
  scopeOf(personId: string): Promise<TenantScope>;
  keepSeconds: number;
  onFiled(deliveries: number): void;
  logger: Logger;
}): { start(): void; stop(): Promise<void> } {
  const { cosmos, worker, scopeOf, keepSeconds, onFiled, logger } = options;
  const log = createDeliveryLog({ cosmos });
  const pauses = createPauses();
  let stopping = false;
  let loop: Promise<void> | undefined;
  let held: FeedDocument | null = null;
  let feed: ChangeFeed | undefined;

  /** Takes or renews the lease, with the position; false where another has it. */
  async function hold(continuation: string | null | undefined): Promise<boolean> {
    const now = Date.now();
    if (held === null) {
      const current = await cosmos.read<FeedDocument>('directory', KEY, 'feed');
      if (current && current.lease.until > now && current.lease.worker !== worker) return false;
      held = current ?? null;
      feed = undefined;
    }
    const next: FeedDocument = {
      id: 'feed',
      key: KEY,
      continuation: continuation === undefined ? (held?.continuation ?? null) : continuation,
      lease: { worker, until: now + LEASE_MS },
    };
    const outcome = await cosmos.batch('directory', KEY, [
      held ? { replace: next, etag: held._etag! } : { create: next },
    ]);
    held = outcome.ok ? { ...next, _etag: outcome.etags[0]! } : null;
    if (!outcome.ok) feed = undefined;
    return outcome.ok;
  }

  async function file(events: readonly AlertEventDocument[]): Promise<void> {
    const byTenant = new Map<string, AlertEventDocument[]>();
    for (const event of events) {
      byTenant.set(event.tenantId, [...(byTenant.get(event.tenantId) ?? []), event]);
    }
    for (const [tenantId, theirs] of byTenant) {
      const webhooks = await cosmos.query<WebhookDocument>(
        'directory',
        webhooksOf(tenantId),
        "SELECT * FROM c WHERE c.kind = 'webhook' AND c.endedAt = null",
      );
      const deliveries: DeliveryDocument[] = [];
      for (const webhook of webhooks) {
        const wanted = theirs.filter((event) => asksFor(webhook, event));
        if (wanted.length === 0) continue;
        const scope = await scopeOf(webhook.responsible);
        for (const event of wanted) {
          if (mayBeSent(scope, webhook, event)) deliveries.push(deliveryOf(webhook, event, keepSeconds));
        }
      }
      await log.add(deliveries);
      onFiled(deliveries.length);
    }
  }

  /** True when nothing is left to be done for now. */
  async function step(): Promise<boolean> {
    // A page takes far less time than the lease lasts; who stalled longer is refused when it keeps its position.
    const due = held === null || held.lease.until - Date.now() < LEASE_MS - RENEWAL_MS;
    if (due && !(await hold(undefined))) return true;
    const { continuation } = held!;
    feed ??= cosmos.changes('alerts', continuation === null ? 'beginning' : { continuation }, PAGE);
    const page = await feed.next();
    const events = (page.documents as AlertEventDocument[]).filter(({ type }) => type === 'alertEvent');
    await file(events);
    if (page.documents.length > 0) await hold(page.continuation);
    return page.caughtUp;
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopping) {
      let pause = 0;
      try {
        if (await step()) pause = POLL_MS;
        failures = 0;
      } catch (error) {
        // The feed's own position may be beyond what was filed.
        feed = undefined;
        held = null;
        if (failures++ === 0) logger.warn({ error: explain(error) }, 'alerts cannot be filed for webhooks');
        pause = Math.min(POLL_MS * 2 ** Math.min(failures, 10), LONGEST_PAUSE_MS);
      }
      if (!stopping && pause > 0) await pauses.pause(pause);
    }
  }

  return {
    start() {
      loop ??= run();
    },
    async stop() {
      stopping = true;
      pauses.wake();
      await loop;
    },
  };
}

function asksFor(webhook: WebhookDocument, { buildingId, alert, at }: AlertEventDocument): boolean {
  return (
    // What was before the webhook is not told: the feed is read from the beginning where it was never read.
    at >= webhook.createdAt &&
    (webhook.buildingIds === null || webhook.buildingIds.includes(buildingId)) &&
    atLeast(webhook.minimumSeverity).includes(alert.severity)
  );
}

/** Whether the person who answers for a webhook may have it, and may see the alert. */
export function mayBeSent(
  scope: TenantScope,
  { tenantId }: Pick<WebhookDocument, 'tenantId'>,
  { alert }: Pick<AlertEventDocument, 'alert'>,
): boolean {
  return answersFor(scope, tenantId) && maySeeAlert(scope, alert);
}

export function answersFor(scope: TenantScope, tenantId: string): boolean {
  return allows(scope, 'webhook.manage', { tenantId, quantity: null });
}

function deliveryOf(
  { id: webhookId, tenantId }: WebhookDocument,
  event: AlertEventDocument,
  keepSeconds: number,
): DeliveryDocument {
  const { buildingId, number } = event;
  const id = deliveryIdOf(webhookId, buildingId, number);
  const now = Date.now();
  return {
    id,
    key: deliveriesOf(webhookId),
    kind: 'webhookDelivery',
    tenantId,
    webhookId,
    buildingId,
    number,
    ...payloadOf(event),
    state: 'PENDING',
    createdAt: now,
    tries: 0,
    attempts: [],
    nextAttemptAt: now,
    sortKey: deliverySortKey(now, id),
    ttl: keepSeconds,
  };
}
