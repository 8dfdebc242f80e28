import { type ContainerDefinition, type ContainerRequest, type CosmosClient } from '@azure/cosmos';
import { CONTAINERS } from './documents';
import { codeOf, retrying } from './store-error';

export type ContainerName = keyof typeof CONTAINERS;

/**
 * What is indexed in each container: the paths that its queries order by or pick few documents by, and nothing else,
 * because every indexed path is paid for at each write. `id` is always indexed
 * (https://learn.microsoft.com/azure/cosmos-db/index-policy): documents of one kind are found by their ids' prefix.
 * Listings order by one `sortKey`, which needs no composite index and which only listed documents have.
 */
const indexed: Record<ContainerName, string[]> = {
  // devices of a building in order, of one space, and of one field gateway; the audit log in order, which devices' keys
  // must not be among, and what it says of one thing, or of a device among several
  registry: ['/sortKey/*', '/spaceId/*', '/parentId/*', '/auditKey/*', '/subject/*', '/after/devices/*'],
  // buildings of a tenant in order
  directory: ['/sortKey/*'],
  // read by id alone
  warm: [],
  // ranges of ids alone
  recent: [],
  // dead letters of a place, newest first
  deadletters: ['/sortKey/*'],
  // alerts of a building, newest first, and those that are active
  alerts: ['/sortKey/*', '/clearedAt/?'],
  // read by id, and by ranges of ids
  ingestion: [],
};

/** -1: documents live for ever unless they carry a `ttl` of their own, in seconds. */
const TTL_PER_DOCUMENT = -1;

function definitionOf(name: ContainerName): ContainerRequest & ContainerDefinition {
  return {
    id: name,
    // Version 2 hashes the whole key, version 1 its first 100 bytes.
    partitionKey: { paths: [CONTAINERS[name].partitionKey], version: 2 },
    defaultTtl: TTL_PER_DOCUMENT,
    indexingPolicy: {
      indexingMode: 'consistent',
      automatic: true,
      includedPaths: indexed[name].map((path) => ({ path })),
      // The second is Cosmos's own: it adds it where it is missing.
      excludedPaths: [{ path: '/*' }, { path: '/"_etag"/?' }],
    },
  };
}

/** Creates what is missing and brings settings up to date. Several processes may do so at the same time. */
export async function ensureContainers(client: CosmosClient, database: string): Promise<void> {
  const { database: ensured } = await unlessTaken(() => client.databases.createIfNotExists({ id: database }));
  for (const name of Object.keys(CONTAINERS) as ContainerName[]) {
    const wanted = definitionOf(name);
    const { resource: found } = await unlessTaken(() => ensured.containers.createIfNotExists(wanted));
    if (!found || settingsOf(found) === settingsOf(wanted)) continue;
    try {
      await retrying(() => ensured.container(name).replace({ ...wanted, partitionKey: found.partitionKey! }));
    } catch (error) {
      // An identity that may use documents but not change containers leaves their settings to the deployment.
      if (codeOf(error) !== 403) throw error;
    }
  }
}

/** `createIfNotExists` looks and then creates: where another process was quicker it must look again. */
async function unlessTaken<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await retrying(create);
  } catch (error) {
    if (codeOf(error) !== 409) throw error;
    return retrying(create);
  }
}

function settingsOf({ defaultTtl, indexingPolicy }: ContainerDefinition): string {
  const paths = (list: { path: string }[] = []): string[] => list.map(({ path }) => path).sort();
  const { indexingMode, includedPaths, excludedPaths } = indexingPolicy ?? {};
  return JSON.stringify([defaultTtl, indexingMode, paths(includedPaths), paths(excludedPaths)]);
}
