import { readCharge, replaceCharge, SMALL_CHARGE, writeCharge } from './charges';
import {
  type Document,
  etagOf,
  expiryOf,
  isTooLarge,
  LARGEST_DOCUMENT,
  readDocument,
  storedText,
} from './document-body';
import { type KeyComponent, keyText } from './partition-key';
import { applyPatch, type PatchRequest } from './patch';
import { notFound, refusal, type Reply, unsupported } from './reply';
import { type Catalog, type Container } from './store/catalog';
import { type DocumentRow } from './store/documents';

export interface Conditions {
  ifMatch?: string;
  ifNoneMatch?: string;
}

/** One change of a container, of one document or of a batch's: everything in it shares a position and an instant. */
export interface Change {
  readonly lsn: number;
  readonly ts: number;
  /** An etag that no version of any document in this container has had. */
  etag(): string;
  /** Gives a new document its number. */
  number(): number;
}

export type Key = readonly KeyComponent[];

/** What may be done to one document. Everything but `read` runs inside a group's transaction. */
export interface Items {
  read(container: Container, key: Key, id: string, conditions: Conditions): Reply;
  create(container: Container, change: Change, key: Key | undefined, body: unknown): Reply;
  upsert(
    container: Container,
    change: Change,
    key: Key | undefined,
    body: unknown,
    conditions: Conditions,
  ): Reply;
  replace(
    container: Container,
    change: Change,
    key: Key,
    id: string,
    body: unknown,
    conditions: Conditions,
  ): Reply;
  remove(container: Container, change: Change, key: Key, id: string, conditions: Conditions): Reply;
  patch(
    container: Container,
    change: Change,
    key: Key,
    id: string,
    request: PatchRequest,
    conditions: Conditions,
  ): Reply;
  /** Begins a change of a container. Its position counts from `finish` on. */
  begin(container: Container): Change;
  finish(container: Container, change: Change): void;
  /** Deletes documents whose time is up; says how many. */
  purge(container: Container, limit: number): number;
  anyExpired(container: Container): boolean;
}

