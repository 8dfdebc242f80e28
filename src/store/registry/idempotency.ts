import { createHash } from 'node:crypto';
import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type IdempotencyClaimDocument, type IdempotencyDocument } from '../documents';
import { retrying } from '../store-error';

/** How long the first answer to an idempotency key is kept, in seconds. */
export const KEPT_SECONDS = 24 * 3600;
/** Cosmos's word for "never", against the container's time to live. */
export const NEVER_EXPIRES = -1;

/** An idempotency key bound to who used it, in which tenant, for which mutation, with which variables. */
export interface Attempt {
  /** Of principal, tenant, mutation and key. */
  hash: string;
  /** Of principal, tenant, mutation and variables. */
  fingerprint: string;
}

export function attemptOf(
  scope: TenantScope,
  tenantId: string,
  mutation: string,
  idempotencyKey: string,
  variables: unknown,
): Attempt {
  const context = [scope.principal.id, tenantId, mutation];
  return {
    hash: hashOf([...context, idempotencyKey]),
    fingerprint: hashOf([...context, JSON.stringify(variables)]),
  };
}

/** The document that is committed together with the effect, in the partition of the effect. */
export function recordOf(
  attempt: Attempt,
  buildingId: string,
  answer: unknown,
  ttl: number,
): IdempotencyDocument {
  return {
    id: `idempotency:${attempt.hash}`,
    type: 'idempotency',
    buildingId,
    fingerprint: attempt.fingerprint,
    answer,
    ttl,
  };
}

/**
 * Takes the key for these variables, or finds it taken: by an earlier try of the same (`claimedAt` is then that try's,
 * so that ids derived from it are the same), or by other variables (null).
 */
export async function claim(
  cosmos: Pick<Cosmos, 'read' | 'batch'>,
  attempt: Attempt,
): Promise<{ claimedAt: number } | null> {
  const key = `idempotency:${attempt.hash}`;
  return retrying(async () => {
    for (;;) {
      const mine: IdempotencyClaimDocument = {
        id: 'idempotency',
        key,
        fingerprint: attempt.fingerprint,
        claimedAt: Date.now(),
        ttl: KEPT_SECONDS,
      };
      const outcome = await cosmos.batch('directory', key, [{ create: mine }]);
      if (outcome.ok) return mine;
      const theirs = await cosmos.read<IdempotencyClaimDocument>('directory', key, mine.id);
      // Null where it expired between the two calls.
      if (theirs) return theirs.fingerprint === attempt.fingerprint ? theirs : null;
    }
  });
}

function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('base64url');
}
