import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventHubConsumerClient } from '@azure/event-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createEventHubsEmulator, type EventHubsEmulator } from '../../emulators/event-hubs';
import { type FlushLimits, createIngestWorker, type IngestWorker } from '../../src/ingest/worker';
import { createLogger } from '../../src/observability/logger';
import { createMetrics, type Registry } from '../../src/observability/metrics';
import { createFrameBuilder, FRAME_SCHEMA } from '../../src/stream/frame';
import { incarnationOf } from '../../src/stream/incarnation';
import { createStreamProducer } from '../../src/stream/producer';
import { type Reading, type RefusedReading } from '../../src/domain/reading';
import {
  chainDifferences,
  downloadLanding,
  type LandedFile,
  type Landing,
  openLanding,
  type StreamEnds,
} from '../support/landing';

/** Event Hubs and Blob on free ports in a folder of their own, and what a test of the ingest worker does with them. */
export interface Platform {
  blobs: BlobServiceClient;
  blobConnection: string;
  namespace: { connectionString: string };
  eventHubs: () => EventHubsEmulator;
  /** Sends one event with the readings and refusals. */
  send(partition: number, readings: readonly Reading[], refused?: readonly RefusedReading[]): Promise<void>;
  /** Sends a body that is no frame. */
  sendRaw(partition: number, schema: string, body: Buffer): Promise<void>;
  buildWorker(options?: {
    identifier?: string;
    flush?: Partial<FlushLimits>;
    blobs?: BlobServiceClient;
  }): IngestWorker & { metrics: Registry };
  /** The streams as they are now. */
  streams(): Promise<StreamEnds[]>;
  /** Resolves with what is landed; throws while the chains are not whole or do not reach the streams' ends. */
  landedAll(streams?: readonly StreamEnds[]): Promise<{ files: LandedFile[]; landing: Landing }>;
  /** Stops Event Hubs, deletes its log and starts it again on the same port: another life of its hubs. */
  recreateHubs(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPlatform(options: { partitions?: number } = {}): Promise<Platform> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-ingest-'));
  const blobEmulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const { connectionString: blobConnection } = await blobEmulator.start();
  const hubs = { telemetry: { partitions: options.partitions ?? 2, consumerGroups: ['ingest'] } };
  const startHubs = (dataDir: string, port: number) => {
    const emulator = createEventHubsEmulator({ dataDir, port, hubs, fsync: false });
    return emulator.start().then((started) => ({ emulator, ...started }));
  };
  let lives = 0;
  let running = await startHubs(join(folder, `hubs-${lives}`), 0);
  const { connectionString, port } = running;
  const namespace = { connectionString };
  const blobs = BlobServiceClient.fromConnectionString(blobConnection);
  let producer = createStreamProducer({ namespace, hub: 'telemetry' });
  await producer.start();
  const landings: Landing[] = [];
  const workers: IngestWorker[] = [];
  let downloads = 0;

  const streams = async (): Promise<StreamEnds[]> => {
    const client = new EventHubConsumerClient('$Default', connectionString, 'telemetry');
    try {
      const properties = await client.getEventHubProperties();
      return await Promise.all(
        properties.partitionIds.map(async (id) => {
          const partition = await client.getPartitionProperties(id);
          return {
            incarnation: incarnationOf(properties),
            partition: Number(id),
            lastSequence: Number(partition.lastEnqueuedSequenceNumber),
          };
        }),
      );
    } finally {
      await client.close();
    }
  };

  return {
    blobs,
    blobConnection,
    namespace,
    eventHubs: () => running.emulator,
    async send(partition, readings, refused = []) {
      const builder = createFrameBuilder();
      for (const reading of readings) builder.add(reading);
      for (const each of refused) builder.refuse(each);
      await producer.send(partition, FRAME_SCHEMA, [builder.take()]);
    },
    sendRaw: (partition, schema, body) => producer.send(partition, schema, [body]),
    buildWorker({ identifier = 'ingest-0', flush, blobs: through = blobs } = {}) {
      const metrics = createMetrics({ process: 'ingest' });
      const worker = createIngestWorker({
        logger: createLogger({ name: 'ingest', level: process.env.LOG_LEVEL ?? 'silent' }),
        metrics,
        namespace,
        blobs: through,
        identifier,
        flush: { milliseconds: 300, ...flush },
      });
      workers.unshift(worker);
      return { ...worker, metrics };
    },
    streams,
    async landedAll(expected) {
      const into = join(folder, `landing-${downloads++}`);
      const files = await downloadLanding(blobs, into);
      const differences = chainDifferences(files, expected ?? (await streams()));
      if (differences.length > 0) throw new Error(differences.join('\n'));
      const landing = await openLanding(into);
      landings.push(landing);
      return { files, landing };
    },
    async recreateHubs() {
      await producer.stop();
      await running.emulator.stop();
      running = await startHubs(join(folder, `hubs-${++lives}`), port);
      producer = createStreamProducer({ namespace, hub: 'telemetry' });
      await producer.start();
    },
    async stop() {
      for (const worker of workers) await worker.stop();
      for (const landing of landings) landing.close();
      await producer.stop();
      await running.emulator.stop();
      await blobEmulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
