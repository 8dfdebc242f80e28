import { type IncomingMessage } from 'node:http';

/**
 * Reads a request's body whole.
 * @param held told of every byte that is kept, as it arrives, so that slow senders count against the bounds too.
 * @returns 'too-large' as soon as it passes the limit, 'aborted' when the connection ends first.
 */
export function readBody(
  request: IncomingMessage,
  maximumBytes: number,
  held: (bytes: number) => void,
): Promise<Buffer | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let further: Buffer[] | undefined;
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maximumBytes) {
        resolve('too-large');
        further = undefined;
        return;
      }
      held(chunk.length);
      // A message fits into one chunk nearly always: then nothing is copied.
      if (first === undefined) first = chunk;
      else (further ??= [first]).push(chunk);
    });
    request.on('end', () => resolve(further ? Buffer.concat(further, bytes) : (first ?? Buffer.alloc(0))));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
