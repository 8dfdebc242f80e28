import { createHash } from 'node:crypto';
import { type Role } from '../../auth/scope';
import { type SpacesOfBuilding } from '../documents';
import { normalizedClaimCode } from '../registry/claim-code';

/** What somebody can be in a tenant. OPERATOR is of the platform and nobody is invited to it. */
export const MEMBER_ROLES = ['OWNER', 'MANAGER', 'TECHNICIAN', 'ANALYST', 'VIEWER'] as const satisfies Role[];
export type MemberRole = (typeof MEMBER_ROLES)[number];

/**
 * key `membersOf(tenantId)`, id `roster`: replaced in the batch of every change of a tenant's people and invitations, so
 * that no two are decided at the same time. It is derived from the members where a tenant has none yet.
 */
export interface RosterDocument {
  id: 'roster';
  key: string;
  kind: 'roster';
  tenantId: string;
  /** The ids of all owners. Never empty again once it was not. */
  owners: string[];
  /** How many belong to the tenant. */
  members: number;
  changedAt: number;
  _etag?: string;
}

/** key `membersOf(tenantId)`, id `inv_...`. */
export interface InvitationDocument {
  id: string;
  key: string;
  kind: 'invitation';
  tenantId: string;
  role: MemberRole;
  /** A resident's, with all that lie in them; null: all of the tenant. */
  spaces: SpacesOfBuilding[] | null;
  /** For whoever invited. */
  note: string | null;
  /** `invitationKeyOf` of the code that accepts it: a hash, from which no code can be found. */
  code: string;
  invitedBy: string;
  invitedAt: number;
  expiresAt: number;
  acceptedAt: number | null;
  /** The person's id. */
  acceptedBy: string | null;
  /** When it was accepted or revoked; it is listed for a while after. */
  endedAt: number | null;
  /** `invitedAt` padded, then id: the order of listings. */
  sortKey: string;
  /** Seconds. */
  ttl?: number;
  _etag?: string;
}

/** key `invitationKeyOf(code)`, id `code`: which invitation a code accepts. */
export interface InvitationCodeDocument {
  id: 'code';
  key: string;
  tenantId: string;
  invitationId: string;
  /** Seconds. */
  ttl: number;
}

export const PENDING = 'memberships:pending';

/**
 * key `PENDING`, id `<tenantId>:<personId>:<uuid>`: a change of a member may be decided whose membership is not made yet. It
 * stands from before the decision to after the membership, so that a sweep finds what was broken off.
 */
export interface PendingDocument {
  id: string;
  key: typeof PENDING;
  kind: 'pendingMembership';
  tenantId: string;
  personId: string;
  at: number;
  _etag?: string;
}

export function invitationKeyOf(code: string): string {
  return `invitation-code:${createHash('sha256').update(normalizedClaimCode(code)).digest('base64url')}`;
}
