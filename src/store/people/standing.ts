import { type MemberDocument, type MembershipDocument } from '../documents';

/** What somebody is in a tenant: nothing where the role is null and there is no `resident`. */
export type Standing = Pick<MembershipDocument, 'role' | 'resident'>;

/** Somebody who is, or was, or is about to be, of a tenant. */
export interface Member extends Standing {
  tenantId: string;
  personId: string;
  displayName: string | null;
  joinedAt: number | null;
  version: number;
}

export const NOTHING: Standing = { role: null };

export function belongs({ role, resident }: Standing): boolean {
  return role !== null || (resident !== undefined && resident.spaces.length > 0);
}

/**
 * The later of what is decided and what is in force; of earlier releases there is the membership alone, and a platform
 * that seeds writes both.
 */
export function memberOf(
  { tenantId, personId }: { tenantId: string; personId: string },
  entry: MemberDocument | null,
  membership: MembershipDocument | null,
): Member {
  const decided = entry?.version ?? -1;
  const inForce = membership === null ? -1 : (membership.version ?? 0);
  const later = decided >= inForce && decided >= 0 ? entry! : membership;
  return {
    tenantId,
    personId,
    ...(later ? standingIn(later) : NOTHING),
    displayName: entry?.displayName ?? null,
    joinedAt: entry?.joinedAt ?? null,
    version: Math.max(decided, inForce, 0),
  };
}

export function standingIn({
  role,
  resident,
}: {
  role?: Standing['role'];
  resident?: Standing['resident'];
}): Standing {
  return { role: role ?? null, ...(resident && { resident }) };
}

export function sameStanding(one: Standing, other: Standing): boolean {
  return JSON.stringify(wordsOf(one)) === JSON.stringify(wordsOf(other));
}

/** For the audit log. */
export function wordsOf(standing: Standing): Record<string, unknown> | null {
  if (!belongs(standing)) return null;
  const { role, resident } = standing;
  return { role: role ?? resident!.role, spaces: role === null ? resident!.spaces : null };
}
