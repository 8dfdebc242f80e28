import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../src/observability/operator-error';
import { RegisterDocumentsDocument } from './generated/graphql';
import { type Session } from './session';

/** The name under which our own typed client's documents are registered. */
const CLIENT = 'atrium-simulator';

/**
 * Registers the documents that our own client was built with, so that it names them in place of sending them. May be
 * repeated: a build that was registered stays as it is.
 * @throws OperatorError where the API refuses.
 */
export async function registerOwnDocuments({ client, tenantId }: Session): Promise<void> {
  const texts = JSON.parse(readFileSync(documentsPath(), 'utf8')) as Record<string, string>;
  const documents = Object.entries(texts).map(([documentId, text]) => ({ documentId, text }));
  const build = createHash('sha256').update(Object.keys(texts).sort().join()).digest('base64url');
  const { registerDocuments } = await client.execute(RegisterDocumentsDocument, {
    input: { tenantId, client: CLIENT, documents, idempotencyKey: `build ${build}` },
  });
  if (registerDocuments.__typename === 'RegisterDocumentsSuccess') return;
  const { code, message } = registerDocuments;
  throw new OperatorError(`the documents of ${CLIENT} were refused (${code}): ${message}`);
}

/** What `npm run codegen` wrote, found upward from this file, so that sources and builds share it. */
function documentsPath(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'simulator', 'generated', 'persisted-documents.json');
    if (existsSync(path)) return path;
    if (dirname(folder) === folder)
      throw new Error('simulator/generated/persisted-documents.json is missing');
  }
}
