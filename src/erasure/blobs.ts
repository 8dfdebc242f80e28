import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { type BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';
import { partitionKey } from '../domain/curated';
import { manifestPath, tenantFolder } from '../store/curated-path';
import { createErasedBlobs, ERASED_PREFIX } from '../store/erasure/erased-blobs';
import { createLandingRewrite, named } from '../store/erasure/landing-rewrite';
import { type Mentions } from '../store/erasure/mentions';
import { createPartFiles } from '../store/exports/part-files';
import { parseLandingPath } from '../store/landing-path';
import { createManifests, type Manifests } from '../store/manifests';
import { emptyManifest } from '../analytics/curation/tenant';

const decompress = promisify(zstdDecompress);
const TIMEOUT_MS = 120_000;
const ATTEMPTS = 20;
const within = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });

/** What an erasure does in Blob. Every method may be repeated, and throws what Blob answers. */
export interface BlobErasure {
  /** From now on nothing of the tenant is read, landed or curated. */
  mark(tenantId: string, at: number): Promise<void>;
  exports(tenantId: string): Promise<number>;
  /** All but the manifest, which is the tombstone. */
  curated(tenantId: string): Promise<number>;
  /** @returns rows removed, and files that are not curated yet and can only be rewritten then. */
  landing(): Promise<{ removed: number; uncurated: number }>;
  /** Removes snapshots of workers that hold something of the tenant: they are made anew without it. */
  snapshots(mentions: Mentions): Promise<number>;
}

export function createBlobErasure(options: {
  blobs: BlobServiceClient;
  coldContainer: string;
  exportContainer: string;
  /** Curates what has landed, so that it may be rewritten. */
  curate: () => Promise<void>;
}): BlobErasure {
  const { blobs, curate } = options;
  const cold = blobs.getContainerClient(options.coldContainer);
  const exported = blobs.getContainerClient(options.exportContainer);
  const manifests = createManifests(cold);
  const erasedBlobs = createErasedBlobs(cold);
  const rewrite = createLandingRewrite(cold);

  return {
    async mark(tenantId, at) {
      await Promise.all([cold.createIfNotExists(within()), exported.createIfNotExists(within())]);
      await erasedBlobs.put(tenantId);
      await publishErased(manifests, tenantId, at);
    },

    async exports(tenantId) {
      const parts = createPartFiles(exported);
      let removed = 0;
      for await (const place of parts.places()) {
        if (place.tenantId === tenantId) removed += await parts.remove(place);
      }
      return removed;
    },

    async curated(tenantId) {
      let removed = 0;
      for await (const { name } of cold.listBlobsFlat({ prefix: tenantFolder(tenantId), ...within() })) {
        if (name === manifestPath(tenantId)) continue;
        await cold.getBlobClient(name).deleteIfExists(within());
        removed++;
      }
      return removed;
    },

    async landing() {
      const erased = await erasedBlobs.list();
      const isErased = (tenantId: string): boolean => erased.has(tenantId);
      await curate();
      // A file that is not curated for all tenants yet is left alone: the counts of the curated store are made of what its
      // metadata says at that moment. What is curated is read by nobody but those who began before.
      const root = await manifests.root();
      const through = new Map(root?.value.positions.map((each) => [partitionKey(each), each.sequence]));
      const isCurated = (path: string): boolean => {
        const place = parseLandingPath(path);
        return place !== undefined && place.firstSequence <= (through.get(partitionKey(place)) ?? -1);
      };
      let removed = 0;
      let uncurated = 0;
      for await (const { name } of cold.listBlobsFlat({ prefix: 'dead-letters/', ...within() })) {
        removed += await rewrite.deadLetters(name, isErased);
      }
      for await (const { name, metadata } of cold.listBlobsFlat({
        prefix: 'landing/',
        includeMetadata: true,
        ...within(),
      })) {
        if (!isCurated(name)) {
          uncurated++;
          continue;
        }
        removed += await rewrite.readings(name, isErased);
        const { deadLetters, lastSequence } = named(metadata);
        if (deadLetters === undefined || deadLetters === '0') continue;
        const letters = deadLettersOf(name, Number(lastSequence));
        await rewrite.countDeadLetters(name, await countIn(cold, letters));
      }
      return { removed, uncurated };
    },

    async snapshots(mentions) {
      let removed = 0;
      for await (const { name: container } of blobs.listContainers(within())) {
        const client = blobs.getContainerClient(container);
        for await (const { name } of client.listBlobsFlat({ prefix: 'snapshots/', ...within() })) {
          try {
            const { etag } = await client.getBlobClient(name).getProperties(within());
            const conditions = { ifMatch: etag! };
            const body = await client
              .getBlobClient(name)
              .downloadToBuffer(undefined, undefined, { ...within(), conditions });
            if ((await mentionIn(body, mentions)) === undefined) continue;
            await client.getBlobClient(name).delete({ ...within(), conditions });
            removed++;
          } catch (error) {
            // Its worker has written a newer one: the next round looks at that.
            if (!(error instanceof RestError) || (error.statusCode !== 412 && error.statusCode !== 404))
              throw error;
          }
        }
      }
      return removed;
    },
  };
}

async function publishErased(manifests: Manifests, tenantId: string, at: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await manifests.read(tenantId);
    const before = found?.value ?? emptyManifest(tenantId);
    if (before.erasedAt !== undefined && before.periods.length + before.retired.length === 0) return;
    // The positions stay: they say what of the landing was counted for the tenant.
    const { tallies: _counts, ...kept } = before;
    const after = {
      ...kept,
      version: before.version + 1,
      publishedAt: at,
      periods: [],
      retired: [],
      erasedAt: at,
    };
    if ((await manifests.publish(after, found?.etag ?? null)) !== null) return;
  }
  throw new Error(`the manifest of ${tenantId} was published by others ${ATTEMPTS} times`);
}

/** The name of the dead letters of a landing file. */
function deadLettersOf(path: string, lastSequence: number): string {
  return `dead-letters/${path.replace(/\.parquet$/, '')}-${String(lastSequence).padStart(20, '0')}.parquet`;
}

async function countIn(container: ContainerClient, path: string): Promise<number> {
  try {
    const { metadata } = await container.getBlobClient(path).getProperties(within());
    return Number(named(metadata).deadLetters ?? 0);
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return 0;
    throw error;
  }
}

/** Snapshots begin so, with a version of one character, and go on compressed. */
const SNAPSHOT = Buffer.from('ATRSNAP');
const CHUNK = 8 * 1024 * 1024;
/** Longer than any id. */
const OVERLAP = 512;

/** The first of the ids in a blob of any kind but Parquet, whose pages are compressed one by one. */
export async function mentionIn(content: Buffer, mentions: Mentions): Promise<string | undefined> {
  const bytes = content.subarray(0, SNAPSHOT.length).equals(SNAPSHOT)
    ? await decompress(content.subarray(SNAPSHOT.length + 1))
    : content;
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const found = mentions.in(bytes.toString('latin1', Math.max(0, at - OVERLAP), at + CHUNK));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is kept in Blob on purpose. */
export function isTombstoneBlob(name: string, tenantId: string): boolean {
  return name === `${ERASED_PREFIX}${tenantId}` || name === manifestPath(tenantId);
}
