import { type ContainerClient, RestError } from '@azure/storage-blob';
import { headPath } from './curated-path';

/**
 * The guarded head of a partition's landing: where the landing files still begin. It moves under its etag, only forward
 * and only along ends of landing files, and before any file that lies behind it is removed. So a writer that starts or
 * goes on from an old place learns that what it finds missing there was not never written: it goes on behind the head,
 * and takes back a file that it created before it learned.
 */
export interface Head {
  /** Sequence of the last event before the head; files that begin at or before it are none of the chain. */
  sequence: number;
  /** Where everything was curated to at some instants (ms since 1970), oldest first: a head of later. */
  curated: { sequence: number; at: number }[];
}

export interface Heads {
  /** Null while no file was removed and none is to be. */
  read(place: StreamPlace): Promise<{ head: Head; etag: string } | null>;
  /** The last sequence before the head; -1 while there is none. For those who write. */
  sequence(place: StreamPlace, signal?: AbortSignal): Promise<number>;
  /** @returns false where another has written since: nothing is written then. */
  write(place: StreamPlace, head: Head, etag: string | null): Promise<boolean>;
}

interface StreamPlace {
  incarnation: string;
  partition: number;
}

const TIMEOUT_MS = 30_000;

export function createHeads(container: ContainerClient): Heads {
  const read = async (place: StreamPlace, signal?: AbortSignal): ReturnType<Heads['read']> => {
    const abortSignal = signal ?? AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await container.getBlobClient(headPath(place)).download(undefined, undefined, {
        abortSignal,
      });
      const chunks: Buffer[] = [];
      for await (const chunk of answer.readableStreamBody!) chunks.push(chunk as Buffer);
      const head = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Head;
      if (!Number.isSafeInteger(head.sequence)) throw new Error(`${headPath(place)} holds no head`);
      return { head, etag: answer.etag! };
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return null;
      throw error;
    }
  };
  return {
    read: (place) => read(place),
    sequence: async (place, signal) => (await read(place, signal))?.head.sequence ?? -1,
    async write(place, head, etag) {
      const body = Buffer.from(JSON.stringify(head));
      try {
        await container.getBlockBlobClient(headPath(place)).upload(body, body.length, {
          abortSignal: AbortSignal.timeout(TIMEOUT_MS),
          blobHTTPHeaders: { blobContentType: 'application/json' },
          conditions: etag === null ? { ifNoneMatch: '*' } : { ifMatch: etag },
        });
        return true;
      } catch (error) {
        if (error instanceof RestError && (error.statusCode === 409 || error.statusCode === 412))
          return false;
        throw error;
      }
    },
  };
}
