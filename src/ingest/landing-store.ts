import { type ContainerClient, type Metadata, RestError } from '@azure/storage-blob';
import { createErasedBlobs } from '../store/erasure/erased-blobs';
import { withoutTenants } from '../store/erasure/without-tenants';
import { createHeads } from '../store/heads';
import {
  deadLetterPath,
  deadLetterPrefix,
  landingFolder,
  type LandingFile,
  landingPath,
  parseLandingPath,
} from '../store/landing-path';
import { DEAD_LETTERS_SCHEMA, type EncodedLanding, READINGS_SCHEMA, summaryMetadata } from './landing-file';

/** The landing files of the cold store, as one writer of several sees them. Every method throws what Blob answers. */
export interface LandingStore {
  /** Makes the container where it is absent. */
  prepare(): Promise<void>;
  /**
   * Creates the file of those events, or tells how far the file reaches that another writer (or an earlier try of ours)
   * created for the same first event. Its dead letters are stored before it: where the file exists, they do.
   *
   * Where the landing begins behind that event by now (`src/store/heads.ts`), the events were landed and curated long
   * ago: it tells the last sequence before the head, and nothing of the file stands.
   *
   * Rows of an erased tenant are left out, by the tombstones as they are at this attempt: so none is written later after a
   * tombstone than an attempt takes.
   */
  create(
    file: EncodedLanding,
    signal: AbortSignal,
  ): Promise<{ outcome: 'created' | 'met' | 'before the head'; lastSequence: number }>;
  /** The last sequence before the partition's guarded head; -1 when there is none. */
  head(place: Pick<LandingFile, 'incarnation' | 'partition'>, signal: AbortSignal): Promise<number>;
  /**
   * The last sequence of the partition's files or before its head, -1 when there is none. Lists them all: for when a
   * place is lost.
   */
  chainEnd(place: Pick<LandingFile, 'incarnation' | 'partition'>, signal: AbortSignal): Promise<number>;
  /** Removes dead letters that a crashed writer stored for a file which another then created with another end. */
  sweepDeadLetters(file: LandingFile, lastSequence: number, signal: AbortSignal): Promise<void>;
}

const ATTEMPT_TIMEOUT_MS = 60_000;

