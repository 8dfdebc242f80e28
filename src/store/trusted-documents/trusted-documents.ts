import { allows, type TenantScope } from '../../auth/scope';
import { documentIdOf, isDocumentId } from '../../domain/document-id';
import { derivedId } from '../../domain/id';
import { BEFORE_NAMES, type ConfigurationAudit, configurationAuditKey } from '../alerts/configuration';
import { type Change, type Cosmos } from '../cosmos';
import { type Outcome, type Page, type Refusal } from '../registry';
import { notFound, refused } from '../registry/access';
import { auditOf } from '../registry/audit';
import { attemptOf, claim } from '../registry/idempotency';
import { pageOf, sortKeyAfter } from '../registry/position';
import { keyReused } from '../registry/shown-once';
import { keyProblem, nameProblem } from '../registry/validation';
import { retrying } from '../store-error';
import {
  type TrustedDocumentCount,
  type TrustedDocumentDocument,
  trustedDocumentsOf,
  trustedDocumentSortKey,
} from './documents';

export interface NewTrustedDocument {
  documentId: string;
  text: string;
}

/**
 * The documents that a tenant's clients were built with, by their ids. To register one gives nobody a right: what it
 * answers follows from who asks.
 */
export interface TrustedDocuments {
  /**
   * All or, where the input is refused, none; one that is there is the client's too from then on. May be repeated. The
   * texts must have been found to be valid. In the order of the input.
   */
  registerDocuments(
    scope: TenantScope,
    input: { tenantId: string; client: string; documents: readonly NewTrustedDocument[] },
    idempotencyKey: string,
  ): Promise<Outcome<TrustedDocumentDocument[]>>;
  /**
   * They are the client's no more; one that is no client's is deleted. One that is not the client's is no matter.
   * @returns the ids of those that were.
   */
  retireDocuments(
    scope: TenantScope,
    input: { tenantId: string; client: string; documentIds: readonly string[] },
  ): Promise<Outcome<string[]>>;
  /** Whether the scope may register documents there, in the words in which it would be refused. */
  documentsProblem(
    scope: TenantScope,
    input: { tenantId: string; client: string; documents: readonly NewTrustedDocument[] },
  ): Refusal | undefined;
  /** Oldest first; all of the tenant's where no client is named. */
  trustedDocuments(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null; client: string | null },
  ): Promise<Page<TrustedDocumentDocument>>;
  /**
   * The text of a document of one of the tenants, in their order null where that one has none. No scope is asked for: the
   * tenants are the caller's own, and to know a text gives nothing.
   */
  trustedTexts(tenantIds: readonly string[], documentId: string): Promise<(string | null)[]>;
}

/** Of a tenant, whatever the client. */
export const MAXIMUM_TRUSTED_DOCUMENTS = 5_000;
/** Of one call. */
export const MAXIMUM_REGISTERED = 500;
/** Of one call, all texts together, in UTF-8. */
const MAXIMUM_TEXT_BYTES = 1024 * 1024;
/** Of one document: so many clients have it at most. */
const MAXIMUM_CLIENTS = 50;
/** Changes of a batch, less the audit event and the count. */
const AT_ONCE = 90;
const MAXIMUM_RACES = 50;

