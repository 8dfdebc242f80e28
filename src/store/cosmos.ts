import { Agent } from 'node:https';
import {
  ChangeFeedStartFrom,
  CosmosClient,
  type Container,
  type JSONValue,
  type OperationInput,
} from '@azure/cosmos';
import { type TokenCredential } from '@azure/identity';
import { type ContainerName, ensureContainers } from './containers';
import { CONTAINERS } from './documents';
import { inParallel } from './in-parallel';
import { retrying } from './store-error';

/** Anything that can be stored; fields that begin with `_` are Cosmos's own and are left out when it is written. */
export type StoredDocument = { id: string };

/**
 * One change of a transactional batch. A replacement takes place only while the document has that etag, and so does a
 * removal that names one.
 */
export type Change =
  | { create: StoredDocument }
  | { upsert: StoredDocument }
  | { replace: StoredDocument; etag: string }
  | { remove: string; etag?: string };

/**
 * All of a batch or nothing. Refused: `exists` for a creation whose id is taken, `changed` for a replacement whose etag
 * is no longer the document's, `missing` for a replacement or removal of nothing; `index` is the change that was refused.
 */
export type BatchOutcome =
  { ok: true; etags: string[] } | { ok: false; why: 'exists' | 'changed' | 'missing'; index: number };

/** A page of changes; `caughtUp` when nothing newer existed at the time of the call. */
export interface ChangePage {
  documents: unknown[];
  /** Where the page after this one begins: survives the process. */
  continuation: string;
  caughtUp: boolean;
}

export interface ChangeFeed {
  next(): Promise<ChangePage>;
}

export type ChangeStart = 'now' | 'beginning' | { continuation: string };

/**
 * The few ways in which Atrium uses Cosmos DB. Reads are tried again for some seconds while the store is away; writes
 * are not, because whether they took effect is then unknown: the caller decides (`retrying`).
 */
export interface Cosmos {
  /**
   * Creates what is missing of the database and its containers, and brings their settings up to date. To be called
   * before anything is read: Cosmos's gateway answers 404 without a substatus for a document that is missing and for a
   * container that is.
   */
  ensureContainers(): Promise<void>;
  read<T extends object>(container: ContainerName, partition: string, id: string): Promise<T | null>;
  /** In the order of the keys; one request for each hundred, across partitions. */
  readMany<T extends object>(
    container: ContainerName,
    keys: readonly { partition: string; id: string }[],
  ): Promise<(T | null)[]>;
  /** One partition, all pages; `limit` stops early. */
  query<T>(
    container: ContainerName,
    partition: string,
    query: string,
    parameters?: Record<string, JSONValue>,
    options?: { limit?: number },
  ): Promise<T[]>;
  pages<T>(
    container: ContainerName,
    partition: string,
    query: string,
    parameters?: Record<string, JSONValue>,
    options?: { pageSize?: number },
  ): AsyncIterable<T[]>;
  /** At most 100 changes in one partition, all or none. */
  batch(container: ContainerName, partition: string, changes: readonly Change[]): Promise<BatchOutcome>;
  /** Any number of documents of any partition, each on its own; throws when one could not be written. */
  bulkUpsert(container: ContainerName, documents: readonly StoredDocument[]): Promise<void>;
  /**
   * Any number of documents of any partition, each on its own; for each whether it is there for this call's sake: false
   * where its id was taken, which may have been by this very call, whose answer was lost.
   */
  bulkCreate(container: ContainerName, documents: readonly StoredDocument[]): Promise<boolean[]>;
  /** @param pageSize at most this many documents a page, except that a batch is never cut in two. */
  changes(container: ContainerName, from: ChangeStart, pageSize?: number): ChangeFeed;
  /** How many physical partitions the container has: its change feed goes round them. */
  feedRanges(container: ContainerName): Promise<number>;
  stop(): void;
}

/** Cosmos's limit for one batch or bulk request. */
export const LARGEST_BATCH = 100;
const CONCURRENT_BULK_REQUESTS = 4;
const REQUEST_TIMEOUT_MS = 10_000;