export function createItems(options: { catalog: Catalog; seconds: () => number }): Items {
  const { catalog, seconds } = options;

  function live(container: Container, pk: string, id: string): DocumentRow | undefined {
    const row = container.documents.find(pk, id);
    return row === undefined || gone(row) ? undefined : row;
  }

  /** An expired document is invisible at once, whenever it is purged. */
  function gone(row: { expires: number | null }): boolean {
    return row.expires !== null && row.expires <= seconds();
  }

  function needsOld(container: Container): boolean {
    return container.uniqueKeys.any || container.indexes.all().length > 0;
  }

  function erase(container: Container, pk: string, id: string, row: { n: number; body: string }): void {
    if (needsOld(container)) {
      const before: unknown = JSON.parse(row.body);
      container.indexes.change(pk, id, row.n, before, undefined);
      container.uniqueKeys.change(pk, row.n, before, undefined);
    }
    container.documents.remove(row.n);
  }

  /** The refusal when a unique key is taken by a document that is still there. */
  function uniqueConflict(
    container: Container,
    pk: string,
    n: number,
    document: Document,
  ): Reply | undefined {
    if (!container.uniqueKeys.any) return undefined;
    for (const holder of container.uniqueKeys.holders(pk, n, document)) {
      const row = container.documents.numbered(holder - 1, 1)[0];
      const current = row && container.documents.find(row.pk, row.id);
      if (row && current && gone(current)) erase(container, row.pk, row.id, row);
      else return refusal(409, 'Unique index constraint violation.', { charge: SMALL_CHARGE });
    }
    return undefined;
  }

  function insert(container: Container, change: Change, pk: string, id: string, document: Document): Reply {
    const n = change.number();
    const conflict = uniqueConflict(container, pk, n, document);
    if (conflict) return conflict;
    const etag = change.etag();
    const body = storedText(container, document, { n, etag, ts: change.ts });
    if (isTooLarge(body)) return tooLarge();
    const expires = expiryOf(container, document, change.ts);
    container.documents.insert({ n, pk, id, lsn: change.lsn, ts: change.ts, expires, body });
    container.indexes.change(pk, id, n, undefined, document);
    container.uniqueKeys.change(pk, n, undefined, document);
    return { status: 201, body, etag, charge: writeCharge(body.length), lsn: change.lsn };
  }

  function overwrite(
    container: Container,
    change: Change,
    pk: string,
    id: string,
    row: DocumentRow,
    document: Document,
  ): Reply {
    const conflict = uniqueConflict(container, pk, row.n, document);
    if (conflict) return conflict;
    const etag = change.etag();
    const body = storedText(container, document, { n: row.n, etag, ts: change.ts });
    if (isTooLarge(body)) return tooLarge();
    if (needsOld(container)) {
      const before: unknown = JSON.parse(row.body);
      container.indexes.change(pk, id, row.n, before, document);
      container.uniqueKeys.change(pk, row.n, before, document);
    }
    const expires = expiryOf(container, document, change.ts);
    container.documents.update({ n: row.n, lsn: change.lsn, ts: change.ts, expires, body });
    return { status: 200, body, etag, charge: replaceCharge(row.body.length, body.length), lsn: change.lsn };
  }

  const items: Items = {
    read(container, key, id, { ifNoneMatch }) {
      const row = live(container, keyText(key), id);
      if (!row) return notFound();
      const etag = etagOf(row.body);
      if (ifNoneMatch !== undefined && (ifNoneMatch === '*' || ifNoneMatch === etag)) {
        return { status: 304, etag, charge: readCharge(0), lsn: container.lsn };
      }
      return { status: 200, body: row.body, etag, charge: readCharge(row.body.length), lsn: container.lsn };
    },

    create(container, change, key, input) {
      const read = readDocument(container, input, key);
      if ('status' in read) return read;
      const { document, id, pk } = read;
      const row = container.documents.find(pk, id);
      if (row && !gone(row)) {
        return refusal(409, 'Entity with the specified id already exists in the system.', {
          charge: SMALL_CHARGE,
        });
      }
      if (row) erase(container, pk, id, row);
      return insert(container, change, pk, id, document);
    },

    upsert(container, change, key, input, conditions) {
      if (conditions.ifNoneMatch !== undefined) return unsupported('If-None-Match on a write');
      const read = readDocument(container, input, key);
      if ('status' in read) return read;
      const { document, id, pk } = read;
      const row = container.documents.find(pk, id);
      if (row && !gone(row)) {
        return mismatch(row, conditions) ?? overwrite(container, change, pk, id, row, document);
      }
      if (row) erase(container, pk, id, row);
      return insert(container, change, pk, id, document);
    },

    replace(container, change, key, id, input, conditions) {
      if (conditions.ifNoneMatch !== undefined) return unsupported('If-None-Match on a write');
      const read = readDocument(container, input, key);
      if ('status' in read) return read;
      const row = live(container, read.pk, id);
      if (!row) return notFound();
      const refused = mismatch(row, conditions);
      if (refused) return refused;
      // A replace may give the document another id, where that is free.
      if (read.id !== id) {
        const taken = container.documents.find(read.pk, read.id);
        if (taken && !gone(taken)) {
          return refusal(409, 'Entity with the specified id already exists in the system.', {
            charge: SMALL_CHARGE,
          });
        }
        return unsupported('A replace that changes the id');
      }
      return overwrite(container, change, read.pk, id, row, read.document);
    },

    remove(container, change, key, id, conditions) {
      const pk = keyText(key);
      const row = live(container, pk, id);
      if (!row) return notFound();
      const refused = mismatch(row, conditions);
      if (refused) return refused;
      erase(container, pk, id, row);
      return { status: 204, charge: writeCharge(row.body.length), lsn: change.lsn };
    },

    patch(container, change, key, id, request, conditions) {
      const pk = keyText(key);
      const row = live(container, pk, id);
      if (!row) return notFound();
      const refused = mismatch(row, conditions);
      if (refused) return refused;
      const patched = applyPatch(JSON.parse(row.body) as Document, request);
      if ('status' in patched) return patched;
      const read = readDocument(container, patched.document, undefined);
      if ('status' in read) return read;
      if (read.id !== id || read.pk !== pk) {
        return refusal(400, 'A patch cannot change the id or the partition key of a document.');
      }
      return overwrite(container, change, pk, id, row, read.document);
    },

    begin(container) {
      const lsn = container.lsn + 1;
      const ts = seconds();
      const head = `"${lsn.toString(16).padStart(8, '0')}-0000-0100-0000-`;
      const tail = `${ts.toString(16).padStart(8, '0').slice(-8)}"`;
      let versions = 0;
      let last = container.lastNumber;
      return {
        lsn,
        ts,
        etag: () => `${head}${(versions++).toString(16).padStart(4, '0')}${tail}`,
        number() {
          last += 1;
          // Numbers may be skipped by a refused create, never given twice.
          container.lastNumber = last;
          return last;
        },
      };
    },

    finish(container, change) {
      container.lsn = change.lsn;
      catalog.touched(container);
    },

    anyExpired: (container) => container.documents.expired(seconds(), 1).length > 0,
    purge(container, limit) {
      const rows = container.documents.expired(seconds(), limit);
      for (const row of rows) erase(container, row.pk, row.id, row);
      return rows.length;
    },
  };
  return items;
}

/** 412 when the document's version is not the one that the caller saw. */
function mismatch(row: DocumentRow, { ifMatch }: Conditions): Reply | undefined {
  if (ifMatch === undefined || ifMatch === '*' || ifMatch === etagOf(row.body)) return undefined;
  return refusal(412, 'Operation cannot be performed because one of the specified precondition is not met.', {
    charge: SMALL_CHARGE,
  });
}

function tooLarge(): Reply {
  return refusal(413, `Request size is too large: a document has at most ${LARGEST_DOCUMENT} bytes.`);
}
