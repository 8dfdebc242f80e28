import { isTtl, resourceIdProblem } from './container-definition';
import { type KeyComponent, keyText } from './partition-key';
import { type Reply, refusal } from './reply';
import { type Container } from './store/catalog';

export type Document = Record<string, unknown>;

/** The largest document that Azure stores, in bytes of its JSON. */
export const LARGEST_DOCUMENT = 2 * 1024 * 1024;
/** The longest text in a partition key, in bytes. */
const LONGEST_KEY = 2048;

/** Whether a stored text is more than Azure stores. Counts bytes only where the characters leave a doubt. */
export function isTooLarge(text: string): boolean {
  return text.length * 3 > LARGEST_DOCUMENT && Buffer.byteLength(text) > LARGEST_DOCUMENT;
}

/** Cosmos's own properties: what a client sends in them is not kept. */
const OWN = ['_rid', '_self', '_etag', '_attachments', '_ts', '_lsn'] as const;

/** A document as it came in, checked, or the refusal. */
export function readDocument(
  container: Container,
  input: unknown,
  key: readonly KeyComponent[] | undefined,
): { document: Document; id: string; pk: string } | Reply {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return refusal(400, 'The input content is invalid: the document is not a JSON object.');
  }
  const document = input as Document;
  const idProblem = resourceIdProblem(document.id, 'document');
  if (idProblem) return refusal(400, idProblem);
  if (document.ttl !== undefined && document.ttl !== null && !isTtl(document.ttl)) {
    return refusal(
      400,
      `The input ttl '${String(document.ttl)}' is invalid. Ensure to provide a nonzero positive integer or -1.`,
    );
  }
  const own = container.keyOf(document);
  if ('problem' in own) return refusal(400, own.problem);
  if (own.some((each) => typeof each === 'string' && Buffer.byteLength(each) > LONGEST_KEY)) {
    return refusal(400, `A partition key value is longer than ${LONGEST_KEY} bytes.`);
  }
  const pk = keyText(own);
  if (key !== undefined && keyText(key) !== pk) {
    return refusal(
      400,
      "PartitionKey extracted from document doesn't match the one specified in the header.",
      { substatus: 1001 },
    );
  }
  for (const name of OWN) if (name in document) delete document[name];
  return { document, id: document.id as string, pk };
}

/** The stored text of a document: its own properties, then Cosmos's. */
export function storedText(
  container: Container,
  document: Document,
  at: { n: number; etag: string; ts: number },
): string {
  const text = JSON.stringify(document);
  const rid = container.ridOf(at.n);
  return (
    `${text.slice(0, -1)},"_rid":"${rid}","_self":"dbs/${container.database.rid}/colls/${container.rid}/docs/${rid}/",` +
    `"_etag":${JSON.stringify(at.etag)},"_attachments":"attachments/","_ts":${at.ts}}`
  );
}

/** The etag in a stored text, quotes and all, without parsing the text. */
export function etagOf(body: string): string {
  const start = body.lastIndexOf('"_etag":"\\"') + 9;
  return `"${body.slice(start + 2, body.indexOf('\\"', start + 2))}"`;
}

/** The second from which a document is gone, or null (https://learn.microsoft.com/azure/cosmos-db/time-to-live). */
export function expiryOf(container: Container, document: Document, ts: number): number | null {
  const standard = container.definition.defaultTtl;
  if (standard === undefined) return null;
  const ttl = isTtl(document.ttl) ? document.ttl : standard;
  return ttl === -1 ? null : ts + ttl;
}
