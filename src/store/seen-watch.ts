import { explain, type Logger } from '../observability/logger';
import { type Cosmos } from './cosmos';
import { type SeenDocument } from './documents';
import { seenIdOf } from './device-activity-documents';

/** Tells when devices of a chunk are heard, by looking at what the gateways write, once for all who ask. */
export interface SeenWatch {
  /** Told of the chunk soon, where it is stored, and whenever it has changed. Returns what ends it. */
  watch(buildingId: string, chunk: number, onSeen: (document: SeenDocument) => void): () => void;
  stop(): Promise<void>;
}

/** Gateways write a building about once a minute. */
const LOOK_MS = 5_000;
/** Chunks in one request. */
const CHUNKS_AT_ONCE = 100;

interface Watched {
  readonly partition: string;
  readonly id: string;
  readonly watchers: Set<(document: SeenDocument) => void>;
  document: SeenDocument | null;
}

export function createSeenWatch(options: {
  cosmos: Pick<Cosmos, 'readMany'>;
  logger: Logger;
  /** Default 5,000. */
  lookMs?: number;
}): SeenWatch {
  const { cosmos, logger, lookMs = LOOK_MS } = options;
  const chunks = new Map<string, Watched>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let stopped = false;

  function lookIn(milliseconds: number): void {
    clearTimeout(timer);
    if (stopped || chunks.size === 0) return;
    timer = setTimeout(() => {
      looking = look().finally(() => {
        looking = undefined;
        lookIn(lookMs);
      });
    }, milliseconds);
    timer.unref();
  }

  async function look(): Promise<void> {
    const all = [...chunks.values()];
    try {
      for (let start = 0; start < all.length; start += CHUNKS_AT_ONCE) {
        const some = all.slice(start, start + CHUNKS_AT_ONCE);
        const documents = await cosmos.readMany<SeenDocument>('warm', some);
        some.forEach((each, index) => {
          const document = documents[index] ?? null;
          if (document === null || document._etag === each.document?._etag) return;
          each.document = document;
          for (const onSeen of [...each.watchers]) onSeen(document);
        });
      }
    } catch (error) {
      logger.debug({ error: explain(error) }, 'last seen cannot be read');
    }
  }

  return {
    watch(buildingId, chunk, onSeen) {
      const id = seenIdOf(chunk);
      const key = `${buildingId}/${id}`;
      const known = chunks.get(key);
      const watched = known ?? { partition: buildingId, id, watchers: new Set(), document: null };
      chunks.set(key, watched);
      watched.watchers.add(onSeen);
      if (watched.document) onSeen(watched.document);
      else if (looking === undefined) lookIn(0);
      return () => {
        watched.watchers.delete(onSeen);
        if (watched.watchers.size === 0 && chunks.get(key) === watched) chunks.delete(key);
      };
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
