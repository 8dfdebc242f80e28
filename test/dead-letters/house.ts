import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createSasToken } from '../../simulator/sas-token';
import { directoryScope } from '../../src/auth/directory-scope';
import { type TenantScope } from '../../src/auth/scope';
import { type FloodLimits } from '../../src/dead-letters/flood-cap';
import { createDeadLetters } from '../../src/dead-letters';
import { createDeadLettersMetrics } from '../../src/dead-letters/metrics';
import { createDeadLettersWorker } from '../../src/dead-letters/worker';
import { type RefusedReading } from '../../src/domain/reading';
import { createMetrics } from '../../src/observability/metrics';
import { type Cosmos } from '../../src/store/cosmos';
import { type AcceptedWriter, createAcceptedWriter } from '../../src/store/ingestion/accepted-writer';
import {
  createDeadLettersReader,
  type FiledLetter,
  type LetterFilter,
} from '../../src/store/dead-letters/reader';
import { createDeadLettersWriter } from '../../src/store/dead-letters/writer';
import { createDeviceDirectory } from '../../src/store/device-directory';
import { createJobs } from '../../src/store/jobs/jobs';
import { createJobMetrics } from '../../src/store/jobs/metrics';
import { createJobQueue } from '../../src/store/jobs/queue';
import { createJobRunner } from '../../src/store/jobs/runner';
import { type DeviceDocument } from '../../src/store/documents';
import { type ProvisionedDevice } from '../../src/store/registry';
import { createFrameBuilder, FRAME_SCHEMA } from '../../src/stream/frame';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { HUB, readStream, startGateway } from '../gateway/gateway.support';
import { createBuilding, freshKey, logger, newDevices, startStore, valueOf } from '../store/store.support';

export type House = Awaited<ReturnType<typeof startHouse>>;

