import { createHash } from 'node:crypto';
import { type Role } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import { normalizedClaimCode } from '../registry/claim-code';

/** Below OWNER, which administers access, and OPERATOR, which sees nothing. */
export const GRANTED_ROLES = ['MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'] as const satisfies Role[];
export type GrantedRole = (typeof GRANTED_ROLES)[number];

export const GRANTEE_KINDS = ['TENANT', 'PERSON'] as const;
export type GranteeKind = (typeof GRANTEE_KINDS)[number];

/** What is shared, the same in both documents of a grant; it is never changed. */
interface Shared {
  /** `gra_...` */
  id: string;
  buildingId: string;
  /** Null: all of the building. */
  spaceId: string | null;
  /** The space and all that lie in it; null: all of the building. */
  spaceIds: string[] | null;
  /** Null: all. */
  quantities: QuantityName[] | null;
  role: GrantedRole;
  /** Milliseconds since 1970; null: until revoked. */
  until: number | null;
  to: GranteeKind;
  /** The owner's name when it was offered. */
  ownerName: string;
  offeredAt: number;
  /** Set once it is over; it stays for a while, because the change feed tells of no deletion. */
  endedAt: number | null;
  /** `offeredAt` padded, then id: the order of listings. */
  sortKey: string;
  /** Seconds. */
  ttl?: number;
  _etag?: string;
}

/** In `directory`, key `grantsOf(tenantId)`: what a tenant has offered, and to whom it is shared since. */
export interface GivenGrantDocument extends Shared {
  key: string;
  kind: 'givenGrant';
  /** The owner. */
  tenantId: string;
  /** For whoever gave it. */
  note: string | null;
  /** `codeKeyOf` of the code that accepts it: a hash, from which no code can be found. */
  code: string;
  offeredBy: string;
  offerExpiresAt: number;
  acceptedAt: number | null;
  /** The person's id. */
  acceptedBy: string | null;
  /** A tenant's or a person's id; null until it is accepted. */
  grantee: string | null;
  /** The tenant's name when it accepted; null for a person. */
  granteeName: string | null;
}

/**
 * In `directory`, key `receivedOf(tenantId)` or `person:<personId>`: the right itself. It is made once, when the offer is
 * accepted, and ended before the offer is: so nothing that breaks off in between leaves a right that was revoked.
 */
export interface ReceivedGrantDocument extends Shared {
  key: string;
  kind: 'grant';
  /** Who received it; for a person, who has no log of their own, the owner. */
  tenantId: string;
  /** Whose building it is. */
  ownerId: string;
  acceptedAt: number;
  acceptedBy: string;
}

/** key `codeKeyOf(code)`, id `code`: which offer a code accepts. */
export interface GrantCodeDocument {
  id: 'code';
  key: string;
  tenantId: string;
  grantId: string;
  /** Seconds. */
  ttl: number;
}

export function grantsOf(tenantId: string): string {
  return `grants:${tenantId}`;
}

const RECEIVED = 'received-grants:';

export function receivedOf(tenantId: string): string {
  return RECEIVED + tenantId;
}

/** The tenant whose partition it is; undefined for another partition. */
export function tenantOfReceived(key: string): string | undefined {
  return key.startsWith(RECEIVED) ? key.slice(RECEIVED.length) : undefined;
}

export function codeKeyOf(code: string): string {
  return `grant-code:${createHash('sha256').update(normalizedClaimCode(code)).digest('base64url')}`;
}

export function grantSortKey(offeredAt: number, id: string): string {
  return `${String(offeredAt).padStart(15, '0')}\n${id}`;
}
