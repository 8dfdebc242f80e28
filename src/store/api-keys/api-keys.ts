import { apiKeyText, hashOfSecret, newApiKeySecret } from '../../auth/api-key';
import { API_KEY_PERMISSIONS, type ApiKeyPermission, permissionsOf } from '../../auth/api-key-permissions';
import { allows, tenantScope, tenantsWith, type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument } from '../documents';
import { type Outcome, type Page, type Refusal } from '../registry';
import { notFound, refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { pageOf, sortKeyAfter } from '../registry/position';
import { keyReused } from '../registry/shown-once';
import { keyProblem, nameProblem } from '../registry/validation';
import { apiKeySortKey, apiKeysOf, type ApiKeyRecordDocument } from './documents';
import { createApiKeyRecords } from './records';
import { type ApiKeyView, viewsOf } from './views';

export interface NewApiKey {
  tenantId: string;
  name: string;
  permissions: ApiKeyPermission[];
  /** Null: all of the tenant's, also those to come. */
  buildingIds: string[] | null;
  /** Null: any document. Else `sha256:` and 64 hexadecimal digits each. */
  documents: string[] | null;
  expiresInDays: number;
}

/** The keys of a tenant's programs, always inside the caller's scope. */
export interface ApiKeys {
  /**
   * Gives a program a part of what the caller may do in a tenant. The key's text, for the call that made it; null where it
   * was shown before. At most 200 standing keys a tenant.
   */
  createApiKey(
    scope: TenantScope,
    input: NewApiKey,
    idempotencyKey: string,
  ): Promise<Outcome<ApiKeyView & { text: string | null }>>;
  /** Within two seconds nobody gets in by it any more. Revoking a revoked one changes nothing. */
  revokeApiKey(scope: TenantScope, apiKeyId: string): Promise<Outcome<ApiKeyView>>;
  /** Newest first, revoked ones for 30 days; nothing where the scope may not manage the tenant's keys. */
  apiKeys(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<ApiKeyView>>;
  apiKey(scope: TenantScope, apiKeyId: string): Promise<ApiKeyView | null>;
}

export const LONGEST_KEY_DAYS = 366;
export const MAXIMUM_KEY_BUILDINGS = 100;
export const MAXIMUM_KEY_DOCUMENTS = 200;
const DAY_MS = 86_400_000;
const DOCUMENT = /^sha256:[0-9a-f]{64}$/;
/** Behind every digit. */
const NEWEST = ':';

export function createApiKeys({ cosmos }: { cosmos: Cosmos }): ApiKeys {
  const records = createApiKeyRecords({ cosmos });

  async function find(scope: TenantScope, apiKeyId: string): Promise<ApiKeyRecordDocument | null> {
    const found = await cosmos.readMany<ApiKeyRecordDocument>(
      'directory',
      tenantsWith(scope, 'api-key.manage').map((tenantId) => ({
        partition: apiKeysOf(tenantId),
        id: apiKeyId,
      })),
    );
    const record = found.find((each) => each !== null);
    // The same partition holds audit events and counts.
    return record?.kind === 'apiKeyRecord' && may(scope, record) ? record : null;
  }

  async function placeProblem(
    scope: TenantScope,
    { tenantId, buildingIds }: NewApiKey,
  ): Promise<Refusal | undefined> {
    const ids = buildingIds ?? [];
    const found = await cosmos.readMany<BuildingDocument>(
      'registry',
      ids.map((id) => ({ partition: id, id })),
    );
    const wrong = found.findIndex(
      (each) =>
        each?.type !== 'building' || each.tenantId !== tenantId || !allows(scope, 'building.read', each),
    );
    if (wrong === -1) return undefined;
    return {
      code: 'NOT_FOUND',
      message: `there is no building ${ids[wrong]}`,
      path: `buildingIds.${wrong}`,
    };
  }

  return {
    async createApiKey(scope, input, idempotencyKey) {
      const { tenantId, name, expiresInDays } = input;
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!may(scope, input)) return refused('FORBIDDEN', 'your role may not make API keys here');
      const problem =
        keyProblem(idempotencyKey) ??
        nameProblem('name', name) ??
        termsProblem(input) ??
        heldProblem(scope, input) ??
        (await placeProblem(scope, input));
      if (problem) return { ok: false, refusal: problem };
      const permissions = [...new Set(input.permissions)];
      const buildingIds = input.buildingIds && [...new Set(input.buildingIds)];
      const documents = input.documents && [...new Set(input.documents)];
      const told = { name, permissions, buildingIds, documents, expiresInDays };
      const attempt = attemptOf(scope, tenantId, 'createApiKey', idempotencyKey, told);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) return keyReused();
      const createdAt = claimed.claimedAt;
      const id = derivedId('key', tenantId, attempt.hash, String(createdAt));
      const secret = newApiKeySecret();
      const hash = hashOfSecret(secret);
      const made = await records.create(scope, {
        ...{ id, key: apiKeysOf(tenantId), kind: 'apiKeyRecord', tenantId },
        ...{ name, permissions, buildingIds, documents, createdAt, hash },
        createdBy: scope.principal.id,
        expiresAt: createdAt + expiresInDays * DAY_MS,
        endedAt: null,
        sortKey: apiKeySortKey(createdAt, id),
      });
      if (!made.ok) return made;
      const record = made.value;
      // Also where it was this very try, whose answer was lost, that stored it.
      const text = record.hash === hash ? apiKeyText({ id, secret }) : null;
      return { ok: true, value: { ...(await viewsOf(cosmos, [record]))[0]!, text } };
    },

    async revokeApiKey(scope, apiKeyId) {
      const found = await find(scope, apiKeyId);
      if (!found) return notFound('API key', apiKeyId, 'apiKeyId');
      const ended = await records.end(scope, found, 'api-key.revoke');
      return ended.ok ? { ok: true, value: (await viewsOf(cosmos, [ended.value]))[0]! } : ended;
    },

    async apiKeys(scope, tenantId, { first, after }) {
      // The same call for a tenant of whom the caller may not ask: it gives nothing.
      const owners = may(scope, { tenantId }) ? [tenantId] : [];
      const found = await cosmos.query<ApiKeyRecordDocument>(
        'directory',
        apiKeysOf(tenantId),
        "SELECT * FROM c WHERE c.kind = 'apiKeyRecord' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.sortKey < @before ORDER BY c.sortKey DESC",
        { owners, before: after === null ? NEWEST : sortKeyAfter(after) },
        { limit: first + 1 },
      );
      const views = await viewsOf(cosmos, found);
      return pageOf(
        views.map((item) => ({ item, sortKey: item.record.sortKey })),
        first,
      );
    },

    async apiKey(scope, apiKeyId) {
      const found = await find(scope, apiKeyId);
      return found && (await viewsOf(cosmos, [found]))[0]!;
    },
  };
}

