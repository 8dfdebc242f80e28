import { type ContainerClient, RestError } from '@azure/storage-blob';

/**
 * The tombstones as blobs of the cold store, `erased/<tenant>`, for those who read and write there alone: one listing
 * tells all of them. They stand for ever.
 */
export interface ErasedBlobs {
  list(signal?: AbortSignal): Promise<ReadonlySet<string>>;
  put(tenantId: string): Promise<void>;
}

export const ERASED_PREFIX = 'erased/';
const TIMEOUT_MS = 30_000;

export function createErasedBlobs(container: ContainerClient): ErasedBlobs {
  return {
    async list(signal) {
      const found = new Set<string>();
      const abortSignal = signal ?? AbortSignal.timeout(TIMEOUT_MS);
      for await (const { name } of container.listBlobsFlat({ prefix: ERASED_PREFIX, abortSignal })) {
        found.add(name.slice(ERASED_PREFIX.length));
      }
      return found;
    },
    async put(tenantId) {
      if (!/^[A-Za-z0-9_-]+$/.test(tenantId)) throw new Error('a tenant id is letters, digits, _ and -');
      try {
        await container.getBlockBlobClient(`${ERASED_PREFIX}${tenantId}`).upload('', 0, {
          conditions: { ifNoneMatch: '*' },
          abortSignal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch (error) {
        if (!(error instanceof RestError) || (error.statusCode !== 409 && error.statusCode !== 412))
          throw error;
      }
    },
  };
}
