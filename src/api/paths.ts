import { type FastifyRequest } from 'fastify';
import { EXPORTS_PATH } from './export-downloads';

export const PATH = '/graphql';
export const STREAM_PATH = '/graphql/stream';

/** A person who opens the address in a browser; a program asks for JSON. */
export function wantsPage(request: FastifyRequest): boolean {
  return (
    request.method === 'GET' &&
    !request.url.startsWith(STREAM_PATH) &&
    !request.url.startsWith(EXPORTS_PATH) &&
    !namesDocument(request.query as Record<string, unknown>) &&
    (request.headers.accept ?? '').includes('text/html')
  );
}

function namesDocument({ query, documentId }: Record<string, unknown>): boolean {
  return Boolean(query) || Boolean(documentId);
}
