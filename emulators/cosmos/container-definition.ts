import { type IndexingPolicy, DEFAULT_INDEXING_POLICY, policyProblem } from './indexing-policy';
import { type PartitionKeyDefinition } from './partition-key';

/** What a container was created with, checked and with the service's defaults. */
export interface ContainerDefinition {
  id: string;
  partitionKey: PartitionKeyDefinition;
  indexingPolicy: IndexingPolicy;
  uniqueKeyPolicy: { uniqueKeys: { paths: string[] }[] };
  conflictResolutionPolicy: unknown;
  /** Seconds; -1 lets only documents with a `ttl` of their own expire; absent: nothing expires. */
  defaultTtl?: number;
}

const REFUSED = [
  'computedProperties',
  'vectorEmbeddingPolicy',
  'fullTextPolicy',
  'clientEncryptionPolicy',
  'changeFeedPolicy',
  'analyticalStorageTtl',
  'materializedViewDefinition',
];
// https://learn.microsoft.com/azure/cosmos-db/concepts-limits
const LONGEST_ID = 255;
const LONGEST_DOCUMENT_ID = 1023;
const MOST_KEY_PATHS = 3;

/** Reads a container's definition from a request's body, or says what is wrong or not supported. */
export function readDefinition(input: Record<string, unknown>): ContainerDefinition | { problem: string } {
  const idProblem = resourceIdProblem(input.id);
  if (idProblem) return { problem: idProblem };
  for (const name of REFUSED) {
    const value = input[name];
    if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)) {
      return { problem: `The container property '${name}' is not supported by the local Cosmos stand-in.` };
    }
  }
  const partitionKey = readPartitionKey(input.partitionKey);
  if ('problem' in partitionKey) return partitionKey;

  const given = (input.indexingPolicy ?? {}) as Partial<IndexingPolicy>;
  const indexingPolicy: IndexingPolicy = {
    ...DEFAULT_INDEXING_POLICY,
    ...given,
    indexingMode: String(given.indexingMode ?? 'consistent').toLowerCase() as IndexingPolicy['indexingMode'],
    includedPaths:
      given.includedPaths ?? (given.indexingMode === 'none' ? [] : DEFAULT_INDEXING_POLICY.includedPaths),
    excludedPaths: given.excludedPaths ?? DEFAULT_INDEXING_POLICY.excludedPaths,
  };
  const policy = policyProblem(indexingPolicy);
  if (policy) return { problem: policy };

  const uniqueKeys = ((input.uniqueKeyPolicy as { uniqueKeys?: unknown } | undefined)?.uniqueKeys ??
    []) as unknown;
  if (
    !Array.isArray(uniqueKeys) ||
    !uniqueKeys.every(
      (key: { paths?: unknown }) =>
        Array.isArray(key?.paths) &&
        key.paths.length > 0 &&
        key.paths.every((path) => typeof path === 'string' && path.startsWith('/')),
    )
  ) {
    return { problem: 'The unique key policy is invalid: each key needs paths that start with /.' };
  }

  const { defaultTtl } = input;
  if (defaultTtl !== undefined && defaultTtl !== null && !isTtl(defaultTtl)) {
    return {
      problem: `The defaultTtl '${String(defaultTtl)}' is invalid: it is a positive number of seconds, or -1.`,
    };
  }
  return {
    id: input.id as string,
    partitionKey,
    indexingPolicy,
    uniqueKeyPolicy: { uniqueKeys: uniqueKeys as { paths: string[] }[] },
    conflictResolutionPolicy: input.conflictResolutionPolicy ?? {
      mode: 'LastWriterWins',
      conflictResolutionPath: '/_ts',
      conflictResolutionProcedure: '',
    },
    ...(typeof defaultTtl === 'number' ? { defaultTtl } : {}),
  };
}

/** A time to live: -1 for never, or a positive whole number of seconds. */
export function isTtl(value: unknown): value is number {
  return (
    typeof value === 'number' &&
    Number.isInteger(value) &&
    (value === -1 || (value > 0 && value <= 0x7fffffff))
  );
}

/** What is wrong with a resource's id. Documents have a longer one than databases and containers, and in bytes. */
export function resourceIdProblem(id: unknown, of: 'resource' | 'document' = 'resource'): string | undefined {
  if (typeof id !== 'string' || id === '')
    return 'The input content is invalid because the required property id is missing or not a string.';
  if (of === 'resource' && id.length > LONGEST_ID) return `The id is longer than ${LONGEST_ID} characters.`;
  if (of === 'document' && Buffer.byteLength(id) > LONGEST_DOCUMENT_ID)
    return `The id is longer than ${LONGEST_DOCUMENT_ID} bytes.`;
  if (/[/\\?#]/.test(id) || id.endsWith(' '))
    return `The id '${id}' is invalid: it holds one of / \\ ? # or ends with a space.`;
  return undefined;
}

function readPartitionKey(input: unknown): PartitionKeyDefinition | { problem: string } {
  const { paths, kind, version } = (input ?? {}) as { paths?: unknown; kind?: unknown; version?: unknown };
  if (
    !Array.isArray(paths) ||
    paths.length === 0 ||
    !paths.every((path) => typeof path === 'string' && /^\/[^/]/.test(path) && !path.includes('*'))
  ) {
    return { problem: 'The partition key definition is invalid: it needs paths that start with /.' };
  }
  const actual = kind ?? (paths.length > 1 ? 'MultiHash' : 'Hash');
  if (actual !== 'Hash' && actual !== 'MultiHash') {
    return {
      problem: `The partition key kind '${String(actual)}' is not supported: Hash and MultiHash are.`,
    };
  }
  if (paths.length > (actual === 'Hash' ? 1 : MOST_KEY_PATHS)) {
    return { problem: `A partition key of kind ${actual} cannot have ${paths.length} paths.` };
  }
  if (version !== undefined && version !== 1 && version !== 2) {
    return { problem: `The partition key version '${String(version)}' is invalid: it is 1 or 2.` };
  }
  return { paths: paths as string[], kind: actual, version: (version as 1 | 2 | undefined) ?? 2 };
}