export function createLandingStore(container: ContainerClient): LandingStore {
  const heads = createHeads(container);
  const erasedBlobs = createErasedBlobs(container);
  const put = async (
    path: string,
    content: Buffer,
    metadata: Metadata,
    abortSignal: AbortSignal,
    onlyNew: boolean,
  ): Promise<void> => {
    await container.getBlockBlobClient(path).upload(content, content.length, {
      metadata,
      abortSignal,
      blobHTTPHeaders: { blobContentType: 'application/vnd.apache.parquet' },
      ...(onlyNew ? { conditions: { ifNoneMatch: '*' } } : {}),
    });
  };

  const sweep: LandingStore['sweepDeadLetters'] = async (file, lastSequence, abortSignal) => {
    const keep = deadLetterPath(file, lastSequence);
    for await (const { name } of container.listBlobsFlat({ prefix: deadLetterPrefix(file), abortSignal })) {
      if (name !== keep) await container.getBlobClient(name).deleteIfExists({ abortSignal });
    }
  };

  return {
    async prepare() {
      await container.createIfNotExists();
    },
    async create(encoded, signal) {
      const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_TIMEOUT_MS)]);
      const kept = withoutErased(encoded, await erasedBlobs.list(abortSignal));
      const { summary, readings, deadLetters, first } = kept;
      const file: LandingFile = { ...summary, enqueuedAt: first.enqueuedAt };
      if (deadLetters !== null) {
        const path = deadLetterPath(file, summary.lastSequence);
        await put(path, deadLetters, summaryMetadata(summary, DEAD_LETTERS_SCHEMA), abortSignal, false);
      }
      const path = landingPath(file);
      let created = true;
      try {
        await put(path, readings, summaryMetadata(summary, READINGS_SCHEMA), abortSignal, true);
      } catch (error) {
        if (!alreadyExists(error)) throw error;
        created = false;
      }
      // Only now: had the head been read before, it could have moved and the file that stood here been removed since.
      // Whoever reads the landing takes no file that begins before the head, so that nobody has seen ours.
      const head = await heads.sequence(summary, abortSignal);
      if (head >= summary.firstSequence) {
        if (created) await container.getBlobClient(path).deleteIfExists({ abortSignal });
        if (deadLetters !== null && summary.lastSequence > head) {
          await container
            .getBlobClient(deadLetterPath(file, summary.lastSequence))
            .deleteIfExists({ abortSignal });
        }
        return { outcome: 'before the head', lastSequence: head };
      }
      if (created) return { outcome: 'created', lastSequence: summary.lastSequence };
      const lastSequence = await storedLastSequence(container, path, abortSignal);
      // Ours reach elsewhere than the file that stands, so nobody will ever look for them.
      if (deadLetters !== null && lastSequence !== summary.lastSequence) {
        await sweep(file, lastSequence, abortSignal);
      }
      return { outcome: 'met', lastSequence };
    },
    head: (place, signal) => heads.sequence(place, signal),
    async chainEnd(place, abortSignal) {
      const head = await heads.sequence(place, abortSignal);
      let end = head;
      const files = container.listBlobsFlat({
        prefix: landingFolder(place),
        includeMetadata: true,
        abortSignal,
      });
      for await (const { name, metadata } of files) {
        // One that begins before the head is none of the chain, however far it reaches: a late writer's.
        if ((parseLandingPath(name)?.firstSequence ?? -1) <= head) continue;
        end = Math.max(end, lastSequenceOf(name, metadata));
      }
      return end;
    },
    sweepDeadLetters: sweep,
  };
}

/** The file without the rows of erased tenants; the same where it holds none. */
function withoutErased(encoded: EncodedLanding, erased: ReadonlySet<string>): EncodedLanding {
  if (erased.size === 0) return encoded;
  const isErased = (tenantId: string): boolean => erased.has(tenantId);
  let { summary, readings, deadLetters } = encoded;
  if (deadLetters !== null) {
    const left = withoutTenants(deadLetters, isErased, (rows) =>
      summaryMetadata({ ...summary, deadLetters: rows }, DEAD_LETTERS_SCHEMA, 'atrium.'),
    );
    if (left !== null) {
      deadLetters = left.rows === 0 ? null : left.content;
      summary = { ...summary, deadLetters: left.rows };
    }
  }
  const left = withoutTenants(readings, isErased, (rows) =>
    summaryMetadata({ ...summary, rows }, READINGS_SCHEMA, 'atrium.'),
  );
  if (left !== null) {
    readings = left.content;
    summary = { ...summary, rows: left.rows };
  }
  return { ...encoded, summary, readings, deadLetters };
}

async function storedLastSequence(
  container: ContainerClient,
  path: string,
  abortSignal: AbortSignal,
): Promise<number> {
  const { metadata } = await container.getBlobClient(path).getProperties({ abortSignal });
  return lastSequenceOf(path, metadata);
}

function lastSequenceOf(path: string, metadata: Metadata | undefined): number {
  // Names of metadata are not case sensitive, and arrive here in small letters by HTTP and as written by a listing.
  const [, value] =
    Object.entries(metadata ?? {}).find(([name]) => name.toLowerCase() === 'lastsequence') ?? [];
  const sequence = Number(value ?? Number.NaN);
  if (!Number.isSafeInteger(sequence)) {
    throw new Error(`the landing file ${path} does not say its last sequence: its metadata was changed`);
  }
  return sequence;
}

/** https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations */
function alreadyExists(error: unknown): boolean {
  if (!(error instanceof RestError)) return false;
  return (
    (error.statusCode === 409 && error.code === 'BlobAlreadyExists') ||
    (error.statusCode === 412 && error.code === 'ConditionNotMet')
  );
}
