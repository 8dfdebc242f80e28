import { createHash } from 'node:crypto';

/**
 * Names a GraphQL document by its exact text: `sha256:` and the SHA-256 of its UTF-8 as 64 lower-case hex digits (GraphQL
 * over HTTP, appendix A, persisted documents).
 */
export function documentIdOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

const DOCUMENT_ID = /^sha256:[0-9a-f]{64}$/;

export function isDocumentId(id: string): boolean {
  return DOCUMENT_ID.test(id);
}
