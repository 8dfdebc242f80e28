import { type Cosmos } from './cosmos';
import { type LatestDocument, type LatestRows, latestRowsOf } from './recent-documents';

/** Of the latest readings of neighbouring points. */
export interface LatestBlock {
  partition: string;
  id: string;
  /** Whether the caller may see anything in it. Else it is read from the store, held or not: see `Reads.readMany`. */
  shown: boolean;
}

/** The latest readings of many points at once, held for a moment: who looks at one building at a time shares one call. */
export interface LatestBlocks {
  /** In the order of the blocks; null for one that does not exist. */
  read(blocks: readonly LatestBlock[]): Promise<(LatestRows | null)[]>;
}

/** Of at most 500 points each: 10 MB. */
const MAXIMUM_BLOCKS = 1_000;

interface Held {
  rows: Promise<LatestRows | null>;
  readAt: number;
}

export function createLatestBlocks(options: {
  cosmos: Pick<Cosmos, 'readMany'>;
  /** How long what was read is answered again; it is written about once a minute. */
  keepMs: number;
  /** Milliseconds since 1970. */
  now: () => number;
}): LatestBlocks {
  const { cosmos, keepMs, now } = options;
  // In the order of their reading: the first is the oldest.
  const held = new Map<string, Held>();

  function hold(key: string, entry: Held): void {
    held.delete(key);
    held.set(key, entry);
    for (const [oldest, { readAt }] of held) {
      if (held.size <= MAXIMUM_BLOCKS && entry.readAt - readAt < keepMs) break;
      held.delete(oldest);
    }
    const drop = (): void => {
      if (held.get(key) === entry) held.delete(key);
    };
    // What is not there is asked for again, and so is what could not be read.
    entry.rows.then((rows) => rows === null && drop(), drop);
  }

  return {
    async read(blocks) {
      const readAt = now();
      const keyOf = ({ partition, id }: LatestBlock): string => `${partition}/${id}`;
      const answers = blocks.map((block) => {
        const known = block.shown ? held.get(keyOf(block)) : undefined;
        return known !== undefined && readAt - known.readAt < keepMs ? known.rows : undefined;
      });
      const missing = blocks.flatMap((block, index) =>
        answers[index] === undefined ? [{ ...block, index }] : [],
      );
      if (missing.length > 0) {
        const found = cosmos.readMany<LatestDocument>(
          'recent',
          missing.map(({ partition, id }) => ({ partition, id })),
        );
        missing.forEach((block, i) => {
          const rows = found.then((documents) => (documents[i] ? latestRowsOf(documents[i]) : null));
          answers[block.index] = rows;
          if (block.shown && keepMs > 0) hold(keyOf(block), { rows, readAt });
        });
      }
      return Promise.all(answers.map((each) => each!));
    },
  };
}
