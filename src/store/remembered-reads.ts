import { type JSONValue } from '@azure/cosmos';
import { type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Change, type Cosmos } from './cosmos';
import { type ContainerName } from './containers';
import { CONTAINERS } from './documents';

/** Reads of one container that are answered from memory for as long as their partition has not changed. */
export interface RememberedReads {
  reads: Reads;
  /**
   * A store, for all writes of this process: what they change is forgotten as soon as the store has answered, so that a
   * client that was told of a change reads it here from then on.
   */
  noting(store: Cosmos): Cosmos;
  /** Resolves also where the store is away: until the feed can be followed, everything is read through. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What is held now. */
  counts(): { partitions: number; characters: number };
}

/** What a store without memory does as well, see `readingThrough`. What is answered is shared: it is frozen. */
export interface Reads {
  /**
   * In the order of the keys.
   *
   * @param shows whether the caller may be shown a document. One that is not shown is read from the store although it is
   *   held, as one that does not exist always is: neither the number of calls nor the time tells that it is there.
   */
  readMany<T extends object>(
    keys: readonly { partition: string; id: string }[],
    shows: (document: T) => boolean,
  ): Promise<(T | null)[]>;
  /**
   * The query's parameters must name whose documents are asked for: whoever asks with the same ones is answered the same.
   * What finds nothing is not held, for the reason above.
   */
  query<T>(
    partition: string,
    query: string,
    parameters: Record<string, JSONValue>,
    options?: { limit?: number },
  ): Promise<T[]>;
}

/** Further behind than this, what is held is not believed any more; it is also how late another replica's change is seen. */
const MAXIMUM_BEHIND_MS = 2_000;
/** However quiet a partition is: nothing that the feed should have told and did not is believed longer. */
const MAXIMUM_AGE_MS = 30_000;
/** Of JSON, over all that is held: as objects about three times as many bytes. */
const MAXIMUM_CHARACTERS = 20_000_000;

interface Held {
  documents: readonly unknown[];
  characters: number;
  readAt: number;
}

/** A read that is under way; what it finds is not kept where its partition changes meanwhile. */
interface Reading {
  partitions: ReadonlySet<string>;
  overtaken: boolean;
}