/** Store, stream, blobs and a gateway, on free ports; and what a test of dead letters does with them. */
export async function startHouse() {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-dead-letters-'));
  const hubs = { [HUB]: { partitions: 2, consumerGroups: ['dead-letters', 'ingest'] } };
  const eventHubs = createEventHubsEmulator({ dataDir: join(folder, 'hubs'), hubs, fsync: false });
  const blobEmulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  // One after another: loading the blob emulator takes seconds, in which a request to another would run out of time.
  const { connectionString: blobConnection } = await blobEmulator.start();
  const { connectionString } = await eventHubs.start();
  const store = await startStore();
  const blobs = BlobServiceClient.fromConnectionString(blobConnection);
  const namespace = { connectionString };
  const directory = createDeviceDirectory({
    cosmos: store.anotherCosmos(),
    keyring: store.keyring,
    scope: directoryScope('device-authentication'),
    logger,
  });
  await directory.start();
  const accepted = createAcceptedWriter({ cosmos: store.cosmos });
  const gateway = await startGateway({ connectionString, directory, accepted });
  const producer = createStreamProducer({ namespace, hub: HUB });
  await producer.start();
  const reader = createDeadLettersReader({ cosmos: store.cosmos });
  const jobs = createJobs({ cosmos: store.cosmos, keyring: store.keyring });
  const workers: { stop(): Promise<void> }[] = [];

  return {
    jobs,
    store,
    gateway,
    blobs,
    namespace,
    reader,
    /** Another beside it, that tells elsewhere what it accepted. */
    async startGateway(telling: AcceptedWriter) {
      const another = await startGateway({ connectionString, directory, accepted: telling });
      workers.push(another);
      return another;
    },
    /** A worker over the store as it is, or as it is seen through something that fails. */
    async startWorker(options: { limits?: Partial<FloodLimits>; cosmos?: Cosmos } = {}) {
      const metrics = createMetrics({ process: 'jobs' });
      const worker = createDeadLettersWorker({
        logger,
        metrics: createDeadLettersMetrics(metrics),
        namespace,
        hub: HUB,
        blobs,
        writer: createDeadLettersWriter({ cosmos: options.cosmos ?? store.cosmos }),
        identifier: 'dead-letters-0',
        ...(options.limits ? { limits: options.limits } : {}),
      });
      workers.push(worker);
      await worker.start();
      return { ...worker, metrics };
    },
    /** What the jobs process runs of dead letters, over a store that may fail. */
    async startJobs(options: { cosmos?: Cosmos; worker?: string } = {}) {
      const { cosmos = store.cosmos, worker = 'jobs-0' } = options;
      const metrics = createMetrics({ process: 'jobs' });
      const deadLetters = createDeadLetters({
        logger,
        metrics,
        namespace,
        hub: HUB,
        blobs,
        cosmos,
        scope: directoryScope('dead-letter-replay'),
        identifier: 'dead-letters-0',
      });
      const runner = createJobRunner({
        cosmos: store.cosmos,
        keyring: store.keyring,
        registry: store.registry,
        queue: createJobQueue({ cosmos: store.cosmos }),
        handlers: { REPLAY_DEAD_LETTERS: deadLetters.replay },
        worker,
        metrics: createJobMetrics(metrics),
        logger,
        lookMs: 50,
      });
      const stop = async (): Promise<void> => {
        await runner.stop();
        await deadLetters.stop();
      };
      await deadLetters.start();
      await runner.start();
      workers.push({ stop });
      return { ...deadLetters, metrics, stop };
    },
    /** Replays what fits, as the API does, and waits for the job's end. */
    async replay(
      scope: TenantScope,
      buildingId: string,
      filter: LetterFilter & { ids?: string[] } = {},
      key = freshKey(),
    ) {
      const { tenantId } = scope.entitlements[0]!;
      const place = { tenantId, buildingId };
      const { jobId } = valueOf(
        await jobs.create(
          scope,
          {
            kind: 'REPLAY_DEAD_LETTERS',
            ...place,
            parameters: { ...filter },
            rows: () => reader.replayableLetters(scope, place, { ...filter, limit: 10_000 }),
          },
          key,
        ),
      );
      return eventually(async () => {
        const job = (await jobs.byId(scope, jobId))!;
        expect(job.finishedAt).not.toBeNull();
        const { items } = await jobs.rows(scope, jobId, { first: 200, after: null });
        return { job, rows: items };
      });
    },
    member: (name: string, tenantId: string, role: Parameters<typeof store.member>[2] = 'OWNER') =>
      store.member(name, tenantId, role),
    async provision(scope: TenantScope, model = 'thermometer', count = 1) {
      const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
      const devices = newDevices(count, spaceIds, model);
      const made = await store.registry.provisionDevices(scope, { buildingId, devices }, freshKey());
      return { buildingId, devices: valueOf(made), device: valueOf(made)[0]! };
    },
    /** Changes a device's document as a command of the registry would. */
    async change(buildingId: string, deviceId: string, change: (device: DeviceDocument) => DeviceDocument) {
      const device = (await store.cosmos.read<DeviceDocument>('registry', buildingId, deviceId))!;
      await store.cosmos.bulkUpsert('registry', [change(device)]);
    },
    /** Over HTTP, as a device does. */
    async post(
      { device, keys }: ProvisionedDevice,
      body: unknown,
      headers: Record<string, string> = {},
      url = gateway.url,
    ): Promise<number> {
      const connection = `HostName=127.0.0.1;DeviceId=${device.id};SharedAccessKey=${keys!.primary}`;
      const response = await fetch(`${url}/devices/${device.id}/messages/events`, {
        method: 'POST',
        headers: {
          authorization: createSasToken(connection, 60),
          'content-type': 'application/json',
          ...headers,
        },
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      });
      await response.text();
      return response.status;
    },
    /** One event of the stream with these refusals, as a gateway of this release or the first wrote it. */
    async refuse(partition: number, refused: readonly RefusedReading[]): Promise<void> {
      const builder = createFrameBuilder();
      for (const each of refused) builder.refuse(each);
      await producer.send(partition, FRAME_SCHEMA, [builder.take()]);
    },
    /** All of a building's letters, page by page. */
    async letters(
      scope: TenantScope,
      buildingId: string | null,
      filter: LetterFilter & { tenantId?: string; first?: number } = {},
    ): Promise<FiledLetter[]> {
      const { tenantId = scope.entitlements[0]!.tenantId, first = 50, ...rest } = filter;
      const found: FiledLetter[] = [];
      for (let after: string | null = null; ;) {
        const page = await reader.deadLetters(scope, { tenantId, buildingId }, { first, after, ...rest });
        found.push(...page.items);
        if (page.next === null) return found;
        after = page.next;
      }
    },
    readStream: () => readStream(connectionString),
    async stop() {
      for (const worker of workers) await worker.stop();
      await gateway.stop();
      await directory.stop();
      await producer.stop();
      await eventHubs.stop();
      await blobEmulator.stop();
      await store.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
