import { type ContainerClient, type Metadata, RestError } from '@azure/storage-blob';
import { partitionKey } from '../domain/curated';
import { deadLetterPath, deadLetterPrefix, parseLandingPath } from './landing-path';

/** A landing file as its name and metadata tell of it. */
export interface StoredLandingFile {
  path: string;
  etag: string;
  bytes: number;
  incarnation: string;
  partition: number;
  /** The start of the hour in which its first event was enqueued, milliseconds since 1970. */
  hour: number;
  firstSequence: number;
  lastSequence: number;
  rows: number;
  /** Rows of the dead letters that belong to it. */
  deadLetters: number;
  /** When it was written, milliseconds since 1970. */
  createdAt: number;
}

/** The landing as those see it who read it and remove it. Every method throws what Blob answers. */
export interface LandingFiles {
  /** Every partition of every life of the stream that has files. */
  partitions(): Promise<{ incarnation: string; partition: number }[]>;
  /**
   * The files of a partition that follow the position, in the order of their events: the chain that `src/ingest` writes.
   * Files that begin at or before it are none of it: they are curated, or were left by a writer that came too late.
   *
   * @param from the position's sequence; -1 for the beginning.
   */
  following(place: { incarnation: string; partition: number }, from: number): Promise<StoredLandingFile[]>;
  /** Those that begin at or before the position, whoever left them. */
  upTo(place: { incarnation: string; partition: number }, to: number): Promise<StoredLandingFile[]>;
  /** Those whose first event was enqueued in the hours (UTC, counted from 1970) from `from` to `to`, both inclusive. */
  ofHours(
    place: { incarnation: string; partition: number },
    from: number,
    to: number,
  ): Promise<StoredLandingFile[]>;
  /**
   * @throws ChangedLandingFile where it is gone, or was rewritten since it was listed: both only befall files that are
   * curated for all tenants, so that whoever meets it was overtaken.
   */
  read(file: StoredLandingFile): Promise<Buffer>;
  /** The file's dead letters; null where there are none, or none any more. */
  readDeadLetters(file: StoredLandingFile): Promise<Buffer | null>;
  /** Removes the file, and dead letters that a crashed writer left for it; its own dead letters stay. */
  remove(file: StoredLandingFile): Promise<void>;
}

/** A file is not what the listing said: the listing is to be made again. */
export class ChangedLandingFile extends Error {}

const TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
/** Beyond this one listing of everything costs less than one of each hour. */
const MOST_HOURS = 48;

