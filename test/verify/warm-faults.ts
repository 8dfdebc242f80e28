import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { checkpointContainerName } from '../../src/stream/incarnation';
import { type PlatformEndpoints } from '../support/platform';
import { streamEnd } from './stream-end';

/** A blob as it stood once. */
interface Kept {
  body: Buffer;
  metadata: Record<string, string>;
}

/** What storage may do to what a worker of the warm path goes on from, over the SDK. Each answers how many blobs it met. */
export interface WarmFaults {
  /** Remembers what stands now, to go back to it later. To be called now and then. */
  remember(): Promise<void>;
  damageSnapshots(random: () => number): Promise<number>;
  removeSnapshots(): Promise<number>;
  /** Back to what was remembered about `versions` changes ago. */
  rollSnapshotsBack(versions: number): Promise<number>;
  /** Back to the earliest checkpoint that was remembered, or to none. */
  rollCheckpointsBack(): Promise<number>;
}

const SNAPSHOTS = 'snapshots/aggregate/';
const CHECKPOINTS = /\/telemetry\/aggregate\/checkpoint\/\d+$/;
const VERSIONS_KEPT = 20;

export async function createWarmFaults(endpoints: PlatformEndpoints): Promise<WarmFaults> {
  const { incarnation } = await streamEnd(endpoints.eventHubs);
  const container: ContainerClient = BlobServiceClient.fromConnectionString(
    endpoints.blob,
  ).getContainerClient(checkpointContainerName('telemetry', incarnation));
  /** By name, oldest first. */
  const kept = new Map<string, (Kept & { etag: string })[]>();

  const namesOf = async (is: (name: string) => boolean): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) if (is(name)) names.push(name);
    return names;
  };
  const isSnapshot = (name: string): boolean => name.startsWith(SNAPSHOTS);
  const isCheckpoint = (name: string): boolean => CHECKPOINTS.test(name);
  const read = async (name: string): Promise<Kept & { etag: string }> => {
    const blob = container.getBlockBlobClient(name);
    const { metadata = {}, etag } = await blob.getProperties();
    return { body: await blob.downloadToBuffer(), metadata, etag: etag! };
  };
  const write = async (name: string, { body, metadata }: Kept): Promise<void> => {
    await container.getBlockBlobClient(name).upload(body, body.length, { metadata });
  };
  const remove = async (name: string): Promise<void> => {
    await container.getBlockBlobClient(name).deleteIfExists();
  };

  return {
    async remember() {
      for (const name of await namesOf((each) => isSnapshot(each) || isCheckpoint(each))) {
        const versions = kept.get(name) ?? [];
        kept.set(name, versions);
        const found = await read(name);
        if (versions.at(-1)?.etag === found.etag) continue;
        versions.push(found);
        // The oldest stays: it is what a checkpoint is rolled back to.
        if (versions.length > VERSIONS_KEPT) versions.splice(1, 1);
      }
    },
    async damageSnapshots(random) {
      const names = await namesOf(isSnapshot);
      for (const name of names) {
        const { body, metadata } = await read(name);
        const at = Math.floor(random() * body.length);
        const damaged = random() < 0.5 ? Buffer.from(body.subarray(0, at)) : Buffer.from(body);
        if (damaged.length === body.length) damaged[at]! ^= 1 + Math.floor(random() * 255);
        await write(name, { body: damaged, metadata });
      }
      return names.length;
    },
    async removeSnapshots() {
      const names = await namesOf(isSnapshot);
      for (const name of names) await remove(name);
      return names.length;
    },
    async rollSnapshotsBack(versions) {
      const names = await namesOf(isSnapshot);
      for (const name of names) {
        const known = kept.get(name) ?? [];
        const earlier = known[Math.max(0, known.length - 1 - versions)];
        if (earlier !== undefined) await write(name, earlier);
      }
      return names.length;
    },
    async rollCheckpointsBack() {
      const names = await namesOf(isCheckpoint);
      for (const name of names) {
        const [earliest, ...later] = kept.get(name) ?? [];
        if (earliest !== undefined && later.length > 0) await write(name, earliest);
        else await remove(name);
      }
      return names.length;
    },
  };
}
