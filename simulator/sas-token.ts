import { parseConnectionString, sasToken } from './device-identity';

export { parseConnectionString };

/**
 * A device's SAS token from its connection string, as the value of an Authorization header.
 * @param ttlSeconds how long it is valid from now.
 * @throws OperatorError where the connection string is none.
 */
export function createSasToken(connectionString: string, ttlSeconds: number): string {
  return sasToken(parseConnectionString(connectionString), Math.floor(Date.now() / 1000 + ttlSeconds));
}
