import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobCheckpointStore } from '@azure/eventhubs-checkpointstore-blob';
import { BlobServiceClient } from '@azure/storage-blob';
import { type BlobEmulator, createBlobEmulator } from '../../emulators/blob';
import { createEventHubsEmulator, type EventHubsEmulator } from '../../emulators/event-hubs';
import { createLogger } from '../../src/observability/logger';
import { createConsumerClient } from '../../src/stream/connection';
import {
  createPartitionConsumer,
  type OwnedPartition,
  type PartitionConsumer,
} from '../../src/stream/consumer';
import { checkpointContainerName, incarnationOf } from '../../src/stream/incarnation';
import { createStreamProducer, type StreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';

const PARTITIONS = 3;

describe('a partition consumer', () => {
  let folder: string;
  let eventHubs: EventHubsEmulator;
  let blobEmulator: BlobEmulator;
  let namespace: { connectionString: string };
  let blobs: BlobServiceClient;
  let producer: StreamProducer;
  let consumers: PartitionConsumer[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'atrium-consumer-'));
    eventHubs = createEventHubsEmulator({
      dataDir: join(folder, 'hubs'),
      hubs: { telemetry: { partitions: PARTITIONS, consumerGroups: ['readers'] } },
      fsync: false,
    });
    const { connectionString } = await eventHubs.start();
    namespace = { connectionString };
    blobEmulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
    blobs = BlobServiceClient.fromConnectionString((await blobEmulator.start()).connectionString, {
      retryOptions: { maxTries: 2, retryDelayInMs: 100 },
    });
    producer = createStreamProducer({ namespace, hub: 'telemetry' });
    await producer.start();
    consumers = [];
  });
  afterEach(async () => {
    for (const consumer of consumers) await consumer.stop();
    await producer.stop();
    await eventHubs.stop();
    await blobEmulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Notes what it is given, and checkpoints every batch. */
  function buildConsumer(options: { ownershipExpiresMs?: number } = {}) {
    const seen: string[] = [];
    const opened: OwnedPartition[] = [];
    const consumer = createPartitionConsumer({
      logger: createLogger({ name: 'reader', level: 'silent' }),
      namespace,
      hub: 'telemetry',
      group: 'readers',
      identifier: 'reader-0',
      blobs,
      ...options,
      async open(owned) {
        opened.push(owned);
        return {
          async process(events) {
            for (const event of events) {
              seen.push(`${owned.partition}:${event.sequenceNumber}:${String(event.body)}`);
              await owned.checkpoint(event);
            }
          },
          async close() {},
        };
      },
    });
    consumers.push(consumer);
    return { ...consumer, seen, opened };
  }

  it('begins at the oldest event kept, and behind its checkpoint when it is started again', async () => {
    await producer.send(1, 'text', [Buffer.from('a'), Buffer.from('b')]);
    const first = buildConsumer();
    await first.start();
    await eventually(() => expect(first.seen).toEqual(['1:0:a', '1:1:b']));
    await first.stop();

    await producer.send(1, 'text', [Buffer.from('c')]);
    const second = buildConsumer();
    await second.start();
    await eventually(() => expect(second.seen).toEqual(['1:2:c']));
    const [owned] = second.opened.filter(({ partition }) => partition === 1);
    expect(owned).toMatchObject({ checkpointedSequence: 1, lastEnqueuedSequence: 2 });
    expect(await owned!.now()).toMatchObject({
      incarnation: owned!.incarnation,
      firstSequence: 0,
      lastEnqueuedSequence: 2,
    });
  });

  it('takes back at once what its killed predecessor still holds under the same identifier', async () => {
    const probe = createConsumerClient(namespace, { group: 'readers', hub: 'telemetry' });
    const incarnation = incarnationOf(await probe.getEventHubProperties());
    const { fullyQualifiedNamespace } = probe;
    await probe.close();
    const container = blobs.getContainerClient(checkpointContainerName('telemetry', incarnation));
    await container.create();
    const store = new BlobCheckpointStore(container);
    const claims = Array.from({ length: PARTITIONS }, (_, partition) => ({
      ownerId: 'reader-0',
      partitionId: String(partition),
      fullyQualifiedNamespace,
      consumerGroup: 'readers',
      eventHubName: 'telemetry',
    }));
    await store.claimOwnership(claims);

    // No claim expires meanwhile.
    const consumer = buildConsumer({ ownershipExpiresMs: 3_600_000 });
    await consumer.start();
    await eventually(() => expect(consumer.owned()).toHaveLength(PARTITIONS));
  });

  it('reads a hub that was made again from its beginning, as another incarnation', async () => {
    await producer.send(0, 'text', [Buffer.from('a'), Buffer.from('b')]);
    const consumer = buildConsumer();
    await consumer.start();
    await eventually(() => expect(consumer.seen).toHaveLength(2));

    await producer.stop();
    await eventHubs.stop();
    const port = Number(/:(\d+)/.exec(namespace.connectionString.split('//')[1]!)![1]);
    eventHubs = createEventHubsEmulator({
      dataDir: join(folder, 'hubs-again'),
      port,
      hubs: { telemetry: { partitions: PARTITIONS, consumerGroups: ['readers'] } },
      fsync: false,
    });
    await eventHubs.start();
    producer = createStreamProducer({ namespace, hub: 'telemetry' });
    await producer.start();
    await producer.send(0, 'text', [Buffer.from('c')]);
    await eventually(() => expect(consumer.seen.at(-1)).toBe('0:0:c'));
    const incarnations = new Set(consumer.opened.map(({ incarnation }) => incarnation));
    expect(incarnations.size).toBe(2);
  });

  it('stops although the checkpoint store is away', async () => {
    const consumer = buildConsumer();
    await consumer.start();
    await eventually(() => expect(consumer.owned()).toHaveLength(PARTITIONS));
    await blobEmulator.stop();
    await consumer.stop();
    expect(consumer.owned()).toEqual([]);
  });
});