export function createRememberedReads(options: {
  cosmos: Cosmos;
  container: ContainerName;
  logger: Logger;
  /** Default 20 million. */
  maximumCharacters?: number;
  /** Default two seconds. */
  maximumBehindMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}): RememberedReads {
  const { cosmos, container, logger, now = Date.now } = options;
  const { maximumCharacters = MAXIMUM_CHARACTERS, maximumBehindMs = MAXIMUM_BEHIND_MS } = options;
  // Both in the order of their use: the first was not used for longest.
  const held = new Map<string, Map<string, Held>>();
  const readings = new Set<Reading>();
  let characters = 0;

  const follower = createChangeFollower({
    cosmos,
    container,
    // What changed earlier is read with its partition: nothing is held before the feed has its position.
    from: 'now',
    onChanges(documents) {
      for (const document of documents) forget(partitionOf(container, document));
    },
    logger,
  });
  const current = (): boolean => follower.behindMs() <= maximumBehindMs;

  function forget(partition: string): void {
    for (const reading of readings) if (reading.partitions.has(partition)) reading.overtaken = true;
    for (const { characters: freed } of held.get(partition)?.values() ?? []) characters -= freed;
    held.delete(partition);
  }

  function find(partition: string, key: string): readonly unknown[] | undefined {
    const entries = held.get(partition);
    const entry = entries?.get(key);
    if (entries === undefined || entry === undefined) return undefined;
    if (now() - entry.readAt > MAXIMUM_AGE_MS) {
      drop(partition, entries, key, entry);
      return undefined;
    }
    held.delete(partition);
    held.set(partition, entries);
    entries.delete(key);
    entries.set(key, entry);
    return entry.documents;
  }

  function drop(partition: string, entries: Map<string, Held>, key: string, entry: Held): void {
    entries.delete(key);
    characters -= entry.characters;
    if (entries.size === 0) held.delete(partition);
  }

  function hold(partition: string, key: string, documents: readonly unknown[], readAt: number): void {
    const taken = JSON.stringify(documents).length + key.length;
    // One that would push out a good part of the rest.
    if (taken > maximumCharacters / 10) return;
    const entries = held.get(partition) ?? new Map<string, Held>();
    held.delete(partition);
    held.set(partition, entries);
    const before = entries.get(key);
    if (before !== undefined) characters -= before.characters;
    entries.delete(key);
    entries.set(key, { documents, characters: taken, readAt });
    characters += taken;
    while (characters > maximumCharacters) {
      const [oldest, of] = held.entries().next().value!;
      const [first, entry] = of.entries().next().value!;
      drop(oldest, of, first, entry);
    }
  }

  /** Reads from the store, and lets `keep` hold what was found where nothing has changed since the store was asked. */
  async function reading<T>(
    partitions: Iterable<string>,
    read: () => Promise<T>,
    keep: (found: T, readAt: number) => void,
  ): Promise<T> {
    const under: Reading = { partitions: new Set(partitions), overtaken: !current() };
    const readAt = now();
    readings.add(under);
    try {
      const found = await read();
      if (!under.overtaken) keep(found, readAt);
      return found;
    } finally {
      readings.delete(under);
    }
  }

  const reads: Reads = {
    async readMany<T extends object>(
      keys: readonly { partition: string; id: string }[],
      shows: (document: T) => boolean,
    ) {
      const answers = keys.map(({ partition, id }) => {
        const known = current() ? (find(partition, documentKey(id))?.[0] as T | undefined) : undefined;
        return known !== undefined && shows(known) ? known : null;
      });
      const missing = keys.flatMap((key, index) => (answers[index] === null ? [{ ...key, index }] : []));
      if (missing.length === 0) return answers;
      const found = await reading(
        missing.map(({ partition }) => partition),
        async () => {
          const documents = await cosmos.readMany<T>(
            container,
            missing.map(({ partition, id }) => ({ partition, id })),
          );
          return documents.map(frozen);
        },
        (documents, readAt) =>
          missing.forEach(({ partition, id }, index) => {
            const document = documents[index];
            if (document != null) hold(partition, documentKey(id), [document], readAt);
          }),
      );
      missing.forEach(({ index }, i) => (answers[index] = found[i] ?? null));
      return answers;
    },

    async query<T>(
      partition: string,
      query: string,
      parameters: Record<string, JSONValue>,
      { limit }: { limit?: number } = {},
    ) {
      const key = JSON.stringify([query, parameters, limit]);
      const known = current() ? find(partition, key) : undefined;
      if (known !== undefined) return [...(known as readonly T[])];
      return reading(
        [partition],
        async () => {
          const options = limit === undefined ? {} : { limit };
          const documents = await cosmos.query<T>(container, partition, query, parameters, options);
          return documents.map(frozen);
        },
        (documents, readAt) => {
          if (documents.length > 0) hold(partition, key, [...documents], readAt);
        },
      );
    },
  };

  return {
    reads,
    noting: (store) => noting(store, container, forget),
    start: follower.start,
    stop: follower.stop,
    counts: () => ({ partitions: held.size, characters }),
  };
}

/** The same without a memory: every read goes to the store. */
export function readingThrough(cosmos: Pick<Cosmos, 'readMany' | 'query'>, container: ContainerName): Reads {
  return {
    readMany: (keys) => cosmos.readMany(container, keys),
    query: (...asked) => cosmos.query(container, ...asked),
  };
}

/** The store, whose writes are told of once they took effect, or once nobody knows whether they did. */
function noting(cosmos: Cosmos, container: ContainerName, forget: (partition: string) => void): Cosmos {
  const forgetting = async <T>(
    name: ContainerName,
    partitions: string[],
    write: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await write();
    } finally {
      if (name === container) partitions.forEach(forget);
    }
  };
  return {
    ...cosmos,
    batch: (name, partition, changes: readonly Change[]) =>
      forgetting(name, [partition], () => cosmos.batch(name, partition, changes)),
    bulkUpsert: (name, documents) =>
      forgetting(name, partitionsOf(name, documents), () => cosmos.bulkUpsert(name, documents)),
    bulkCreate: (name, documents) =>
      forgetting(name, partitionsOf(name, documents), () => cosmos.bulkCreate(name, documents)),
  };
}

function partitionsOf(container: ContainerName, documents: readonly object[]): string[] {
  return [...new Set(documents.map((document) => partitionOf(container, document)))];
}

function partitionOf(container: ContainerName, document: unknown): string {
  return String((document as Record<string, unknown>)[CONTAINERS[container].partitionKey.slice(1)]);
}

/** No query begins so. */
function documentKey(id: string): string {
  return `id ${id}`;
}

/** All of it: what is shared by requests is changed by none. */
function frozen<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}
