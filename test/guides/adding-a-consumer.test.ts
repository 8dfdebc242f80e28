import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createLogger } from '../../src/observability/logger';
import { createFrameBuilder, FRAME_SCHEMA } from '../../src/stream/frame';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import { createCensus } from './census';

describe('the guide to adding a consumer', () => {
  it('shows the very code that is run here', () => {
    const root = join(__dirname, '..', '..');
    const guide = readFileSync(join(root, 'docs', 'guides', 'adding-a-consumer.md'), 'utf8');
    const shown = /```ts\n([^]*?)```/.exec(guide)![1]!;
    const run = readFileSync(join(__dirname, 'census.ts'), 'utf8');
    expect(shown).toBe(run.replaceAll("'../../src/", "'../"));
  });

  it('counts each building’s distinct readings, also those sent twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'atrium-census-'));
    const hubs = createEventHubsEmulator({
      dataDir: join(folder, 'hubs'),
      hubs: { telemetry: { partitions: 2, consumerGroups: ['census'] } },
    });
    const blob = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
    const namespace = { connectionString: (await hubs.start()).connectionString };
    const blobs = BlobServiceClient.fromConnectionString((await blob.start()).connectionString);
    const producer = createStreamProducer({ namespace, hub: 'telemetry' });
    const census = createCensus({
      logger: createLogger({ name: 'census', level: 'silent' }),
      namespace,
      blobs,
    });
    try {
      await producer.start();
      await census.start();
      const send = async (partition: number, buildingId: string, instants: number[]): Promise<void> => {
        const frame = createFrameBuilder();
        for (const observedAt of instants) frame.add(buildReading({ buildingId, observedAt }));
        await producer.send(partition, FRAME_SCHEMA, [frame.take()]);
      };
      await send(0, 'bld_a', [1_000, 2_000, 3_000]);
      await send(0, 'bld_a', [3_000, 4_000]);
      await send(1, 'bld_b', [1_000]);
      await eventually(() => {
        expect(census.readingsOf('bld_a')).toBe(4);
        expect(census.readingsOf('bld_b')).toBe(1);
      });
    } finally {
      await census.stop();
      await producer.stop();
      await hubs.stop();
      await blob.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
