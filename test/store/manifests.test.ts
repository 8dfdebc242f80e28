import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { type BlobEmulator, createBlobEmulator } from '../../emulators/blob';
import {
  type CuratedManifest,
  type CuratedPosition,
  curatedThrough,
  MANIFEST_SCHEMA,
  ROOT_SCHEMA,
} from '../../src/domain/curated';
import { manifestPath } from '../../src/store/curated-path';
import { createManifests } from '../../src/store/manifests';

const position = (partition: number, sequence: number): CuratedPosition => ({
  incarnation: '1-2',
  partition,
  sequence,
  landed: 0,
  curated: 0,
  duplicates: 0,
  dropped: 0,
});

const buildManifest = (change: Partial<CuratedManifest> = {}): CuratedManifest => ({
  schema: MANIFEST_SCHEMA,
  tenantId: 'ten_a',
  version: 1,
  publishedAt: 1,
  periods: [],
  positions: [],
  retired: [],
  ...change,
});

describe('the manifests of the curated store', () => {
  let folder: string;
  let emulator: BlobEmulator;
  let blobs: BlobServiceClient;
  let containers = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-manifests-'));
    emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
    blobs = BlobServiceClient.fromConnectionString((await emulator.start()).connectionString);
  });
  afterAll(async () => {
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function build() {
    const container = blobs.getContainerClient(`cold-${++containers}`);
    await container.create();
    return { container, manifests: createManifests(container) };
  }

  it('let one of two curators publish, and show the other nothing of its own', async () => {
    const { manifests } = await build();
    const first = await manifests.publish(buildManifest(), null);
    expect(first).not.toBeNull();
    expect(await manifests.publish(buildManifest({ version: 7 }), null)).toBeNull();
    const second = await manifests.publish(buildManifest({ version: 2 }), first);
    expect(second).not.toBeNull();
    expect(await manifests.publish(buildManifest({ version: 8 }), first)).toBeNull();
    expect(await manifests.read('ten_a')).toEqual({ value: buildManifest({ version: 2 }), etag: second });
  });

  it('answer a manifest that stands without reading it again', async () => {
    const { manifests } = await build();
    await manifests.publish(buildManifest(), null);
    const known = (await manifests.read('ten_a'))!;
    expect(await manifests.read('ten_a', known)).toBe(known);
    await manifests.publish(buildManifest({ version: 2 }), known.etag);
    expect((await manifests.read('ten_a', known))!.value.version).toBe(2);
  });

  it('go on from the greater of what all tenants and what this one is curated through', async () => {
    const { manifests } = await build();
    expect(await manifests.standing('ten_a')).toEqual({
      manifest: null,
      erased: false,
      through: new Map(),
    });
    const root = { schema: ROOT_SCHEMA, version: 1, publishedAt: 1 };
    await manifests.publishRoot({ ...root, positions: [position(0, 10), position(1, 5)] }, null);
    await manifests.publish(buildManifest({ positions: [position(1, 9)] }), null);
    const { through } = await manifests.standing('ten_a');
    expect([...through]).toEqual([
      ['1-2/0', 10],
      ['1-2/1', 9],
    ]);
    expect(curatedThrough({ positions: [position(1, 9)] }, { positions: [position(1, 4)] })).toEqual(
      new Map([['1-2/1', 9]]),
    );
  });

  it('show nothing of a tenant that was erased', async () => {
    const { manifests } = await build();
    await manifests.publish(buildManifest({ erasedAt: 5 }), null);
    expect(await manifests.standing('ten_a')).toMatchObject({ manifest: null, erased: true });
  });

  it('refuse a manifest of a schema that is not theirs, and ids that lead elsewhere', async () => {
    const { container, manifests } = await build();
    const body = JSON.stringify(buildManifest({ schema: 'curated-manifest/2' }));
    await container.getBlockBlobClient(manifestPath('ten_a')).upload(body, body.length);
    await expect(manifests.read('ten_a')).rejects.toThrow('curated-manifest/2');
    expect(() => manifestPath('../ten_b')).toThrow('a tenant id is');
  });

  it('name every tenant that has anything here', async () => {
    const { manifests } = await build();
    await manifests.publish(buildManifest(), null);
    await manifests.publish(buildManifest({ tenantId: 'ten_b' }), null);
    const tenants: string[] = [];
    for await (const tenantId of manifests.tenants()) tenants.push(tenantId);
    expect(tenants).toEqual(['ten_a', 'ten_b']);
  });
});
