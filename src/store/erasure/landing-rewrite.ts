import { type ContainerClient, type Metadata, RestError } from '@azure/storage-blob';
import { withoutTenants } from './without-tenants';

/**
 * Rewrites files of the landing, which tenants share, without the rows of erased ones: the same name, the same metadata but
 * for the counts, under the etag that was read. So whoever lists, follows or adopts the chain finds it as it was.
 */
export interface LandingRewrite {
  /** @returns rows removed; 0 where there was none, or the file is gone. */
  readings(path: string, isErased: (tenantId: string) => boolean): Promise<number>;
  /** The same of dead letters; a file of which nothing is left is removed. */
  deadLetters(path: string, isErased: (tenantId: string) => boolean): Promise<number>;
  /** Sets in a landing file's metadata how many dead letters it has by now. */
  countDeadLetters(path: string, count: number): Promise<void>;
}

const TIMEOUT_MS = 120_000;
const ATTEMPTS = 10;

/** As `src/ingest/landing-file.ts` writes them: HTTP brings their names in small letters. */
const NAMES = [
  'incarnation',
  'partition',
  'firstSequence',
  'lastSequence',
  'events',
  'rows',
  'deadLetters',
  'schema',
];

export function createLandingRewrite(container: ContainerClient): LandingRewrite {
  const within = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });

  /** Does the change until nobody has changed the file meanwhile. @returns undefined where the file is gone. */
  async function changing<T>(
    path: string,
    change: (etag: string, metadata: Record<string, string>) => Promise<T>,
  ): Promise<T | undefined> {
    const blob = container.getBlobClient(path);
    for (let attempt = 1; ; attempt++) {
      try {
        const { etag, metadata } = await blob.getProperties(within());
        return await change(etag!, named(metadata));
      } catch (error) {
        const status = error instanceof RestError ? error.statusCode : undefined;
        if (status === 404) return undefined;
        if (status !== 412 || attempt === ATTEMPTS) throw error;
      }
    }
  }

  const rewrite = async (
    path: string,
    counted: 'rows' | 'deadLetters',
    isErased: (tenantId: string) => boolean,
  ): Promise<number> => {
    const removed = await changing(path, async (etag, metadata) => {
      const conditions = { ifMatch: etag };
      const content = await container.getBlobClient(path).downloadToBuffer(undefined, undefined, {
        ...within(),
        conditions,
      });
      const inside = (rows: number): Record<string, string> =>
        Object.fromEntries(
          Object.entries({ ...metadata, [counted]: String(rows) }).map(([name, value]) => [
            `atrium.${name}`,
            value,
          ]),
        );
      const left = withoutTenants(content, isErased, inside);
      if (left === null) return 0;
      if (left.rows === 0 && counted === 'deadLetters') {
        await container.getBlobClient(path).delete({ ...within(), conditions });
        return left.removed;
      }
      await container.getBlockBlobClient(path).upload(left.content, left.content.length, {
        ...within(),
        conditions,
        metadata: { ...metadata, [counted]: String(left.rows) },
        blobHTTPHeaders: { blobContentType: 'application/vnd.apache.parquet' },
      });
      return left.removed;
    });
    return removed ?? 0;
  };

  return {
    readings: (path, isErased) => rewrite(path, 'rows', isErased),
    deadLetters: (path, isErased) => rewrite(path, 'deadLetters', isErased),
    async countDeadLetters(path, count) {
      await changing(path, async (etag, metadata) => {
        if (metadata.deadLetters === String(count)) return;
        await container
          .getBlobClient(path)
          .setMetadata(
            { ...metadata, deadLetters: String(count) },
            { ...within(), conditions: { ifMatch: etag } },
          );
      });
    },
  };
}

/** The value of a file's metadata under its name, however it is written. */
export function named(metadata: Metadata | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [
      NAMES.find((each) => each.toLowerCase() === name.toLowerCase()) ?? name,
      value,
    ]),
  );
}