export function createLandingFiles(container: ContainerClient): LandingFiles {
  const list = async (
    place: { incarnation: string; partition: number },
    folder = '',
  ): Promise<StoredLandingFile[]> => {
    const files: StoredLandingFile[] = [];
    const prefix = `landing/${place.incarnation}/p=${String(place.partition).padStart(2, '0')}/${folder}`;
    const found = container.listBlobsFlat({
      prefix,
      includeMetadata: true,
      abortSignal: AbortSignal.timeout(TIMEOUT_MS),
    });
    for await (const { name, metadata, properties } of found) {
      const parsed = parseLandingPath(name);
      if (parsed === undefined) continue;
      files.push({
        path: name,
        etag: properties.etag,
        bytes: properties.contentLength ?? 0,
        incarnation: parsed.incarnation,
        partition: parsed.partition,
        hour: Date.parse(`${parsed.hour}:00:00Z`),
        firstSequence: parsed.firstSequence,
        lastSequence: numberOf(name, metadata, 'lastSequence'),
        rows: numberOf(name, metadata, 'rows'),
        // Of no consequence to the chain: a file without it is none the worse.
        deadLetters: numberOf(name, metadata, 'deadLetters', 0),
        createdAt: properties.lastModified.getTime(),
      });
    }
    return files.sort((a, b) => a.firstSequence - b.firstSequence);
  };
  const chain = (files: readonly StoredLandingFile[], from: number): StoredLandingFile[] =>
    files.filter(({ firstSequence }) => firstSequence > from);

  return {
    async partitions() {
      const partitions = [];
      for await (const life of container.listBlobsByHierarchy('/', { prefix: 'landing/' })) {
        if (life.kind !== 'prefix') continue;
        for await (const each of container.listBlobsByHierarchy('/', { prefix: life.name })) {
          const match = /^landing\/([^/]+)\/p=(\d+)\/$/.exec(each.name);
          if (match) partitions.push({ incarnation: match[1]!, partition: Number(match[2]) });
        }
      }
      return partitions.sort(
        (a, b) => parseFloat(a.incarnation) - parseFloat(b.incarnation) || a.partition - b.partition,
      );
    },
    async following(place, from) {
      const first = chain(await list(place), from);
      const contiguous = (files: readonly StoredLandingFile[]): number => {
        let next = from < 0 ? (files[0]?.firstSequence ?? 0) : from + 1;
        const broken = files.findIndex((file) => {
          const follows = file.firstSequence === next;
          next = file.lastSequence + 1;
          return !follows;
        });
        return broken < 0 ? files.length : broken;
      };
      if (from >= 0 && contiguous(first) === first.length) return first;
      // A listing takes its time: a file may have come into being behind the place where it had got to, and its successor
      // before it. Each file existed before the next, so a second listing shows what is missing, or a true gap: events
      // that left the stream before they were landed.
      const known = new Set(first.map(({ path }) => path));
      const again = chain(await list(place), from);
      const lastKnown = again.findLastIndex(({ path }) => known.has(path));
      const settled = again.slice(0, lastKnown + 1);
      for (let i = 1; i < settled.length; i++) {
        if (settled[i]!.firstSequence <= settled[i - 1]!.lastSequence) {
          throw new Error(`the landing of ${partitionKey(place)} overlaps at ${settled[i]!.firstSequence}`);
        }
      }
      return settled;
    },
    async upTo(place, to) {
      return (await list(place)).filter(({ firstSequence }) => firstSequence <= to);
    },
    async ofHours(place, from, to) {
      if (to - from >= MOST_HOURS) {
        return (await list(place)).filter(({ hour }) => hour >= from * HOUR_MS && hour <= to * HOUR_MS);
      }
      const files = [];
      for (let hour = from; hour <= to; hour++) {
        const time = new Date(hour * HOUR_MS).toISOString();
        files.push(...(await list(place, `dt=${time.slice(0, 10)}/hr=${time.slice(11, 13)}/`)));
      }
      return files.sort((a, b) => a.firstSequence - b.firstSequence);
    },
    async readDeadLetters(file) {
      if (file.deadLetters === 0) return null;
      const path = deadLetterPath({ ...file, enqueuedAt: file.hour }, file.lastSequence);
      try {
        const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
        return await container.getBlobClient(path).downloadToBuffer(undefined, undefined, { abortSignal });
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404) return null;
        throw error;
      }
    },
    async read({ path, etag }) {
      try {
        return await container.getBlobClient(path).downloadToBuffer(undefined, undefined, {
          // A listing gives etags without their quotes, a header has them.
          conditions: { ifMatch: etag.startsWith('"') ? etag : `"${etag}"` },
          abortSignal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch (error) {
        const status = error instanceof RestError ? error.statusCode : undefined;
        if (status !== 404 && status !== 412) throw error;
        throw new ChangedLandingFile(`${path} is gone or was rewritten`, { cause: error });
      }
    },
    async remove(file) {
      const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
      const place = { ...file, enqueuedAt: file.hour };
      const own = deadLetterPath(place, file.lastSequence);
      for await (const { name } of container.listBlobsFlat({
        prefix: deadLetterPrefix(place),
        abortSignal,
      })) {
        if (name !== own) await container.getBlobClient(name).deleteIfExists({ abortSignal });
      }
      await container.getBlobClient(file.path).deleteIfExists({ abortSignal });
    },
  };
}

function numberOf(
  path: string,
  metadata: Metadata | undefined,
  name: string,
  otherwise = Number.NaN,
): number {
  const [, value] =
    Object.entries(metadata ?? {}).find(([each]) => each.toLowerCase() === name.toLowerCase()) ?? [];
  const number = Number(value ?? otherwise);
  if (!Number.isSafeInteger(number)) {
    throw new Error(`the landing file ${path} does not say its ${name}: its metadata was changed`);
  }
  return number;
}
