import { type TenantScope } from '../auth/scope';
import { explain, type Logger } from '../observability/logger';
import { type Cosmos } from '../store/cosmos';
import { type Keyring } from '../store/keyring';
import { createPauses } from '../store/pauses';
import { retrying } from '../store/store-error';
import {
  deliveriesOf,
  type DeliveryAttempt,
  type DeliveryDocument,
  type DeliveryState,
  dueKeyOf,
  type DuePlaceDocument,
  KEPT_ATTEMPTS,
  queueNamed,
  QUEUES,
  type WebhookDocument,
  webhooksOf,
} from '../store/webhooks/documents';
import { answersFor } from './filing';
import { nextTryAfter, type RetrySchedule } from './schedule';
import { type Sender } from './sender';
import { signedHeaders } from './signature';

export interface DeliveryLimits {
  /** By this process. */
  atOnce: number;
  /** To one host for one tenant: a slow receiver holds up its own. */
  atOncePerHost: number;
  /** How long a worker may be at a delivery before another takes it: longer than a try lasts. */
  leaseMs: number;
  /** How often what is due is looked for. */
  pollMs: number;
}

export const DEFAULT_LIMITS: DeliveryLimits = {
  atOnce: 64,
  atOncePerHost: 4,
  leaseMs: 30_000,
  pollMs: 1_000,
};

/** Due places that one look takes from each queue. */
const LOOK = 100;

/**
 * Sends what is due. Each delivery is leased first, by moving its place in the queue behind the lease under its etag: so of
 * several workers one has it, and where that one dies another comes to it when the lease ends. What came of a try is noted
 * with the delivery before its place goes, so that one which dies between sending and noting sends again, and never not.
 */
