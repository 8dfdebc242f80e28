import { type Cosmos } from '../cosmos';
import { type ApiKeyRecordDocument, apiKeysOf, type ApiKeyUseDocument, usedId } from './documents';

/** What its people see of a key, and when it was used last: milliseconds since 1970, about a minute late; null for never. */
export interface ApiKeyView {
  record: ApiKeyRecordDocument;
  lastUsedAt: number | null;
}

export async function viewsOf(
  cosmos: Pick<Cosmos, 'readMany'>,
  found: readonly ApiKeyRecordDocument[],
): Promise<ApiKeyView[]> {
  const uses = await cosmos.readMany<ApiKeyUseDocument>(
    'directory',
    found.map(({ key, id }) => ({ partition: key, id: usedId(id) })),
  );
  return found.map((record, i) => ({ record, lastUsedAt: uses[i]?.at ?? null }));
}

/** The standing keys that may see a building, where their makers may, newest first. */
export async function keysToBuilding(
  cosmos: Pick<Cosmos, 'query' | 'readMany'>,
  { tenantId, buildingId }: { tenantId: string; buildingId: string },
  options: {
    /** Of whom may be told: the tenant, or nobody. */
    owners: string[];
    /** Only those whose sort key is less. */
    before: string;
    limit: number;
  },
): Promise<ApiKeyView[]> {
  const { owners, before, limit } = options;
  const found = await cosmos.query<ApiKeyRecordDocument>(
    'directory',
    apiKeysOf(tenantId),
    `SELECT * FROM c WHERE c.kind = 'apiKeyRecord' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.endedAt = null
      AND c.expiresAt > @now AND (c.buildingIds = null OR ARRAY_CONTAINS(c.buildingIds, @buildingId))
      AND c.sortKey < @before ORDER BY c.sortKey DESC`,
    { owners, buildingId, now: Date.now(), before },
    { limit },
  );
  return viewsOf(cosmos, found);
}
