import { createHash } from 'node:crypto';
import { type AlertSeverity } from '../../domain/alert';
import { type SealedKey } from '../documents';

/**
 * In `directory`, key `webhooksOf(tenantId)`: where a tenant wants to be told of its alerts. Ended rather than deleted, so
 * that what was delivered can still be asked about for a while.
 */
export interface WebhookDocument {
  /** `whk_...` */
  id: string;
  key: string;
  kind: 'webhook';
  tenantId: string;
  name: string;
  url: string;
  minimumSeverity: AlertSeverity;
  /** Null: all of the tenant's. */
  buildingIds: string[] | null;
  /** Bound to the webhook's id. */
  secret: SealedKey;
  /** The secret before the last rotation, with which deliveries are signed as well until then. */
  previous: { secret: SealedKey; until: number } | null;
  /**
   * The person whose rights of the moment bound what is sent: who made it, or who rotated its secret last. Without the
   * right nothing is sent.
   */
  responsible: string;
  createdAt: number;
  changedAt: number;
  endedAt: number | null;
  /** `name`, then id. */
  sortKey: string;
  ttl?: number;
  _etag?: string;
}

export function webhooksOf(tenantId: string): string {
  return `webhooks:${tenantId}`;
}

export const DELIVERY_STATES = ['PENDING', 'DELIVERED', 'DEAD', 'CANCELLED'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** One try: what came of it, and nothing of the answer but its status. */
export interface DeliveryAttempt {
  at: number;
  /** Null where no answer came. */
  status: number | null;
  /** Why it was not taken; null where it was. */
  problem: string | null;
  milliseconds: number;
}

/** The last so many tries are kept with a delivery. */
export const KEPT_ATTEMPTS = 12;

/** In `directory`, key `deliveriesOf(webhookId)`, id `deliveryIdOf(...)`: one event on its way to one webhook. */
export interface DeliveryDocument {
  /** What the receiver gets as `webhook-id`: the same for every try, and for a repeated event. */
  id: string;
  key: string;
  kind: 'webhookDelivery';
  tenantId: string;
  webhookId: string;
  buildingId: string;
  /** The event's `number` in its building. */
  number: number;
  type: string;
  /** Exactly what is sent. */
  body: string;
  state: DeliveryState;
  createdAt: number;
  /** Tries since it was created, or asked for again. */
  tries: number;
  attempts: DeliveryAttempt[];
  /** Null once it is not on its way any more. */
  nextAttemptAt: number | null;
  /** `createdAt` padded, then id: newest last. */
  sortKey: string;
  ttl: number;
  _etag?: string;
}

export function deliveriesOf(webhookId: string): string {
  return `webhook:${webhookId}`;
}

export function deliveryIdOf(webhookId: string, buildingId: string, number: number): string {
  const hash = createHash('sha256').update(`${webhookId}\n${buildingId}\n${number}`).digest();
  return `whd_${hash.subarray(0, 16).toString('base64url')}`;
}

export function deliverySortKey(createdAt: number, id: string): string {
  return `${String(createdAt).padStart(15, '0')}\n${id}`;
}

/**
 * In `directory`, key `queueOf(webhookId)`, id the delivery's: that it is due, and who is at it. Ordered by when it is due;
 * a lease is a later instant, so that a worker that died is followed by another when it ends.
 */
export interface DuePlaceDocument {
  id: string;
  key: string;
  kind: 'webhookDue';
  webhookId: string;
  /** `dueKeyOf(dueAt)` */
  sortKey: string;
  _etag?: string;
}

/** So many partitions share what is due; each is looked at once a second. */
export const QUEUES = 4;

export function queueNamed(index: number): string {
  return `webhook-queue:${index}`;
}

export function queueOf(webhookId: string): string {
  return queueNamed(createHash('sha256').update(webhookId).digest()[0]! % QUEUES);
}

export function dueKeyOf(at: number, id: string): string {
  return `${String(Math.max(0, Math.round(at))).padStart(15, '0')}\n${id}`;
}
