import { type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { createConfigurationOf, ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { type Outcome } from '../registry';
import { refused } from '../registry/access';
import { retrying } from '../store-error';
import { type ApiKeyDocument, type ApiKeyRecordDocument, apiKeysOf, rightKeyOf } from './documents';

/** Standing ones: who needs more shares one among programs that do the same, or makes them for shorter. */
export const MAXIMUM_API_KEYS = 200;
const MAXIMUM_RACES = 20;

/** The two documents of a key: its record, written with its audit event, and the key itself, which is the right. */
export interface ApiKeyRecords {
  /** Finds it where an earlier try of the same creation stands. What a broken-off try left undone is done. */
  create(scope: TenantScope, record: ApiKeyRecordDocument): Promise<Outcome<ApiKeyRecordDocument>>;
  /** Ends the key, then its record. Ending an ended one changes nothing. */
  end(
    scope: TenantScope,
    record: ApiKeyRecordDocument,
    action: 'api-key.revoke' | 'api-key.expire',
  ): Promise<Outcome<ApiKeyRecordDocument>>;
}

export function createApiKeyRecords({ cosmos }: { cosmos: Cosmos }): ApiKeyRecords {
  const records = createConfigurationOf<ApiKeyRecordDocument>({
    cosmos,
    what: 'API keys',
    maximum: MAXIMUM_API_KEYS,
  });

  async function makeKey(record: ApiKeyRecordDocument): Promise<void> {
    const key = keyOf(record);
    // One that is there stays: it may have been revoked meanwhile.
    await retrying(() => cosmos.batch('directory', key.key, [{ create: key }]));
  }

  /** Where it was never made, it is made as ended, so that no broken-off creation brings it about later. */
  async function endKey(record: ApiKeyRecordDocument): Promise<boolean> {
    const { key, id } = keyOf(record);
    for (let race = 0; race < MAXIMUM_RACES; race++) {
      const found = await cosmos.read<ApiKeyDocument>('directory', key, id);
      if (found !== null && found.endedAt !== null) return true;
      const ended = { ...(found ?? keyOf(record)), endedAt: Date.now(), ttl: ENDED_SECONDS };
      const change = found ? { replace: ended, etag: found._etag! } : { create: ended };
      if ((await retrying(() => cosmos.batch('directory', key, [change]))).ok) return true;
    }
    return false;
  }

  async function end(
    scope: TenantScope,
    found: ApiKeyRecordDocument,
    action: string,
  ): Promise<Outcome<ApiKeyRecordDocument>> {
    if (!(await endKey(found))) {
      return refused('CONFLICT', 'the key is being changed by others: try again');
    }
    return records.change(scope, found, (record, now) => {
      if (record.endedAt !== null) return { ok: true, value: null };
      const document = { ...record, endedAt: now, ttl: ENDED_SECONDS };
      return { ok: true, value: { document, audit: { action, before: wordsOf(record), after: null } } };
    });
  }

  /** Who is full may have keys that nobody has missed since they expired. */
  async function endExpired(scope: TenantScope, tenantId: string): Promise<void> {
    const expired = await cosmos.query<ApiKeyRecordDocument>(
      'directory',
      apiKeysOf(tenantId),
      "SELECT * FROM c WHERE c.kind = 'apiKeyRecord' AND c.endedAt = null AND c.expiresAt < @now",
      { now: Date.now() },
    );
    for (const each of expired) await end(scope, each, 'api-key.expire');
  }

  return {
    async create(scope, record) {
      const audit = {
        id: derivedId('aud', record.id, 'create'),
        action: 'api-key.create',
        after: wordsOf(record),
      };
      let made = await records.create(scope, record, audit);
      if (!made.ok && made.refusal.code === 'LIMIT_EXCEEDED') {
        await endExpired(scope, record.tenantId);
        made = await records.create(scope, record, audit);
      }
      if (!made.ok) return made;
      const { document } = made.value;
      if (document.endedAt === null) await makeKey(document);
      return { ok: true, value: document };
    },
    end,
  };
}

function keyOf(record: ApiKeyRecordDocument): ApiKeyDocument {
  const { id, tenantId, permissions, buildingIds, documents, createdBy, createdAt, expiresAt, hash } = record;
  const terms = { id, tenantId, permissions, buildingIds, documents, createdBy, createdAt, expiresAt, hash };
  const ttl = Math.max(1, Math.ceil((expiresAt - Date.now()) / 1_000)) + ENDED_SECONDS;
  return { ...terms, key: rightKeyOf(id), kind: 'apiKey', endedAt: null, ttl };
}

/** For the audit log. */
function wordsOf(record: ApiKeyRecordDocument): Record<string, unknown> {
  const { name, permissions, buildingIds, documents, createdBy, expiresAt } = record;
  return { name, permissions, buildingIds, documents, createdBy, expiresAt };
}