export function createCosmos(
  account: { endpoint: string; key: string } | { endpoint: string; credential: TokenCredential },
  database: string,
): Cosmos {
  const plain = account.endpoint.startsWith('http://');
  const client = new CosmosClient({
    endpoint: account.endpoint,
    ...('key' in account ? { key: account.key } : { aadCredentials: account.credential }),
    // The SDK takes plain HTTP only through its own agent, which keeps connections alive without a limit.
    ...(plain ? {} : { agent: new Agent({ keepAlive: true, maxSockets: 128, scheduling: 'lifo' }) }),
    connectionPolicy: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      // A stand-in has one region: looking for others would hide that it is down for two minutes.
      enableEndpointDiscovery: !plain,
      retryOptions: {
        maxRetryAttemptCount: 9,
        fixedRetryIntervalInMilliseconds: 0,
        maxWaitTimeInSeconds: 10,
      },
    },
  });
  const containers = new Map<ContainerName, Container>();

  function container(name: ContainerName): Container {
    let found = containers.get(name);
    if (!found) containers.set(name, (found = client.database(database).container(name)));
    return found;
  }

  /**
   * Through `bulk`, which the SDK would rather see replaced by `executeBulkOperations`: that one sleeps a second for
   * each partly filled request, so that reading twenty documents would take as long.
   */
  async function bulk(name: ContainerName, operations: OperationInput[]): Promise<BulkResult[]> {
    const results: BulkResult[] = [];
    const chunks: number[] = [];
    for (let start = 0; start < operations.length; start += LARGEST_BATCH) chunks.push(start);
    await inParallel(chunks, CONCURRENT_BULK_REQUESTS, (start) =>
      retrying(async () => {
        const open = operations
          .slice(start, start + LARGEST_BATCH)
          .map((operation, i) => ({ operation, index: start + i }))
          .filter(({ index }) => results[index] === undefined);
        const answers = await container(name).items.bulk(
          open.map(({ operation }) => operation),
          { continueOnError: true },
          { contentResponseOnWriteEnabled: operations[0]?.operationType === 'Read' },
        );
        let refused: number | undefined;
        answers.forEach((answer, i) => {
          if (answer.statusCode < 300 || answer.statusCode === 404 || answer.statusCode === 409)
            results[open[i]!.index] = answer as BulkResult;
          else refused = answer.statusCode;
        });
        // What was done stays done; the rest is tried again where the status allows it.
        if (refused !== undefined) throw refusedWith(refused, `a bulk request to ${name}`);
      }),
    );
    return results;
  }

  return {
    ensureContainers: () => ensureContainers(client, database),

    async read<T extends object>(name: ContainerName, partition: string, id: string) {
      const { resource } = await retrying(() => container(name).item(id, partition).read<T>());
      return resource ?? null;
    },

    async readMany<T extends object>(
      name: ContainerName,
      keys: readonly { partition: string; id: string }[],
    ) {
      const results = await bulk(
        name,
        keys.map(({ partition, id }) => ({ operationType: 'Read' as const, id, partitionKey: partition })),
      );
      return results.map((result) => (result.statusCode === 404 ? null : (result.resourceBody as T)));
    },

    async query<T>(
      name: ContainerName,
      partition: string,
      query: string,
      parameters: Record<string, JSONValue> = {},
      { limit = Infinity }: { limit?: number } = {},
    ) {
      const found: T[] = [];
      const pageSize = Math.min(limit, 1000);
      for await (const page of this.pages<T>(name, partition, query, parameters, { pageSize })) {
        for (const each of page) found.push(each);
        if (found.length >= limit) break;
      }
      return found.length > limit ? found.slice(0, limit) : found;
    },

    async *pages<T>(
      name: ContainerName,
      partition: string,
      query: string,
      parameters: Record<string, JSONValue> = {},
      { pageSize = 1000 }: { pageSize?: number } = {},
    ) {
      const iterator = container(name).items.query<T>(
        { query, parameters: Object.entries(parameters).map(([key, value]) => ({ name: `@${key}`, value })) },
        { partitionKey: partition, maxItemCount: pageSize },
      );
      do {
        const { resources } = await retrying(() => iterator.fetchNext());
        if (resources?.length) yield resources;
      } while (iterator.hasMoreResults());
    },

    async batch(name, partition, changes) {
      const operations = changes.map(operationOf);
      for (let attempt = 1; ; attempt++) {
        const { result = [] } = await container(name).items.batch(operations, partition, {
          contentResponseOnWriteEnabled: false,
        });
        // Of a refused batch every other change answers 424, failed dependency.
        const index = result.findIndex(({ statusCode }) => statusCode >= 300 && statusCode !== 424);
        const status = result[index]?.statusCode;
        if (status === undefined) return { ok: true, etags: result.map(({ eTag }) => eTag ?? '') };
        if (status === 409) return { ok: false, why: 'exists', index };
        if (status === 412) return { ok: false, why: 'changed', index };
        if (status === 404) return { ok: false, why: 'missing', index };
        // Refused for now, and as a whole: it may be sent again.
        if ((status !== 429 && status !== 449) || attempt === 10)
          throw refusedWith(status, `a batch to ${name}`);
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt * (1 + Math.random())));
      }
    },

    async bulkUpsert(name, documents) {
      const path = CONTAINERS[name].partitionKey.slice(1);
      await bulk(
        name,
        documents.map((document) => ({
          operationType: 'Upsert' as const,
          partitionKey: (document as unknown as Record<string, string>)[path],
          resourceBody: bodyOf(document),
        })),
      );
    },

    async bulkCreate(name, documents) {
      const path = CONTAINERS[name].partitionKey.slice(1);
      const results = await bulk(
        name,
        documents.map((document) => ({
          operationType: 'Create' as const,
          partitionKey: (document as unknown as Record<string, string>)[path],
          resourceBody: bodyOf(document),
        })),
      );
      return results.map(({ statusCode }) => statusCode < 300);
    },

    changes(name, from, pageSize = 1000) {
      const iterator = container(name).items.getChangeFeedIterator<object>({
        maxItemCount: pageSize,
        changeFeedStartFrom:
          from === 'now'
            ? ChangeFeedStartFrom.Now()
            : from === 'beginning'
              ? ChangeFeedStartFrom.Beginning()
              : ChangeFeedStartFrom.Continuation(from.continuation),
      });
      return {
        async next() {
          const { result, statusCode, continuationToken } = await iterator.readNext();
          return { documents: result ?? [], continuation: continuationToken, caughtUp: statusCode === 304 };
        },
      };
    },

    feedRanges: async (name) => (await container(name).getFeedRanges()).length,
    stop: () => client.dispose(),
  };
}

interface BulkResult {
  statusCode: number;
  resourceBody?: unknown;
}

function operationOf(change: Change): OperationInput {
  if ('create' in change) return { operationType: 'Create', resourceBody: bodyOf(change.create) };
  if ('upsert' in change) return { operationType: 'Upsert', resourceBody: bodyOf(change.upsert) };
  if ('remove' in change) {
    const { remove, etag } = change;
    return { operationType: 'Delete', id: remove, ...(etag !== undefined && { ifMatch: etag }) };
  }
  const { replace, etag } = change;
  return { operationType: 'Replace', id: replace.id, ifMatch: etag, resourceBody: bodyOf(replace) };
}

function bodyOf(document: StoredDocument): { id: string } & Record<string, JSONValue> {
  const own = Object.keys(document).some((name) => name.startsWith('_'))
    ? Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('_')))
    : document;
  return own as { id: string } & Record<string, JSONValue>;
}

function refusedWith(status: number, what: string): Error {
  return Object.assign(new Error(`Cosmos answered ${status} to ${what}`), { code: status });
}
