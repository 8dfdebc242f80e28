import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerClient, RestError } from '@azure/storage-blob';
import { inParallel } from '../store/in-parallel';

/** A blob as a listing or a manifest tells of it. */
export interface BlobFile {
  /** In the cold store's container. */
  name: string;
  etag: string;
  bytes: number;
}

/** Local copies of blobs that stay until they are let go. */
export interface HeldFiles {
  /** In the order asked for. */
  paths: string[];
  release(): void;
}

/**
 * Blobs of the cold store on the local disk, by name and etag, at most so many bytes of them; those least lately asked
 * for go first. A blob is downloaded once however many ask for it at the same time.
 */
export interface BlobCache {
  /** Makes the folder, takes over what an earlier life left whole and removes what it left broken off. */
  start(): Promise<void>;
  /**
   * Throws BlobGone where a blob is no longer there or is another by now, TooManyBytes where the files together are more
   * than the cache may hold, and what Blob or the disk answer.
   */
  hold(files: readonly BlobFile[], signal: AbortSignal): Promise<HeldFiles>;
  /**
   * Removes the copies of blobs whose names begin so and that were made before this instant (ms since 1970); one that is
   * being read, when it is let go.
   */
  evict(prefix: string, before: number): Promise<void>;
  /** Breaks off the downloads under way. */
  stop(): Promise<void>;
  counts(): { bytes: number; files: number; hits: number; misses: number; downloadedBytes: number };
}

/** What was listed is not there any more: list again. */
export class BlobGone extends Error {
  constructor(readonly blobName: string) {
    super(`the blob ${blobName} is gone or was changed`);
  }
}

export class TooManyBytes extends Error {
  constructor(
    readonly asked: number,
    readonly allowed: number,
  ) {
    super(`${asked} bytes were asked for and the cache may hold ${allowed}`);
  }
}

const DOWNLOADS_AT_ONCE = 8;
const UNFINISHED = '.part';

interface Entry {
  bytes: number;
  /** Questions that read it. */
  readers: number;
  /** When the copy was begun, milliseconds since 1970. */
  at: number;
  /** It goes once nobody reads it. */
  doomed?: boolean;
  /** Set while it is downloaded. */
  loading?: Promise<void>;
}

export function createBlobCache({
  container,
  folder,
  maximumBytes,
}: {
  container: ContainerClient;
  folder: string;
  maximumBytes: number;
}): BlobCache {
  // In the order of their last use.
  const entries = new Map<string, Entry>();
  let bytes = 0;
  let hits = 0;
  let misses = 0;
  let downloadedBytes = 0;
  const stopping = new AbortController();

  const pathOf = (local: string): string => join(folder, local);

  /** Removes the least lately used that nobody reads, until the rest fits. */
  async function makeRoom(): Promise<void> {
    const removed: string[] = [];
    for (const [local, entry] of entries) {
      if (entry.readers > 0 || entry.loading) continue;
      if (bytes <= maximumBytes && !entry.doomed) continue;
      entries.delete(local);
      bytes -= entry.bytes;
      removed.push(local);
    }
    await Promise.all(removed.map((local) => rm(pathOf(local), { force: true })));
  }

  async function download(file: BlobFile, local: string): Promise<void> {
    const unfinished = pathOf(`${local}.${randomUUID()}${UNFINISHED}`);
    try {
      await container.getBlobClient(file.name).downloadToFile(unfinished, 0, undefined, {
        abortSignal: stopping.signal,
        conditions: { ifMatch: file.etag },
      });
      await rename(unfinished, pathOf(local));
      downloadedBytes += file.bytes;
    } catch (error) {
      await rm(unfinished, { force: true });
      if (error instanceof RestError && (error.statusCode === 404 || error.statusCode === 412)) {
        throw new BlobGone(file.name);
      }
      throw error;
    }
  }

  /** The entry is held from the first moment, so that making room for another does not take it away. */
  async function take(file: BlobFile): Promise<string> {
    const local = localName(file);
    let entry = entries.get(local);
    if (entry === undefined) {
      misses++;
      entry = { bytes: file.bytes, readers: 0, at: Date.now() };
      bytes += file.bytes;
      const loaded = entry;
      entry.loading = download(file, local).then(
        () => {
          delete loaded.loading;
        },
        (error: unknown) => {
          entries.delete(local);
          bytes -= loaded.bytes;
          throw error;
        },
      );
    } else hits++;
    entries.delete(local);
    entries.set(local, entry);
    entry.readers++;
    try {
      await entry.loading;
    } catch (error) {
      entry.readers--;
      throw error;
    }
    return local;
  }

  return {
    async start() {
      await mkdir(folder, { recursive: true });
      for (const local of await readdir(folder)) {
        if (!local.endsWith('.parquet')) {
          await rm(pathOf(local), { recursive: true, force: true });
          continue;
        }
        const { size, mtimeMs } = await stat(pathOf(local));
        entries.set(local, { bytes: size, readers: 0, at: mtimeMs });
        bytes += size;
      }
      await makeRoom();
    },
    async hold(files, signal) {
      const asked = files.reduce((sum, file) => sum + file.bytes, 0);
      if (asked > maximumBytes) throw new TooManyBytes(asked, maximumBytes);
      const held: (string | undefined)[] = files.map(() => undefined);
      let released = false;
      const release = (): void => {
        if (released) return;
        released = true;
        let doomed = false;
        for (const local of held) {
          if (local === undefined) continue;
          const entry = entries.get(local)!;
          entry.readers--;
          doomed ||= entry.doomed === true;
        }
        if (doomed || bytes > maximumBytes) void makeRoom().catch(() => undefined);
      };
      try {
        // A download goes on for others, and for the next question, where this caller goes.
        await inParallel(files, DOWNLOADS_AT_ONCE, async (file, index) => {
          signal.throwIfAborted();
          held[index] = await take(file);
        });
        signal.throwIfAborted();
        await makeRoom();
      } catch (error) {
        release();
        throw error;
      }
      return { paths: held.map((local) => pathOf(local!)), release };
    },
    async evict(prefix, before) {
      const begins = localText(prefix);
      for (const [local, entry] of entries) {
        if (local.startsWith(begins) && entry.at < before) entry.doomed = true;
      }
      await makeRoom();
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled([...entries.values()].map(({ loading }) => loading));
    },
    counts: () => ({ bytes, files: entries.size, hits, misses, downloadedBytes }),
  };
}

/** Names sort as the blobs' do, so that landing files keep the order of the stream; the etag makes another file of it. */
function localName({ name, etag }: BlobFile): string {
  const mark = createHash('sha256').update(`${name}\n${etag}`).digest('hex').slice(0, 16);
  return `${localText(name.replace(/\.parquet$/, ''))}~${mark}.parquet`;
}

function localText(name: string): string {
  return name.replaceAll(/[^\w.=-]/g, '!');
}
