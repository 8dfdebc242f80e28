import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { createBlobEmulator } from '../../../emulators/blob';

describe('the blob emulator', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'atrium-blob-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('keeps blobs and their metadata over a clean stop', async () => {
    const first = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir });
    const written = BlobServiceClient.fromConnectionString((await first.start()).connectionString);
    await written.createContainer('telemetry');
    const blob = written.getContainerClient('telemetry').getBlockBlobClient('landing/a');
    await blob.upload('one', 3, { metadata: { lastSequence: '7' } });
    await first.stop();

    const second = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir });
    const read = BlobServiceClient.fromConnectionString((await second.start()).connectionString);
    try {
      const again = read.getContainerClient('telemetry').getBlobClient('landing/a');
      expect((await again.downloadToBuffer()).toString()).toBe('one');
      expect((await again.getProperties()).metadata).toEqual({ lastsequence: '7' });
    } finally {
      await second.stop();
    }
  });

  it('creates a blob only once for writers who ask for that', async () => {
    const emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir });
    const blobs = BlobServiceClient.fromConnectionString((await emulator.start()).connectionString);
    try {
      await blobs.createContainer('telemetry');
      const blob = blobs.getContainerClient('telemetry').getBlockBlobClient('landing/a');
      const create = (text: string): Promise<unknown> =>
        blob.upload(text, text.length, { conditions: { ifNoneMatch: '*' } });
      await create('one');
      const refused: unknown = await create('two').catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(RestError);
      expect((refused as RestError).statusCode).toBe(409);
      expect((await blob.downloadToBuffer()).toString()).toBe('one');
    } finally {
      await emulator.stop();
    }
  });

  it('says in one sentence that its port is taken, and leaves the folder alone', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    try {
      const emulator = createBlobEmulator({ host: '127.0.0.1', port, dataDir });
      await expect(emulator.start()).rejects.toThrow(`127.0.0.1:${port}, the port is in use`);
    } finally {
      await new Promise((resolve) => holder.close(resolve));
    }
  });

  it('refuses to start over a damaged index instead of beginning empty', async () => {
    await writeFile(join(dataDir, '__azurite_db_blob__.json'), '{"collections":[');
    const emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir });
    await expect(emulator.start()).rejects.toThrow(/is damaged: restore it, or remove the folder/);
  });
});
