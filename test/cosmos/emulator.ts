import { type Container, type ContainerRequest, CosmosClient } from '@azure/cosmos';
import { type CosmosEmulatorOptions, createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { createLogger } from '../../src/observability/logger';
import { createWire } from '../support/cosmos-process';

/** A stand-in of a test's own, in this process, with a client and one container `c` partitioned by `/pk`. */
export async function buildEmulator(
  options: Partial<CosmosEmulatorOptions> = {},
  definition: Partial<ContainerRequest> = {},
) {
  const emulator = createCosmosEmulator({
    logger: createLogger({ name: 'cosmos', level: 'silent' }),
    ...options,
  });
  const { endpoint, key, port } = await emulator.start();
  const client = new CosmosClient({
    endpoint,
    key,
    connectionPolicy: { enableEndpointDiscovery: false, retryOptions: { maxRetryAttemptCount: 3 } },
  });
  const { database } = await client.databases.createIfNotExists({ id: 'd' });
  const { container } = await database.containers.createIfNotExists({
    id: 'c',
    partitionKey: { paths: ['/pk'] },
    ...definition,
  });
  const wire = createWire(endpoint, key, 4);
  return {
    container: container as Container,
    client,
    endpoint,
    port,
    /** A bare request for the container's documents. */
    docs: (
      method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
      headers: Record<string, string>,
      body?: string,
      id?: string,
    ) =>
      wire.send({
        method,
        path: `/dbs/d/colls/c/docs${id === undefined ? '' : `/${id}`}`,
        type: 'docs',
        link: `dbs/d/colls/c${id === undefined ? '' : `/docs/${id}`}`,
        headers,
        body,
      }),
    wire,
    async stop() {
      wire.close();
      client.dispose();
      await emulator.stop();
    },
  };
}
