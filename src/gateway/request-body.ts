import { type IncomingMessage } from 'node:http';

/**
 * Reads a request's body whole.
 * @param held told of every byte that is kept, as it arrives, so that slow senders count against the bounds too; false
 *   where no more may be kept.
 * @returns 'too-large' as soon as it passes the limit, 'no-room' where `held` said so, 'aborted' when the connection ends
 *   first.
 */
export function readBody(
  request: IncomingMessage,
  maximumBytes: number,
  held: (bytes: number) => boolean,
): Promise<Buffer | 'too-large' | 'no-room' | 'aborted'> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let further: Buffer[] | undefined;
    let bytes = 0;
    let over = false;
    const give = (reason: 'too-large' | 'no-room'): void => {
      over = true;
      first = further = undefined;
      resolve(reason);
    };
    request.on('data', (chunk: Buffer) => {
      if (over) return;
      bytes += chunk.length;
      if (bytes > maximumBytes) return give('too-large');
      if (!held(chunk.length)) return give('no-room');
      // A message fits into one chunk nearly always: then nothing is copied.
      if (first === undefined) first = chunk;
      else (further ??= [first]).push(chunk);
    });
    request.on('end', () => resolve(further ? Buffer.concat(further, bytes) : (first ?? Buffer.alloc(0))));
    request.on('error', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