function may(scope: TenantScope, { tenantId }: { tenantId: string }): boolean {
  return allows(scope, 'api-key.manage', { tenantId, quantity: null });
}

function termsProblem({
  permissions,
  buildingIds,
  documents,
  expiresInDays,
}: NewApiKey): Refusal | undefined {
  const invalid = (path: string, message: string): Refusal => ({ code: 'INVALID_INPUT', message, path });
  if (permissions.length === 0) return invalid('permissions', 'permissions must name at least one');
  const unknown = permissions.findIndex((each) => !Object.hasOwn(API_KEY_PERMISSIONS, each));
  if (unknown !== -1) return invalid(`permissions.${unknown}`, 'the permission is not known');
  if (!(Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= LONGEST_KEY_DAYS)) {
    return invalid('expiresInDays', `a key may stand for 1 to ${LONGEST_KEY_DAYS} days`);
  }
  if (buildingIds !== null && !(buildingIds.length >= 1 && buildingIds.length <= MAXIMUM_KEY_BUILDINGS)) {
    return invalid(
      'buildingIds',
      `buildingIds names ${buildingIds.length} buildings and must name 1 to ${MAXIMUM_KEY_BUILDINGS}, or be left out for all`,
    );
  }
  if (documents === null) return undefined;
  if (!(documents.length >= 1 && documents.length <= MAXIMUM_KEY_DOCUMENTS)) {
    return invalid(
      'documents',
      `documents names ${documents.length} and must name 1 to ${MAXIMUM_KEY_DOCUMENTS}, or be left out for any`,
    );
  }
  const wrong = documents.findIndex((each) => !DOCUMENT.test(each));
  return wrong === -1
    ? undefined
    : invalid(
        `documents.${wrong}`,
        'a document is named sha256: and the 64 lower-case hexadecimal digits of its hash',
      );
}

/** Nobody gives what they do not have. What others share is nobody's to pass on. */
function heldProblem(scope: TenantScope, { tenantId, permissions }: NewApiKey): Refusal | undefined {
  const own = tenantScope(
    scope.principal,
    scope.entitlements.filter(({ grantId }) => grantId === undefined),
  );
  const missing = permissions.findIndex((name) =>
    permissionsOf([name]).some((each) => !allows(own, each, { tenantId, quantity: null })),
  );
  if (missing === -1) return undefined;
  return {
    code: 'FORBIDDEN',
    message: `your role does not include ${permissions[missing]}`,
    path: `permissions.${missing}`,
  };
}
