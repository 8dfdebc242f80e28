import { type IncomingMessage } from 'node:http';
import { refusal, type Reply } from './reply';
import { unstorable } from './unstorable';

/** The largest body that is read: a batch of documents of the largest size is refused by Azure at 2 MB in all. */
export const LARGEST_BODY = 4 * 1024 * 1024;

/** Resolves with the body's text, or `undefined` when it is longer than may be read. */
export function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // What is beyond is read and dropped, so that the refusal reaches the client.
      if (bytes <= LARGEST_BODY) chunks.push(chunk);
    });
    request.on('end', () => {
      if (bytes > LARGEST_BODY) resolve(undefined);
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
export async function jsonBody(request: IncomingMessage): Promise<{ value: unknown } | Reply> {
  const text = await readBody(request);
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
