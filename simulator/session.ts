import { OperatorError } from '../src/observability/operator-error';
import { createCredentialStore, type CredentialStore } from './credentials';
import { credentialsFolder, type Endpoints, readEndpoints } from './endpoints';
import { createGraphqlClient, type GraphqlClient } from './graphql-client';
import { createPlatformApi, type PlatformApi } from './platform-api';

/** A signed-in person on a running platform. */
export interface Session {
  endpoints: Endpoints;
  client: GraphqlClient;
  api: PlatformApi;
  credentials: CredentialStore;
  tenantId: string;
  close(): Promise<void>;
}

/**
 * Signs in on the platform that `endpoints.json` names. Without a tenant it is the person's only or first one.
 */
export async function openSession(options: {
  endpointsFile: string;
  user: string;
  tenantId?: string;
}): Promise<Session> {
  const endpoints = readEndpoints(options.endpointsFile);
  const client = createGraphqlClient({
    api: endpoints.api,
    identity: endpoints.identity,
    user: options.user,
  });
  try {
    const api = createPlatformApi(client);
    const tenants = await api.tenants();
    const tenant =
      options.tenantId === undefined ? tenants[0] : tenants.find(({ id }) => id === options.tenantId);
    if (tenant === undefined) {
      throw new OperatorError(
        options.tenantId === undefined
          ? `${options.user} belongs to no tenant: name another person by --user`
          : `${options.user} does not belong to ${options.tenantId}, but to ${tenants.map(({ id }) => id).join(', ') || 'none'}`,
      );
    }
    return {
      endpoints,
      client,
      api,
      credentials: createCredentialStore(credentialsFolder(options.endpointsFile)),
      tenantId: tenant.id,
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
