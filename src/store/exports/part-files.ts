import { type Readable } from 'node:stream';
import { type ContainerClient, RestError } from '@azure/storage-blob';
import { type ExportPart } from '../../domain/export';

/** An export's place among all of them. */
export interface ExportPlace {
  tenantId: string;
  exportId: string;
}

/** A part that is being read. */
export interface OpenPart {
  body: Readable;
  etag: string;
}

/**
 * The files of exports, `t=<tenant>/<export>/<part>` in a container of their own. A part is written whole or not at all,
 * and never again: so whoever makes an export a second time finds what the first made. Every method throws what Blob
 * answers.
 */
export interface PartFiles {
  /** Makes the container where it is missing. */
  ensure(): Promise<void>;
  /** @returns false where the part is there already: it stands. */
  create(
    place: ExportPlace,
    part: ExportPart,
    file: { path: string; contentType: string },
    signal: AbortSignal,
  ): Promise<boolean>;
  list(place: ExportPlace): Promise<ExportPart[]>;
  /** Bytes [start, end] of the part, both included; null where it is gone. */
  open(
    place: ExportPlace,
    name: string,
    range: { start: number; end: number },
    signal: AbortSignal,
  ): Promise<OpenPart | null>;
  /** Every export that has a file. */
  places(): AsyncIterable<ExportPlace>;
  /** @returns how many files there were. */
  remove(place: ExportPlace): Promise<number>;
}

const TENANT = 't=';
const BLOCK_BYTES = 8 * 1024 * 1024;
const BLOCKS_AT_ONCE = 2;
const TIMEOUT_MS = 30_000;
const ROWS = 'rows';

export function createPartFiles(container: ContainerClient): PartFiles {
  const folderOf = ({ tenantId, exportId }: ExportPlace): string => `${TENANT}${tenantId}/${exportId}/`;
  const within = (): { abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(TIMEOUT_MS) });

  return {
    async ensure() {
      await container.createIfNotExists(within());
    },
    async create(place, { name, rows }, { path, contentType }, signal) {
      try {
        await container.getBlockBlobClient(folderOf(place) + name).uploadFile(path, {
          blockSize: BLOCK_BYTES,
          concurrency: BLOCKS_AT_ONCE,
          conditions: { ifNoneMatch: '*' },
          metadata: { [ROWS]: String(rows) },
          blobHTTPHeaders: { blobContentType: contentType },
          abortSignal: signal,
        });
        return true;
      } catch (error) {
        if (isStatus(error, 409) || isStatus(error, 412)) return false;
        throw error;
      }
    },
    async list(place) {
      const parts: ExportPart[] = [];
      const prefix = folderOf(place);
      const listing = container.listBlobsFlat({ prefix, includeMetadata: true, ...within() });
      for await (const { name, properties, metadata } of listing) {
        const bytes = properties.contentLength ?? 0;
        parts.push({ name: name.slice(prefix.length), bytes, rows: Number(metadata?.[ROWS]) });
      }
      return parts;
    },
    async open(place, name, { start, end }, signal) {
      try {
        const answer = await container
          .getBlobClient(folderOf(place) + name)
          .download(start, end - start + 1, { abortSignal: signal });
        return { body: answer.readableStreamBody as Readable, etag: answer.etag! };
      } catch (error) {
        if (isStatus(error, 404)) return null;
        throw error;
      }
    },
    async *places() {
      for await (const tenant of container.listBlobsByHierarchy('/', { prefix: TENANT })) {
        if (tenant.kind !== 'prefix') continue;
        for await (const each of container.listBlobsByHierarchy('/', { prefix: tenant.name })) {
          if (each.kind !== 'prefix') continue;
          const [folder, exportId] = each.name.split('/');
          yield { tenantId: folder!.slice(TENANT.length), exportId: exportId! };
        }
      }
    },
    async remove(place) {
      let removed = 0;
      for await (const { name } of container.listBlobsFlat({ prefix: folderOf(place), ...within() })) {
        await container.getBlobClient(name).deleteIfExists(within());
        removed++;
      }
      return removed;
    },
  };
}

function isStatus(error: unknown, status: number): boolean {
  return error instanceof RestError && error.statusCode === status;
}
