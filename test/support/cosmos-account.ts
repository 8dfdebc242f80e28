import {
  type Container,
  type ContainerRequest,
  CosmosClient,
  type Database,
  type ErrorResponse,
} from '@azure/cosmos';
import { randomUUID } from 'node:crypto';
import { createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { createLogger } from '../../src/observability/logger';

/**
 * The account that the contract is checked against: the one that `AZURE_CONTRACT_COSMOS` names by its connection
 * string, else the local stand-in. The tests cannot tell which.
 */
export interface Account {
  connectionString: string;
  client: CosmosClient;
  database: Database;
  /** A container of its own, partitioned by `/pk` unless said otherwise. */
  container(definition?: Partial<ContainerRequest>): Promise<Container>;
  close(): Promise<void>;
}

export async function openAccount(): Promise<Account> {
  const named = process.env.AZURE_CONTRACT_COSMOS;
  const emulator =
    named === undefined
      ? createCosmosEmulator({ logger: createLogger({ name: 'cosmos', level: 'warn' }) })
      : undefined;
  const connectionString = named ?? (await emulator!.start()).connectionString;
  const client = new CosmosClient(connectionString);
  const { database } = await client.databases.create({ id: `contract-${randomUUID()}` });
  let containers = 0;
  return {
    connectionString,
    client,
    database,
    async container(definition = {}) {
      containers += 1;
      const { container } = await database.containers.create({
        id: `container-${containers}`,
        partitionKey: { paths: ['/pk'] },
        ...definition,
      });
      return container;
    },
    async close() {
      await database.delete();
      client.dispose();
      await emulator?.stop();
    },
  };
}

/** The error of something that is refused; throws when it is not. */
export async function refused(attempt: Promise<unknown>): Promise<ErrorResponse> {
  try {
    await attempt;
  } catch (error) {
    return error as ErrorResponse;
  }
  throw new Error('it was not refused');
}
