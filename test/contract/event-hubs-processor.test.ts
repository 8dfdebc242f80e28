import { type CheckpointStore, earliestEventPosition, EventHubConsumerClient } from '@azure/event-hubs';
import { BlobCheckpointStore } from '@azure/eventhubs-checkpointstore-blob';
import { ContainerClient } from '@azure/storage-blob';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBlobEmulator } from '../../emulators/blob';
import { eventually } from '../support/eventually';
import { HUBS, marker, openTarget, PARTITIONS, type Target } from './event-hubs.target';

describe('Event Hubs is shared among processors', () => {
  let target: Target;
  let blobs: ReturnType<typeof createBlobEmulator>;
  let blobConnection: string;
  let folder: string;
  let store: CheckpointStore;
  let consumers: EventHubConsumerClient[];
  beforeAll(async () => {
    target = await openTarget();
    folder = await mkdtemp(join(tmpdir(), 'event-hubs-processor-'));
    blobs = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: folder });
    blobConnection = (await blobs.start()).connectionString;
  });
  beforeEach(async () => {
    consumers = [];
    const container = new ContainerClient(blobConnection, `c${randomUUID()}`);
    await container.create();
    store = new BlobCheckpointStore(container);
  });
  afterEach(async () => {
    await Promise.all(consumers.map((each) => each.close()));
    await target.closeClients();
  });
  afterAll(async () => {
    await target.stop();
    await blobs.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A processor that checkpoints every event and keeps what it got, by partition. */
  function process(identifier: string): { owned: Set<string>; got: string[]; stop(): Promise<void> } {
    const consumer = new EventHubConsumerClient('$Default', target.connectionString, HUBS.used, store, {
      identifier,
      loadBalancingOptions: {
        strategy: 'greedy',
        updateIntervalInMs: 300,
        partitionOwnershipExpirationIntervalInMs: 3000,
      },
    });
    consumers.push(consumer);
    const state = { owned: new Set<string>(), got: [] as string[], stop: () => subscription.close() };
    const subscription = consumer.subscribe(
      {
        async processEvents(events, context) {
          for (const event of events) state.got.push(String(event.body));
          const last = events.at(-1);
          if (last) await context.updateCheckpoint(last);
        },
        processError: () => Promise.resolve(),
        processInitialize: ({ partitionId }) => Promise.resolve(void state.owned.add(partitionId)),
        processClose: (_reason, { partitionId }) => Promise.resolve(void state.owned.delete(partitionId)),
      },
      { startPosition: earliestEventPosition, maxBatchSize: 100, maxWaitTimeInSeconds: 0.2 },
    );
    return state;
  }

  async function send(): Promise<string[]> {
    const bodies = Array.from({ length: PARTITIONS }, () => marker());
    const producer = target.producer();
    for (const [partition, body] of bodies.entries()) {
      await producer.sendBatch([{ body }], { partitionId: String(partition) });
    }
    return bodies;
  }

  const has = (got: string[], bodies: string[]) => () => expect(got).toEqual(expect.arrayContaining(bodies));

  test('a processor that comes back goes on after its checkpoint', async () => {
    const before = await send();
    const first = process('first');
    await eventually(has(first.got, before));
    await first.stop();
    const after = await send();
    const again = process('first');
    await eventually(has(again.got, after));
    expect(again.got.filter((each) => before.includes(each))).toEqual([]);
    await again.stop();
  });

  test('two processors share the partitions, and no event goes to nobody', async () => {
    const one = process('one');
    await eventually(() => expect(one.owned.size).toBe(PARTITIONS));
    const two = process('two');
    await eventually(() => expect(two.owned.size).toBe(PARTITIONS / 2));
    await eventually(() => expect(one.owned.size).toBe(PARTITIONS / 2));
    const bodies = await send();
    await eventually(() => has([...one.got, ...two.got], bodies)());
    await Promise.all([one.stop(), two.stop()]);
  });
});
