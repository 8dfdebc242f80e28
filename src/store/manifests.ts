import { type ContainerClient, RestError } from '@azure/storage-blob';
import {
  type CuratedManifest,
  type CuratedRoot,
  curatedThrough,
  MANIFEST_SCHEMA,
  ROOT_SCHEMA,
} from '../domain/curated';
import { CURATED, manifestPath, rootPath, tenantOfFolder } from './curated-path';

/** What was read, under the etag to replace it by. */
export interface Versioned<T> {
  value: T;
  etag: string;
}

/** What is curated of a tenant at one moment, and from where on its landing is to be read. */
export interface CuratedStanding {
  /** Null while nothing of the tenant was curated, and for a tenant that was erased. */
  manifest: Versioned<CuratedManifest> | null;
  erased: boolean;
  /** By `partitionKey`: landing files that begin at or before it are not to be read. */
  through: ReadonlyMap<string, number>;
}

/** The manifests of the curated cold store. Every method throws what Blob answers, and on a manifest of another kind. */
export interface Manifests {
  /**
   * What a question of this tenant begins with.
   * @param known what the caller read last; it is answered again, without its body travelling, while it stands.
   */
  standing(tenantId: string, known?: Versioned<CuratedManifest> | null): Promise<CuratedStanding>;
  /** Null while there is none. */
  root(): Promise<Versioned<CuratedRoot> | null>;
  read(
    tenantId: string,
    known?: Versioned<CuratedManifest> | null,
  ): Promise<Versioned<CuratedManifest> | null>;
  /** Everyone who has a manifest or files here. */
  tenants(): AsyncIterable<string>;
  /**
   * Publishes in place of what was read under this etag; null where there was none.
   * @returns the new etag, or null where another has published since: nothing is written then.
   */
  publish(manifest: CuratedManifest, etag: string | null): Promise<string | null>;
  publishRoot(root: CuratedRoot, etag: string | null): Promise<string | null>;
}

const TIMEOUT_MS = 30_000;

export function createManifests(container: ContainerClient): Manifests {
  const readJson = async <T extends { schema: string }>(
    path: string,
    schema: string,
    known?: Versioned<T> | null,
  ): Promise<Versioned<T> | null> => {
    try {
      const answer = await container.getBlobClient(path).download(undefined, undefined, {
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
        ...(known ? { conditions: { ifNoneMatch: known.etag } } : {}),
      });
      const chunks: Buffer[] = [];
      for await (const chunk of answer.readableStreamBody!) chunks.push(chunk as Buffer);
      const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as T;
      // Fields may be added to a schema, never change their sense: that is another schema, and not ours to read.
      if (value.schema !== schema) throw new Error(`${path} is of schema ${value.schema}, not ${schema}`);
      return { value, etag: answer.etag! };
    } catch (error) {
      const status = statusOf(error);
      if (status === 304 && known) return known;
      if (status === 404) return null;
      throw error;
    }
  };

  const replaceJson = async (path: string, value: object, etag: string | null): Promise<string | null> => {
    const body = Buffer.from(JSON.stringify(value));
    try {
      const answer = await container.getBlockBlobClient(path).upload(body, body.length, {
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
        blobHTTPHeaders: { blobContentType: 'application/json' },
        conditions: etag === null ? { ifNoneMatch: '*' } : { ifMatch: etag },
      });
      return answer.etag!;
    } catch (error) {
      if (statusOf(error) === 409 || statusOf(error) === 412) return null;
      throw error;
    }
  };

  const root = (): Promise<Versioned<CuratedRoot> | null> => readJson(rootPath(), ROOT_SCHEMA);
  const read: Manifests['read'] = (tenantId, known) =>
    readJson(manifestPath(tenantId), MANIFEST_SCHEMA, known);

  return {
    root,
    read,
    async standing(tenantId, known) {
      // The root first: see `src/domain/curated.ts`.
      const all = await root();
      const own = await read(tenantId, known);
      const erased = own?.value.erasedAt !== undefined;
      return {
        manifest: erased ? null : own,
        erased,
        through: curatedThrough(all?.value ?? { positions: [] }, own?.value ?? null),
      };
    },
    async *tenants() {
      for await (const item of container.listBlobsByHierarchy('/', { prefix: CURATED })) {
        const tenantId = item.kind === 'prefix' ? tenantOfFolder(item.name) : undefined;
        if (tenantId !== undefined) yield tenantId;
      }
    },
    publish: (manifest, etag) => replaceJson(manifestPath(manifest.tenantId), manifest, etag),
    publishRoot: (value, etag) => replaceJson(rootPath(), value, etag),
  };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
