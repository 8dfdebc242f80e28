import { type Logger } from '../../observability/logger';
import { createChangeFollower } from '../change-follower';
import { type Cosmos } from '../cosmos';
import { type ErasureDocument, ERASURES } from './documents';

/** Which tenants are erased, or are being: known within a second of the tombstone. */
export interface ErasedTenants {
  /** Reads the tombstones that stand and follows those to come. Throws where the store is away. */
  start(): Promise<void>;
  stop(): Promise<void>;
  has(tenantId: string): boolean;
  /**
   * Tells of each tombstone, those that stand already among them, and again as its erasure goes on: each time what was
   * copied before may hold what is gone by now. Returns what ends it.
   */
  onChange(listener: (erasure: Pick<ErasureDocument, 'tenantId' | 'changedAt'>) => void): () => void;
}

const POLL_MS = 500;

export function createErasedTenants({
  cosmos,
  logger,
  pollMs = POLL_MS,
}: {
  cosmos: Cosmos;
  logger: Logger;
  pollMs?: number;
}): ErasedTenants {
  const erased = new Map<string, ErasureDocument>();
  const listeners = new Set<(erasure: ErasureDocument) => void>();

  const take = (documents: readonly unknown[]): void => {
    for (const each of documents as ErasureDocument[]) {
      if (each.type !== 'erasure') continue;
      if ((erased.get(each.tenantId)?.changedAt ?? -1) >= each.changedAt) continue;
      erased.set(each.tenantId, each);
      for (const listener of listeners) listener(each);
    }
  };
  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    from: 'now',
    onChanges: take,
    logger,
    pollMs,
  });

  return {
    async start() {
      // The feed first: what is written between the two is told by both.
      await follower.start();
      take(await cosmos.query('registry', ERASURES, "SELECT * FROM c WHERE c.type = 'erasure'"));
    },
    stop: follower.stop,
    has: (tenantId) => erased.has(tenantId),
    onChange(listener) {
      for (const each of erased.values()) listener(each);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