export function createDelivering(options: {
  cosmos: Cosmos;
  keyring: Keyring;
  sender: Sender;
  schedule: RetrySchedule;
  limits: DeliveryLimits;
  /** The rights of a person, of now. */
  scopeOf(personId: string): Promise<TenantScope>;
  onAttempt(outcome: 'delivered' | 'failed' | 'dead' | 'cancelled', milliseconds: number): void;
  logger: Logger;
}): { start(): void; stop(): Promise<void> } {
  const { cosmos, keyring, sender, schedule, limits, scopeOf, onAttempt, logger } = options;
  const pauses = createPauses();
  const underWay = new Map<string, Promise<void>>();
  /** By tenant and host. */
  const busy = new Map<string, number>();
  let stopping = false;
  let loop: Promise<void> | undefined;

  async function remove({ key, id }: DuePlaceDocument, etag: string): Promise<void> {
    await retrying(() => cosmos.batch('directory', key, [{ remove: id, etag }]));
  }

  async function move(place: DuePlaceDocument, etag: string, at: number): Promise<string | null> {
    const next: DuePlaceDocument = { ...place, sortKey: dueKeyOf(at, place.id) };
    const outcome = await cosmos.batch('directory', place.key, [{ replace: next, etag }]);
    return outcome.ok ? outcome.etags[0]! : null;
  }

  function secretsOf({ id, secret, previous }: WebhookDocument, now: number): Buffer[] {
    const sealed = previous !== null && now < previous.until ? [secret, previous.secret] : [secret];
    return sealed.map((each) => keyring.open(id, each));
  }

  /** The webhook as it is now, where it may be sent to: it was not deleted, and somebody answers for it. */
  async function allowed(delivery: DeliveryDocument): Promise<WebhookDocument | null> {
    const webhook = await cosmos.read<WebhookDocument>(
      'directory',
      webhooksOf(delivery.tenantId),
      delivery.webhookId,
    );
    if (webhook === null || webhook.endedAt !== null) return null;
    return answersFor(await scopeOf(webhook.responsible), webhook.tenantId) ? webhook : null;
  }

  async function note(
    delivery: DeliveryDocument,
    state: DeliveryState,
    attempt: DeliveryAttempt | null,
    nextAttemptAt: number | null,
  ): Promise<void> {
    const noted: DeliveryDocument = {
      ...delivery,
      state,
      tries: delivery.tries + (attempt === null ? 0 : 1),
      attempts: [...delivery.attempts, ...(attempt === null ? [] : [attempt])].slice(-KEPT_ATTEMPTS),
      nextAttemptAt,
    };
    // Where it changed meanwhile another worker, whose lease outlived this one's, has noted its own try.
    await retrying(() => cosmos.batch('directory', noted.key, [{ replace: noted, etag: delivery._etag! }]));
  }

  async function attend(place: DuePlaceDocument): Promise<void> {
    const etag = await move(place, place._etag!, Date.now() + limits.leaseMs);
    if (etag === null) return;
    const delivery = await cosmos.read<DeliveryDocument>(
      'directory',
      deliveriesOf(place.webhookId),
      place.id,
    );
    if (delivery === null || delivery.state !== 'PENDING') return remove(place, etag);
    const webhook = await allowed(delivery);
    if (webhook === null) {
      await note(delivery, 'CANCELLED', null, null);
      onAttempt('cancelled', 0);
      return remove(place, etag);
    }
    const at = Date.now();
    const host = `${webhook.tenantId} ${new URL(webhook.url).host}`;
    const there = busy.get(host) ?? 0;
    if (there >= limits.atOncePerHost) {
      await move(place, etag, at + limits.pollMs);
      return;
    }
    busy.set(host, there + 1);
    let sent;
    try {
      const { id, body } = delivery;
      const signed = signedHeaders({ id, at, body, secrets: secretsOf(webhook, at) });
      const headers = { ...signed, 'content-type': 'application/json', 'user-agent': 'Atrium-Webhooks/1' };
      sent = await sender.send(webhook.url, headers, body);
    } finally {
      const left = busy.get(host)! - 1;
      if (left === 0) busy.delete(host);
      else busy.set(host, left);
    }
    const milliseconds = Date.now() - at;
    const attempt: DeliveryAttempt = { at, status: sent.status, problem: sent.problem, milliseconds };
    if (sent.problem === null) {
      await note(delivery, 'DELIVERED', attempt, null);
      onAttempt('delivered', milliseconds);
      return remove(place, etag);
    }
    const after = sent.final ? null : nextTryAfter(schedule, delivery.tries + 1);
    if (after === null) {
      await note(delivery, 'DEAD', attempt, null);
      onAttempt('dead', milliseconds);
      return remove(place, etag);
    }
    await note(delivery, 'PENDING', attempt, Date.now() + after);
    onAttempt('failed', milliseconds);
    await move(place, etag, Date.now() + after);
  }

  async function look(): Promise<void> {
    // In another order each time, so that no queue is always the last to get a place.
    const first = Math.floor(Math.random() * QUEUES);
    for (let index = 0; index < QUEUES && !stopping; index++) {
      const free = limits.atOnce - underWay.size;
      if (free <= 0) return;
      const due = await cosmos.query<DuePlaceDocument>(
        'directory',
        queueNamed((first + index) % QUEUES),
        'SELECT * FROM c WHERE c.sortKey < @now ORDER BY c.sortKey',
        { now: dueKeyOf(Date.now(), '') },
        { limit: Math.min(free, LOOK) },
      );
      for (const place of due) {
        if (underWay.has(place.id) || underWay.size >= limits.atOnce) continue;
        const work = attend(place)
          .catch((error: unknown) => {
            // Its lease ends, and somebody comes to it again.
            logger.warn(
              { delivery: place.id, error: explain(error) },
              'a webhook delivery is left for later',
            );
          })
          .finally(() => underWay.delete(place.id));
        underWay.set(place.id, work);
      }
    }
  }

  async function run(): Promise<void> {
    while (!stopping) {
      await look().catch((error: unknown) => {
        logger.warn({ error: explain(error) }, 'webhook deliveries cannot be looked for');
      });
      if (!stopping) await pauses.pause(limits.pollMs);
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
      await Promise.all(underWay.values());
    },
  };
}
