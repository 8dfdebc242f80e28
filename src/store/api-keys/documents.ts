import { type ApiKeyPermission } from '../../auth/api-key-permissions';

/** What a key is for; never changed. */
interface KeyTerms {
  /** `key_...` */
  id: string;
  tenantId: string;
  /** As the schema names them. A later release may know more. */
  permissions: ApiKeyPermission[];
  /** Null: all of the tenant's. */
  buildingIds: string[] | null;
  /** Null: any. Else `sha256:` and 64 hexadecimal digits each. */
  documents: string[] | null;
  /** The person whose rights it has a part of. */
  createdBy: string;
  createdAt: number;
  expiresAt: number;
  /** `hashOfSecret`: from it no key can be found. */
  hash: string;
  /** Set once it is revoked; it stays for a while, because the change feed tells of no deletion. */
  endedAt: number | null;
  /** Seconds. */
  ttl?: number;
  _etag?: string;
}

/**
 * In `directory`, key `person:<key id>`, where the rights of all who sign in are: the key itself, found by its id. It is
 * made after its record, and ended before it: so nothing that breaks off in between leaves a key that was revoked.
 */
export interface ApiKeyDocument extends KeyTerms {
  key: string;
  kind: 'apiKey';
}

/** In `directory`, key `apiKeysOf(tenantId)`: what its people see of it, with its audit events beside it. */
export interface ApiKeyRecordDocument extends KeyTerms {
  key: string;
  kind: 'apiKeyRecord';
  /** What people call it. */
  name: string;
  /** `createdAt` padded, then id: the order of listings. */
  sortKey: string;
}

/** In `directory`, key `apiKeysOf(tenantId)`, id `usedId(key id)`: when a key was used last, about. */
export interface ApiKeyUseDocument {
  id: string;
  key: string;
  kind: 'apiKeyUse';
  tenantId: string;
  at: number;
  /** Seconds. */
  ttl: number;
}

export function apiKeysOf(tenantId: string): string {
  return `api-keys:${tenantId}`;
}

export function rightKeyOf(keyId: string): string {
  return `person:${keyId}`;
}

export function usedId(keyId: string): string {
  return `used:${keyId}`;
}

export function apiKeySortKey(createdAt: number, id: string): string {
  return `${String(createdAt).padStart(15, '0')}\n${id}`;
}
