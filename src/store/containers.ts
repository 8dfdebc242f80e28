import { type ContainerRequest } from '@azure/cosmos';
import { CONTAINERS } from './documents';

export type ContainerName = keyof typeof CONTAINERS;

/**
 * What is indexed in each container: the paths that its queries order by or pick few documents by, and nothing else,
 * because every indexed path is paid for at each write. `id` is always indexed
 * (https://learn.microsoft.com/azure/cosmos-db/index-policy): documents of one kind are found by their ids' prefix.
 * Listings order by one `sortKey`, which needs no composite index and which only listed documents have.
 */
const indexed: Record<ContainerName, string[]> = {
  // devices of a building in order, and of one space
  registry: ['/sortKey/*', '/spaceId/*'],
  // buildings of a tenant in order
  directory: ['/sortKey/*'],
  // read by id alone
  warm: [],
};

/** -1: documents live for ever unless they carry a `ttl` of their own, in seconds. */
const TTL_PER_DOCUMENT = -1;

export function containerDefinition(name: ContainerName): ContainerRequest {
  return {
    id: name,
    // Version 2 hashes the whole key, version 1 its first 100 bytes.
    partitionKey: { paths: [CONTAINERS[name].partitionKey], version: 2 },
    defaultTtl: TTL_PER_DOCUMENT,
    indexingPolicy: {
      indexingMode: 'consistent',
      automatic: true,
      includedPaths: indexed[name].map((path) => ({ path })),
      excludedPaths: [{ path: '/*' }],
    },
  };
}
