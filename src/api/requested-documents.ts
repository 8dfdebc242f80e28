import { type Principal, type TenantScope } from '../auth/scope';
import { documentIdOf, isDocumentId } from '../domain/document-id';
import { clientError } from '../resolvers/errors';
import { type TrustedDocuments } from '../store/trusted-documents/trusted-documents';
import { payerOf, takeCost } from './cost';
import { type ApiMeters } from './meters';
import { type Throttle } from './throttle';

/** What a request says of its document, as it came: the parts are not checked. */
export interface DocumentRequest {
  query?: unknown;
  documentId?: unknown;
}

export interface FoundDocument {
  source: string;
  /** It is registered, and was found to be valid then: nothing is paid for its text. */
  trusted: boolean;
}

/** Finds the document that a request is about: the text that it sends, or the one that is registered by its id. */
export interface RequestedDocuments {
  /**
   * @returns undefined where the request names no document in a way that could be one: whoever answers it says so.
   * @throws BAD_REQUEST, DOCUMENT_NOT_ALLOWED, DOCUMENT_NOT_FOUND, RATE_LIMITED. Rejects where the store is away.
   */
  find(scope: TenantScope, request: DocumentRequest): Promise<FoundDocument | undefined>;
  /** What was answered of these is not believed any more. */
  forget(tenantId: string, documentIds: readonly string[]): void;
}

/** A text takes about as many bytes. Of parsed documents there are fewer: see `createDocumentCache`. */
const MAXIMUM_CHARACTERS = 5_000_000;
/** What an entry takes beside its text. */
const OF_ENTRY = 250;
/** How long a text may be answered after it was retired. A text itself never changes. */
const BELIEVED_MS = 60_000;
/** How long an id is not looked for again that was not there. */
const MISSED_MS = 2_000;
/** Of the tenants that somebody belongs to. */
const MAXIMUM_TENANTS = 10;

interface Entry {
  /** Null where there is none. */
  text: string | null;
  until: number;
  characters: number;
}

export function createRequestedDocuments({
  store,
  throttle,
  meters,
  maximumCharacters = MAXIMUM_CHARACTERS,
  now = Date.now,
}: {
  store: Pick<TrustedDocuments, 'trustedTexts'>;
  throttle: Throttle;
  meters: Pick<ApiMeters, 'documents'>;
  maximumCharacters?: number;
  now?: () => number;
}): RequestedDocuments & { characters(): number } {
  /** By tenant and id; the oldest first. */
  const entries = new Map<string, Entry>();
  let held = 0;

  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    held -= entry.characters;
    entries.delete(key);
  };
  const keep = (key: string, text: string | null): void => {
    remove(key);
    const characters = OF_ENTRY + (text?.length ?? 0);
    entries.set(key, { text, until: now() + (text === null ? MISSED_MS : BELIEVED_MS), characters });
    held += characters;
    for (const oldest of entries.keys()) {
      if (held <= maximumCharacters) break;
      remove(oldest);
    }
  };

  /** Looks in the caller's own tenants alone: what is registered elsewhere is as what is registered nowhere. */
  async function registered(scope: TenantScope, id: string): Promise<string | null> {
    const payer = payerOf(scope);
    const missing: string[] = [];
    for (const tenantId of payer.tenants.slice(0, MAXIMUM_TENANTS)) {
      const entry = entries.get(`${tenantId} ${id}`);
      if (entry === undefined || entry.until <= now()) missing.push(tenantId);
      else if (entry.text !== null) return entry.text;
    }
    if (missing.length === 0) return null;
    // So that a flood of made-up ids is paid for.
    takeCost(throttle, payer, missing.length);
    const texts = await store.trustedTexts(missing, id);
    missing.forEach((tenantId, index) => keep(`${tenantId} ${id}`, texts[index] ?? null));
    return texts.find((each) => each !== null) ?? null;
  }

  return {
    characters: () => held,

    async find(scope, { query, documentId }) {
      const source = typeof query === 'string' && query !== '' ? query : undefined;
      if (documentId == null) {
        if (source === undefined) return undefined;
        if (isLocked(scope.principal)) checkAllowed(scope.principal, documentIdOf(source));
        meters.documents.inc({ sent: 'text' });
        return { source, trusted: false };
      }
      if (typeof documentId !== 'string' || !isDocumentId(documentId)) {
        throw clientError(
          'BAD_REQUEST',
          "documentId must be 'sha256:' and 64 hex digits in lower case, once",
        );
      }
      if (query !== undefined && query !== null && query !== '' && source === undefined) return undefined;
      if (source !== undefined && documentId !== documentIdOf(source)) {
        throw clientError('BAD_REQUEST', 'documentId is not that of the query: send one of the two');
      }
      checkAllowed(scope.principal, documentId);
      if (source !== undefined) {
        meters.documents.inc({ sent: 'text' });
        return { source, trusted: false };
      }
      const text = await registered(scope, documentId);
      meters.documents.inc({ sent: text === null ? 'unknown' : 'id' });
      if (text !== null) return { source: text, trusted: true };
      throw clientError(
        'DOCUMENT_NOT_FOUND',
        'no document of this documentId is registered with a tenant of yours: send its text as query',
      );
    },

    forget(tenantId, ids) {
      for (const id of ids) remove(`${tenantId} ${id}`);
    },
  };
}

/** The documents that a key is locked to; null for who may send any. */
function lockOf(principal: Principal): readonly string[] | null {
  return principal.kind === 'key' ? principal.documents : null;
}

/** Whether somebody may execute certain documents only, so that each must be looked at. */
export function isLocked(principal: Principal): boolean {
  return lockOf(principal) !== null;
}

/** Whether somebody may execute the document of this id, whichever way it is sent. */
export function mayExecute(principal: Principal, documentId: string): boolean {
  return lockOf(principal)?.includes(documentId) ?? true;
}

/** @throws DOCUMENT_NOT_ALLOWED. */
export function checkAllowed(principal: Principal, documentId: string): void {
  if (mayExecute(principal, documentId)) return;
  throw clientError('DOCUMENT_NOT_ALLOWED', 'this key may not execute this document');
}
