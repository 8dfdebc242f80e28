import { type BlobServiceClient, type ContainerClient, RestError } from '@azure/storage-blob';

/** Where in a partition of the stream a snapshot stands: what the stream calls a checkpoint. */
export interface SnapshotPosition {
  sequenceNumber: number;
  offset: string;
}

export interface StoredSnapshot {
  position: SnapshotPosition;
  body: Buffer;
  etag: string;
}

/**
 * The newest snapshot of each partition of one life of a hub, one blob each. A snapshot is never replaced by one of an
 * earlier position, so that an old owner that still writes cannot take a new one's back.
 */
export interface SnapshotStore {
  /** By partition, without the bodies. An etag here tells one writing from another; it is no header's text. */
  positions(): Promise<Map<number, SnapshotPosition & { etag: string }>>;
  read(partition: number): Promise<StoredSnapshot | null>;
  /** @returns false where a later one stands already. */
  write(partition: number, position: SnapshotPosition, body: Buffer): Promise<boolean>;
}

const ATTEMPTS = 5;
const TIMEOUT_MS = 30_000;

/** @param folder of the container, for this consumer's snapshots alone. */
export function createSnapshotStore(options: {
  blobs: BlobServiceClient;
  container: string;
  folder: string;
}): SnapshotStore {
  const container: ContainerClient = options.blobs.getContainerClient(options.container);
  const nameOf = (partition: number): string => `${options.folder}/p=${String(partition).padStart(2, '0')}`;
  const blobOf = (partition: number) => container.getBlockBlobClient(nameOf(partition));

  const standing = async (partition: number): Promise<(SnapshotPosition & { etag: string }) | null> => {
    try {
      const { metadata, etag } = await blobOf(partition).getProperties({
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { ...positionOf(metadata), etag: etag! };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw error;
    }
  };

  return {
    async positions() {
      const found = new Map<number, SnapshotPosition & { etag: string }>();
      const prefix = `${options.folder}/`;
      for await (const { name, metadata, properties } of container.listBlobsFlat({
        prefix,
        includeMetadata: true,
        abortSignal: AbortSignal.timeout(TIMEOUT_MS),
      })) {
        const partition = Number(/p=(\d+)$/.exec(name)?.[1] ?? Number.NaN);
        const position = positionOf(metadata);
        if (Number.isSafeInteger(partition) && Number.isSafeInteger(position.sequenceNumber)) {
          found.set(partition, { ...position, etag: bare(properties.etag) });
        }
      }
      return found;
    },

    async read(partition) {
      try {
        const abortSignal = AbortSignal.timeout(TIMEOUT_MS);
        const answer = await blobOf(partition).download(undefined, undefined, { abortSignal });
        const chunks: Buffer[] = [];
        for await (const chunk of answer.readableStreamBody!) chunks.push(chunk as Buffer);
        return {
          position: positionOf(answer.metadata),
          body: Buffer.concat(chunks),
          etag: bare(answer.etag!),
        };
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    },

    async write(partition, position, body) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const before = await standing(partition);
        // Equal positions too: what stands there was made of the same events.
        if (before !== null && before.sequenceNumber >= position.sequenceNumber) return false;
        try {
          await blobOf(partition).upload(body, body.length, {
            metadata: { sequence: String(position.sequenceNumber), offset: position.offset },
            conditions: before === null ? { ifNoneMatch: '*' } : { ifMatch: before.etag },
            abortSignal: AbortSignal.timeout(TIMEOUT_MS),
          });
          return true;
        } catch (error) {
          // Another owner wrote in between: the later position decides.
          if (statusOf(error) !== 409 && statusOf(error) !== 412) throw error;
        }
      }
      return false;
    },
  };
}

/** A listing gives an etag without the quotes that it has in a header. */
function bare(etag: string): string {
  return etag.replaceAll('"', '');
}

/** Names of metadata are not case sensitive. A position that cannot be read is NaN, behind everything. */
function positionOf(metadata: Record<string, string> | undefined): SnapshotPosition {
  const value = (name: string): string | undefined =>
    Object.entries(metadata ?? {}).find(([each]) => each.toLowerCase() === name)?.[1];
  return { sequenceNumber: Number(value('sequence') ?? Number.NaN), offset: value('offset') ?? '' };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