export function createTrustedDocuments({
  cosmos,
  maximum = MAXIMUM_TRUSTED_DOCUMENTS,
}: {
  cosmos: Cosmos;
  maximum?: number;
}): TrustedDocuments {
  const readAll = (tenantId: string, ids: readonly string[]): Promise<(TrustedDocumentDocument | null)[]> =>
    cosmos.readMany<TrustedDocumentDocument>(
      'directory',
      ids.map((id) => ({ partition: trustedDocumentsOf(tenantId), id })),
    );

  function counted(tenantId: string, count: TrustedDocumentCount | null, by: number): Change | 'full' | null {
    if (by === 0) return null;
    const number = Math.max(0, (count?.number ?? 0) + by);
    if (by > 0 && number > maximum) return 'full';
    const key = trustedDocumentsOf(tenantId);
    const next: TrustedDocumentCount = { id: 'count', key, kind: 'count', tenantId, number };
    return count ? { replace: next, etag: count._etag! } : { create: next };
  }

  /**
   * Brings some documents to where `next` says they belong (undefined: as they are; null: gone), in batches with the count.
   * The audit event, where none of that id is there yet, is in the first batch; without any change none is written.
   */
  async function bring(
    tenantId: string,
    ids: readonly string[],
    next: (
      id: string,
      found: TrustedDocumentDocument | null,
    ) => TrustedDocumentDocument | null | undefined | Refusal,
    auditId: string,
    event: () => ConfigurationAudit,
  ): Promise<Outcome<null>> {
    const key = trustedDocumentsOf(tenantId);
    let told = false;
    for (let start = 0; start < ids.length; start += AT_ONCE) {
      const some = ids.slice(start, start + AT_ONCE);
      for (let race = 0; ; race++) {
        if (race === MAXIMUM_RACES) {
          return refused('CONFLICT', 'documents of this tenant are being changed by others: try again');
        }
        const outcome = await retrying(async (): Promise<Outcome<null> | undefined> => {
          // Before the documents: one that another call creates in between is then in the count of nobody, and its batch
          // has changed the count, so that ours is refused and tried again.
          const count = await cosmos.read<TrustedDocumentCount>('directory', key, 'count');
          const found = await readAll(tenantId, some);
          const changes: Change[] = [];
          let by = 0;
          for (const [index, id] of some.entries()) {
            const before = found[index] ?? null;
            const wanted = next(id, before);
            if (wanted === undefined) continue;
            if (wanted !== null && 'code' in wanted) return { ok: false, refusal: wanted };
            if (wanted === null) {
              changes.push({ remove: id, etag: before!._etag! });
              by--;
            } else if (before === null) {
              changes.push({ create: wanted });
              by++;
            } else changes.push({ replace: wanted, etag: before._etag! });
          }
          if (changes.length === 0) return { ok: true, value: null };
          told ||= (await cosmos.read('directory', key, auditId)) !== null;
          if (!told) changes.push({ create: event() });
          const change = counted(tenantId, count, by);
          if (change === 'full') {
            return refused('LIMIT_EXCEEDED', `a tenant may have ${maximum} documents: retire some first`);
          }
          if (change !== null) changes.push(change);
          const { ok } = await cosmos.batch('directory', key, changes);
          return ok ? { ok: true, value: null } : undefined;
        });
        if (outcome === undefined) continue;
        if (!outcome.ok) return outcome;
        break;
      }
    }
    return { ok: true, value: null };
  }

  const auditIn = (
    scope: TenantScope,
    tenantId: string,
    told: Pick<ConfigurationAudit, 'id' | 'action' | 'subject' | 'before' | 'after'>,
  ): ConfigurationAudit => {
    const key = trustedDocumentsOf(tenantId);
    const event = auditOf(scope, { buildingId: key, tenantId, at: Date.now(), ...told });
    return { ...event, key, sortKey: configurationAuditKey(event.auditKey!) };
  };

  const documentsProblem: TrustedDocuments['documentsProblem'] = (scope, { tenantId, client, documents }) =>
    rightProblem(scope, tenantId) ?? nameProblem('client', client) ?? textsProblem(documents);

  return {
    documentsProblem,

    async registerDocuments(scope, input, idempotencyKey) {
      const problem = documentsProblem(scope, input) ?? keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      const { tenantId, client, documents } = input;
      const texts = new Map(documents.map(({ documentId, text }) => [documentId, text]));
      const ids = [...texts.keys()];
      const attempt = attemptOf(scope, tenantId, 'registerDocuments', idempotencyKey, [client, ids]);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) return keyReused();
      const key = trustedDocumentsOf(tenantId);
      const next = (id: string, found: TrustedDocumentDocument | null) => {
        if (found?.clients.includes(client)) return undefined;
        if (found === null) {
          return {
            id,
            key,
            kind: 'trustedDocument' as const,
            tenantId,
            text: texts.get(id)!,
            clients: [client],
            registeredAt: claimed.claimedAt,
            registeredBy: scope.principal.id,
            sortKey: trustedDocumentSortKey(claimed.claimedAt, id),
          };
        }
        if (found.clients.length < MAXIMUM_CLIENTS) {
          return { ...found, clients: [...found.clients, client].sort() };
        }
        const message = `${id} is registered for ${MAXIMUM_CLIENTS} clients: retire it for one`;
        return { code: 'LIMIT_EXCEEDED' as const, message };
      };
      const auditId = derivedId('aud', attempt.hash, String(claimed.claimedAt));
      const outcome = await bring(tenantId, ids, next, auditId, () =>
        auditIn(scope, tenantId, {
          id: auditId,
          action: 'document.register',
          subject: client,
          before: null,
          after: { client, documents: ids },
        }),
      );
      if (!outcome.ok) return outcome;
      const stored = await readAll(tenantId, ids);
      const found = new Map(stored.flatMap((each) => (each ? [[each.id, each] as const] : [])));
      // One that was retired meanwhile by another call is gone again.
      return { ok: true, value: documents.flatMap(({ documentId }) => found.get(documentId) ?? []) };
    },

    async retireDocuments(scope, { tenantId, client, documentIds }) {
      const problem =
        rightProblem(scope, tenantId) ?? nameProblem('client', client) ?? idsProblem(documentIds);
      if (problem) return { ok: false, refusal: problem };
      const ids = [...new Set(documentIds)];
      const gone = new Set<string>();
      const next = (id: string, found: TrustedDocumentDocument | null) => {
        if (!found?.clients.includes(client)) return undefined;
        gone.add(id);
        const clients = found.clients.filter((each) => each !== client);
        return clients.length === 0 ? null : { ...found, clients };
      };
      const auditId = derivedId('aud', tenantId, client, scope.principal.id, String(Date.now()), ...ids);
      const outcome = await bring(tenantId, ids, next, auditId, () =>
        auditIn(scope, tenantId, {
          id: auditId,
          action: 'document.retire',
          subject: client,
          before: { client, documents: ids },
          after: null,
        }),
      );
      return outcome.ok ? { ok: true, value: documentIds.filter((id) => gone.has(id)) } : outcome;
    },

    async trustedDocuments(scope, tenantId, { first, after, client }) {
      const found = allows(scope, 'document.manage', { tenantId })
        ? await cosmos.query<TrustedDocumentDocument>(
            'directory',
            trustedDocumentsOf(tenantId),
            `SELECT * FROM c WHERE c.kind = 'trustedDocument' AND c.sortKey > @position${
              client === null ? '' : ' AND ARRAY_CONTAINS(c.clients, @client)'
            } ORDER BY c.sortKey`,
            { position: sortKeyAfter(after) || BEFORE_NAMES, ...(client !== null && { client }) },
            { limit: first + 1 },
          )
        : [];
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

    async trustedTexts(tenantIds, documentId) {
      const found = await cosmos.readMany<TrustedDocumentDocument>(
        'directory',
        tenantIds.map((tenantId) => ({ partition: trustedDocumentsOf(tenantId), id: documentId })),
      );
      return found.map((each) => (each?.kind === 'trustedDocument' ? each.text : null));
    },
  };
}

