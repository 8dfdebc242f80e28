import { type Cosmos } from '../cosmos';
import { type AttemptsDocument } from '../documents';
import { type Outcome } from '../registry';
import { retrying } from '../store-error';

/** Failures within memory that cost nothing yet. A tenant has many people, and none may be kept out by one of them. */
const FREE_FAILURES = { caller: 5, tenant: 50 };
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15 * 60_000;
/** After so long one failure is forgotten. */
const FORGOTTEN_MS = 10 * 60_000;
/** Long after the last failure could matter. */
const KEPT_SECONDS = 48 * 3600;
const MAXIMUM_RACES = 50;

/** An attempt that was let through. */
export interface Charge {
  /** Takes the charge back: the attempt was no failure. */
  refund(): Promise<void>;
}

export interface ClaimAttempts {
  /**
   * Lets an attempt to claim through, or refuses it with TOO_MANY_ATTEMPTS. It is counted as a failure before it is made,
   * so that a thousand at the same time are no way around the delay; whoever succeeds takes the charge back. Counted by
   * caller and by the caller's tenant, in documents that all replicas share, and never by device: nobody can keep another
   * from claiming what is theirs.
   */
  charge(principalId: string, tenantId: string): Promise<Outcome<Charge>>;
}

export function createClaimAttempts({
  cosmos,
  clock = Date.now,
}: {
  cosmos: Cosmos;
  clock?: () => number;
}): ClaimAttempts {
  const keyOf = (who: string): { partition: string; id: string } => ({
    partition: `attempts:${who}`,
    id: 'attempts',
  });

  async function change(
    who: string,
    to: (found: AttemptsDocument | null) => AttemptsDocument | 'blocked' | null,
  ): Promise<'blocked' | undefined> {
    const { partition, id } = keyOf(who);
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const found = await cosmos.read<AttemptsDocument>('directory', partition, id);
      const next = to(found);
      if (next === 'blocked') return next;
      if (next === null) return undefined;
      const { ok } = await cosmos.batch('directory', partition, [
        found ? { replace: next, etag: found._etag! } : { create: next },
      ]);
      if (ok) return undefined;
    }
    // So many at the same time are an attack.
    return 'blocked';
  }

  function charged(who: string, free: number): Promise<'blocked' | undefined> {
    return change(who, (found) => {
      const now = clock();
      if (found && now < found.blockedUntil) return 'blocked';
      const failures = remembered(found, now) + 1;
      const beyond = failures - free;
      const delay = beyond <= 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (beyond - 1), LONGEST_DELAY_MS);
      return attemptsOf(who, failures, now, now + delay);
    });
  }

  async function refunded(who: string): Promise<void> {
    await change(who, (found) => {
      if (!found) return null;
      const now = clock();
      return attemptsOf(who, Math.max(0, remembered(found, now) - 1), now, now);
    });
  }

  return {
    async charge(principalId, tenantId) {
      const [caller, tenant] = await cosmos.readMany<AttemptsDocument>('directory', [
        keyOf(principalId),
        keyOf(tenantId),
      ]);
      const blockedUntil = Math.max(caller?.blockedUntil ?? 0, tenant?.blockedUntil ?? 0);
      if (clock() < blockedUntil) return tooMany(blockedUntil - clock());
      // Where an answer is lost the charge may be made twice: what is left of it is forgotten in time.
      const blocked =
        (await retrying(() => charged(principalId, FREE_FAILURES.caller))) ??
        (await retrying(() => charged(tenantId, FREE_FAILURES.tenant)));
      if (blocked) return tooMany(FIRST_DELAY_MS);
      const refund = async (): Promise<void> => {
        await Promise.all([principalId, tenantId].map((who) => retrying(() => refunded(who))));
      };
      return { ok: true, value: { refund } };
    },
  };
}

/** What is left of the failures now: not always a whole number. */
function remembered(found: AttemptsDocument | null, now: number): number {
  if (!found) return 0;
  const since = Math.max(0, now - found.at);
  return Math.max(0, found.failures - since / FORGOTTEN_MS);
}

function attemptsOf(who: string, failures: number, at: number, blockedUntil: number): AttemptsDocument {
  return { id: 'attempts', key: `attempts:${who}`, failures, at, blockedUntil, ttl: KEPT_SECONDS };
}

function tooMany<T>(waitMs: number): Outcome<T> {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000));
  const message = `too many attempts went wrong: wait ${retryAfterSeconds} s before the next`;
  return { ok: false, refusal: { code: 'TOO_MANY_ATTEMPTS', message, retryAfterSeconds } };
}
