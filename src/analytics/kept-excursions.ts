import { type Excursion, type ExcursionsFound } from './excursions';

/** A stretch of what a question found. */
interface Stretch {
  at: number;
  /** How many lie before it. */
  offset: number;
  found: ExcursionsFound;
}

/**
 * What questions found, for the pages behind the first: in memory, for a short time, of few questions. Under a key that
 * must hold everything the answer depends on, rights and caller among it: whoever has another key is told nothing of it.
 */
export interface KeptExcursions {
  /** Undefined where it is to be asked for anew. */
  page(key: string, asked: { offset: number; limit: number }): ExcursionsFound | undefined;
  /** Keeps what was found from `offset` on, in place of what was kept under the key. */
  keep(key: string, offset: number, found: ExcursionsFound): void;
  forget(key: string): void;
  clear(): void;
  /** Excursions that are held. */
  held(): number;
}

export function createKeptExcursions({
  keepMs = 60_000,
  maximum = 50_000,
  now = Date.now,
}: {
  /** From when it was found. */
  keepMs?: number;
  /** Of excursions, about 150 bytes each. What was kept longest ago goes first. */
  maximum?: number;
  now?: () => number;
} = {}): KeptExcursions {
  const kept = new Map<string, Stretch>();
  let held = 0;

  function forget(key: string): void {
    held -= kept.get(key)?.found.excursions.length ?? 0;
    kept.delete(key);
  }

  return {
    page(key, { offset, limit }) {
      for (const [each, { at }] of kept) {
        if (now() - at < keepMs) break;
        forget(each);
      }
      const stretch = kept.get(key);
      if (stretch === undefined) return undefined;
      const { count, total, excursions } = stretch.found;
      const begin = offset - stretch.offset;
      const isThere = begin >= 0 && Math.min(offset + limit, count) <= stretch.offset + excursions.length;
      return isThere ? { count, total, excursions: excursions.slice(begin, begin + limit) } : undefined;
    },
    keep(key, offset, found) {
      forget(key);
      if (found.excursions.length > maximum) return;
      kept.set(key, { at: now(), offset, found });
      held += found.excursions.length;
      for (const oldest of kept.keys()) {
        if (held <= maximum) break;
        forget(oldest);
      }
    },
    forget,
    clear() {
      kept.clear();
      held = 0;
    },
    held: () => held,
  };
}

/** The first so many of what was found. */
export function firstOf(found: ExcursionsFound, limit: number): ExcursionsFound {
  const excursions: Excursion[] = found.excursions.slice(0, limit);
  return { ...found, excursions };
}
