import { randomUUID } from 'node:crypto';
import { type Cosmos } from '../cosmos';
import { type MemberDocument, type MembershipDocument, membersOf } from '../documents';
import { inParallel } from '../in-parallel';
import { retrying } from '../store-error';
import { PENDING, type PendingDocument } from './documents';
import { standingIn } from './standing';

const MAXIMUM_RACES = 50;
const AT_ONCE = 8;
/** Longer than a decision takes: word of it that is younger stays, because the decision may follow only now. */
const DECIDED_WITHIN_MS = 60_000;

/** Makes people's memberships, which are their rights, from what was decided in the tenant. */
export interface Settling {
  /** Before a decision: leaves word that a membership is to follow. */
  announce(tenantId: string, personId: string): Promise<PendingDocument>;
  /** Behind it: the membership is made, and the word goes. */
  settle(pending: PendingDocument): Promise<void>;
  /** Brings to its end what was broken off in between; several processes may do so at the same time. */
  resume(options: {
    olderThanMs: number;
    limit: number;
  }): Promise<{ ended: number; failed: { id: string; error: unknown }[] }>;
}

export function createSettling({ cosmos }: { cosmos: Cosmos }): Settling {
  async function make({ tenantId, personId }: PendingDocument): Promise<void> {
    const key = `person:${personId}`;
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const made = await retrying(async () => {
        const entry = await cosmos.read<MemberDocument>('directory', membersOf(tenantId), personId);
        const membership = await cosmos.read<MembershipDocument>('directory', key, tenantId);
        if (entry?.version === undefined) return true;
        // Never back to an earlier decision: whoever is slower finds the later one in force.
        if (membership && (membership.version ?? -1) >= entry.version) return true;
        const next: MembershipDocument = {
          ...{ id: tenantId, key, kind: 'membership', tenantId },
          ...standingIn(entry),
          version: entry.version,
        };
        const change = membership ? { replace: next, etag: membership._etag! } : { create: next };
        return (await cosmos.batch('directory', key, [change])).ok;
      });
      if (made) return;
    }
    throw new Error('a membership is being changed by others');
  }

  const forget = async ({ id }: PendingDocument): Promise<void> =>
    void (await retrying(() => cosmos.batch('directory', PENDING, [{ remove: id }])));

  return {
    async announce(tenantId, personId) {
      const pending: PendingDocument = {
        // Each has a word of its own, so that nobody takes back another's.
        ...{ id: `${tenantId}:${personId}:${randomUUID()}`, key: PENDING, kind: 'pendingMembership' },
        ...{ tenantId, personId, at: Date.now() },
      };
      await cosmos.bulkUpsert('directory', [pending]);
      return pending;
    },

    async settle(pending) {
      await make(pending);
      await forget(pending);
    },

    async resume({ olderThanMs, limit }) {
      const now = Date.now();
      const found = await cosmos.query<PendingDocument>(
        'directory',
        PENDING,
        'SELECT * FROM c WHERE c.at <= @before',
        { before: now - olderThanMs },
        { limit },
      );
      const failed: { id: string; error: unknown }[] = [];
      await inParallel(found, AT_ONCE, async (pending) => {
        try {
          await make(pending);
          if (pending.at <= now - DECIDED_WITHIN_MS) await forget(pending);
        } catch (error) {
          failed.push({ id: pending.id, error });
        }
      });
      return { ended: found.length - failed.length, failed };
    },
  };
}
