import { type ContainerClient, RestError } from '@azure/storage-blob';
import { type CuratedFile } from '../domain/curated';
import { tenantFolder } from './curated-path';

/** The Parquet files of the curated store. Every method throws what Blob answers. */
export interface CuratedFiles {
  /** @returns its etag. @throws where there is such a file: none is ever overwritten. */
  create(name: string, content: Buffer): Promise<string>;
  /** @returns null where the file is gone or another than the manifest says: the manifest is to be read again. */
  read(file: Pick<CuratedFile, 'name' | 'etag'>): Promise<Buffer | null>;
  /** Removes all that is in the folder. */
  removeFolder(folder: string): Promise<number>;
  /** The folders of a tenant's generations, with the instant of the last change in each, milliseconds since 1970. */
  generations(tenantId: string): Promise<{ folder: string; changedAt: number }[]>;
}

const TIMEOUT_MS = 120_000;

export function createCuratedFiles(container: ContainerClient): CuratedFiles {
  return {
    async create(name, content) {
      const { etag } = await container.getBlockBlobClient(name).upload(content, content.length, {
        blobHTTPHeaders: { blobContentType: 'application/vnd.apache.parquet' },
        conditions: { ifNoneMatch: '*' },
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return etag!;
    },
    async read({ name, etag }) {
      try {
        return await container.getBlobClient(name).downloadToBuffer(undefined, undefined, {
          conditions: { ifMatch: etag },
          abortSignal: AbortSignal.timeout(TIMEOUT_MS),
        });
      } catch (error) {
        if (error instanceof RestError && (error.statusCode === 404 || error.statusCode === 412)) return null;
        throw error;
      }
    },
    async removeFolder(folder) {
      let removed = 0;
      for await (const { name } of container.listBlobsFlat({ prefix: folder })) {
        await container.getBlobClient(name).deleteIfExists({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });
        removed++;
      }
      return removed;
    },
    async generations(tenantId) {
      const changed = new Map<string, number>();
      for await (const { name, properties } of container.listBlobsFlat({
        prefix: `${tenantFolder(tenantId)}period=`,
      })) {
        const folder = name.slice(0, name.lastIndexOf('/') + 1);
        changed.set(folder, Math.max(changed.get(folder) ?? 0, properties.lastModified.getTime()));
      }
      return [...changed].map(([folder, changedAt]) => ({ folder, changedAt }));
    },
  };
}
