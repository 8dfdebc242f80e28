import { type ContainerRequest } from '@azure/cosmos';
import { CONTAINERS } from './documents';

export type ContainerName = keyof typeof CONTAINERS;

/**
 * What is indexed in each container: the paths that its queries filter or order by and nothing else, because every
 * indexed path is paid for at each write. `id` and `_ts` are always indexed
 * (https://learn.microsoft.com/azure/cosmos-db/index-policy). Listings order by one `sortKey`, which needs no composite
 * index.
 */
const indexed: Record<ContainerName, string[]> = {
  // spaces of a building; its devices in order, by state and by space
  registry: ['/type/?', '/sortKey/?', '/state/?', '/spaceId/?', '/tenantId/?'],
  // buildings of a tenant in order; memberships of a person
  directory: ['/kind/?', '/sortKey/?'],
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