function rightProblem(scope: TenantScope, tenantId: string): Refusal | undefined {
  const why = allows(scope, 'document.manage', { tenantId })
    ? undefined
    : allows(scope, 'tenant.read', { tenantId })
      ? refused<never>('FORBIDDEN', 'your role may not register documents here')
      : notFound<never>('tenant', tenantId, 'tenantId');
  return why === undefined || why.ok ? undefined : why.refusal;
}

function textsProblem(documents: readonly NewTrustedDocument[]): Refusal | undefined {
  const few = lengthProblem('documents', documents.length);
  if (few) return few;
  let bytes = 0;
  for (const [index, { documentId, text }] of documents.entries()) {
    bytes += Buffer.byteLength(text);
    if (documentId === documentIdOf(text)) continue;
    const path = `documents.${index}.documentId`;
    const message = `${path} is not 'sha256:' and the SHA-256 of its text in lower-case hex digits`;
    return { code: 'INVALID_INPUT', message, path };
  }
  if (bytes <= MAXIMUM_TEXT_BYTES) return undefined;
  const message = `documents have ${bytes} bytes together and may have ${MAXIMUM_TEXT_BYTES} a call`;
  return { code: 'LIMIT_EXCEEDED', message, path: 'documents' };
}

function idsProblem(ids: readonly string[]): Refusal | undefined {
  const few = lengthProblem('documentIds', ids.length);
  if (few) return few;
  const wrong = ids.findIndex((each) => !isDocumentId(each));
  if (wrong === -1) return undefined;
  const path = `documentIds.${wrong}`;
  return { code: 'INVALID_INPUT', message: `${path} is no document's id: 'sha256:' and 64 hex digits`, path };
}

function lengthProblem(path: string, count: number): Refusal | undefined {
  if (count > 0 && count <= MAXIMUM_REGISTERED) return undefined;
  const message = `${path} has ${count} entries and may have 1 to ${MAXIMUM_REGISTERED}`;
  return { code: count === 0 ? 'INVALID_INPUT' : 'LIMIT_EXCEEDED', message, path };
}
