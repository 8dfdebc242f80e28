import { setTimeout as delay } from 'node:timers/promises';
import { explain, type Logger } from '../observability/logger';
import { type Cosmos } from './cosmos';
import { type SpaceDocument } from './documents';

/**
 * Where spaces lie. A space is entered where it lies and never moves, so that what was read once stays true and no feed
 * need be followed for it.
 */
export interface SpaceTree {
  /**
   * The spaces that a space lies in, nearest first; undefined until they are read. The first asking starts that, and never
   * blocks.
   */
  ancestors(buildingId: string, spaceId: string): readonly string[] | undefined;
  /** Calls the listener with each building of which more is known than before. @returns ends it. */
  onLearned(listener: (buildingId: string) => void): () => void;
  stop(): void;
}

const READ_TOGETHER = 1_000;
/** What did not exist, or could not be read, is asked for again after so long. */
const ASK_AGAIN_MS = 1_000;
const DEFAULT_LIMIT = 500_000;
const NONE: readonly string[] = [];

export function createSpaceTree(options: {
  cosmos: Cosmos;
  logger: Logger;
  /** The most spaces that are held. Default 500,000. */
  limit?: number;
}): SpaceTree {
  const { cosmos, logger, limit = DEFAULT_LIMIT } = options;
  /** By space; null for one that lies directly in its building. */
  const parents = new Map<string, string | null>();
  /** By parent: what its children answer, one array for all of them. */
  const chains = new Map<string, readonly string[]>();
  /** Spaces to be read, with their buildings. */
  const wanted = new Map<string, string>();
  const listeners = new Set<(buildingId: string) => void>();
  let reading: Promise<void> | undefined;
  let stopped = false;

  const readWanted = async (): Promise<void> => {
    while (wanted.size > 0 && !stopped) {
      const batch = [...wanted].slice(0, READ_TOGETHER);
      const learned = new Set<string>();
      try {
        const found = await cosmos.readMany<SpaceDocument>(
          'registry',
          batch.map(([id, partition]) => ({ partition, id })),
        );
        batch.forEach(([id, buildingId], index) => {
          const space = found[index];
          if (!space) return;
          wanted.delete(id);
          hold(id, space.parentId);
          learned.add(buildingId);
          if (space.parentId !== null && !parents.has(space.parentId)) wanted.set(space.parentId, buildingId);
        });
      } catch (error) {
        logger.warn({ spaces: batch.length, error: explain(error) }, 'where spaces lie could not be read');
      }
      for (const buildingId of learned) for (const tell of listeners) tell(buildingId);
      if (learned.size > 0) continue;
      // None of them is there: others may be behind them.
      for (const [id, buildingId] of batch) if (wanted.delete(id)) wanted.set(id, buildingId);
      await delay(ASK_AGAIN_MS, undefined, { ref: false });
    }
    reading = undefined;
  };

  const hold = (id: string, parentId: string | null): void => {
    parents.set(id, parentId);
    if (parents.size > limit) parents.delete(parents.keys().next().value!);
  };

  const want = (buildingId: string, spaceId: string): void => {
    if (wanted.size >= limit) wanted.delete(wanted.keys().next().value!);
    wanted.set(spaceId, buildingId);
    reading ??= Promise.resolve().then(readWanted);
  };

  const chainOf = (buildingId: string, parentId: string): readonly string[] | undefined => {
    const known = chains.get(parentId);
    if (known) return known;
    const chain: string[] = [];
    for (let id: string | null = parentId; id !== null;) {
      // A space that lies in itself is damage: what is above it is left out.
      if (chain.includes(id)) break;
      chain.push(id);
      const next = parents.get(id);
      if (next === undefined) {
        want(buildingId, id);
        return undefined;
      }
      id = next;
    }
    if (chains.size >= limit) chains.clear();
    chains.set(parentId, chain);
    return chain;
  };

  return {
    ancestors(buildingId, spaceId) {
      const parentId = parents.get(spaceId);
      if (parentId === undefined) {
        want(buildingId, spaceId);
        return undefined;
      }
      return parentId === null ? NONE : chainOf(buildingId, parentId);
    },
    onLearned(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      stopped = true;
      wanted.clear();
    },
  };
}
