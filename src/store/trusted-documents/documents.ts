/**
 * In `directory`, key `trustedDocumentsOf(tenantId)`, id the document's, which follows from its text: so a text is never
 * changed. Deleted when no client has it any more.
 */
export interface TrustedDocumentDocument {
  /** `sha256:...`, see `documentIdOf`. */
  id: string;
  key: string;
  kind: 'trustedDocument';
  tenantId: string;
  text: string;
  /** Sorted. Never empty. */
  clients: string[];
  /** When and by whom (a principal's id) it was first registered. */
  registeredAt: number;
  registeredBy: string;
  /** `registeredAt` padded, then id: the order of listings, behind the audit events of the same partition. */
  sortKey: string;
  _etag?: string;
}

/** How many there are, written with each creation and deletion: so no two calls that race exceed the limit. */
export interface TrustedDocumentCount {
  id: 'count';
  key: string;
  kind: 'count';
  tenantId: string;
  number: number;
  _etag?: string;
}

export function trustedDocumentsOf(tenantId: string): string {
  return `documents:${tenantId}`;
}

export function trustedDocumentSortKey(registeredAt: number, id: string): string {
  return `${String(registeredAt).padStart(15, '0')}\n${id}`;
}
