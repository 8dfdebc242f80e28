import { type IncomingMessage } from 'node:http';
import { refusal, type Reply } from './reply';
import { unstorable } from './unstorable';

/** The largest body that is read: the largest document, with room for an encoding that is longer than what is stored. */
const LARGEST_BODY = 4 * 1024 * 1024;
/** The largest transactional batch (https://learn.microsoft.com/azure/cosmos-db/nosql/transactional-batch#limitations). */
export const LARGEST_BATCH = 2 * 1024 * 1024;

/** Resolves with the body's text, or `undefined` when it has more than `most` bytes. */
export function readBody(request: IncomingMessage, most = LARGEST_BODY): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // What is beyond is read and dropped, so that the refusal reaches the client.
      if (bytes <= most) chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes > most) resolve(undefined);
      else
        resolve(chunks.length === 1 ? chunks[0]!.toString('utf8') : Buffer.concat(chunks).toString('utf8'));
    });
    request.on('error', reject);
    request.on('aborted', () => reject(new Error('the client went away')));
  });
}

export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Whether a header says true, in any case. */
export function isTrue(request: IncomingMessage, name: string): boolean {
  return header(request, name)?.toLowerCase() === 'true';
}

/** The body's JSON, or the refusal. */
export async function jsonBody(
  request: IncomingMessage,
  most = LARGEST_BODY,
): Promise<{ value: unknown } | Reply> {
  const text = await readBody(request, most);
  if (text === undefined) return refusal(413, 'Request size is too large.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refusal(400, 'The request body is not JSON.');
  }
  const problem = unstorable(text, value);
  return problem === undefined ? { value } : refusal(400, problem);
}

/** A reply that needs no body: what was sent is read and dropped. */
export function drained(request: IncomingMessage, reply: () => Reply): Reply {
  request.resume();
  return reply();
}

export function notAllowed(method: string): Reply {
  return refusal(405, `The method ${method} is not allowed on this resource.`);
}
