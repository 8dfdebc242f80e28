import { DefaultAzureCredential } from '@azure/identity';
import { BlobServiceClient } from '@azure/storage-blob';
import { type NamespaceConnection } from '../stream/connection';

/** In Azure the process signs in as itself; on a laptop a connection string names the local service. */
export function namespaceOf(settings: {
  EVENT_HUBS_CONNECTION_STRING?: string | undefined;
  EVENT_HUBS_NAMESPACE?: string | undefined;
}): NamespaceConnection {
  return settings.EVENT_HUBS_CONNECTION_STRING !== undefined
    ? { connectionString: settings.EVENT_HUBS_CONNECTION_STRING }
    : {
        fullyQualifiedNamespace: settings.EVENT_HUBS_NAMESPACE!,
        credential: new DefaultAzureCredential(),
      };
}

export function blobServiceOf(settings: {
  BLOB_CONNECTION_STRING?: string | undefined;
  BLOB_ACCOUNT_URL?: string | undefined;
}): BlobServiceClient {
  return settings.BLOB_CONNECTION_STRING !== undefined
    ? BlobServiceClient.fromConnectionString(settings.BLOB_CONNECTION_STRING)
    : new BlobServiceClient(settings.BLOB_ACCOUNT_URL!, new DefaultAzureCredential());
}

export function cosmosAccountOf(settings: {
  COSMOS_ENDPOINT: string;
  COSMOS_KEY?: string | undefined;
}): { endpoint: string; key: string } | { endpoint: string; credential: DefaultAzureCredential } {
  return settings.COSMOS_KEY !== undefined
    ? { endpoint: settings.COSMOS_ENDPOINT, key: settings.COSMOS_KEY }
    : { endpoint: settings.COSMOS_ENDPOINT, credential: new DefaultAzureCredential() };
}
