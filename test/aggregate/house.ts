import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { earliestEventPosition, type ReceivedEventData } from '@azure/event-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import { createBlobEmulator } from '../../emulators/blob';
import { createCosmosEmulator } from '../../emulators/cosmos/emulator';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { type AggregateWorker, createAggregateWorker } from '../../src/aggregate';
import { createRecentMetrics } from '../../src/aggregate/recent/metrics';
import { tenantScope } from '../../src/auth/scope';
import { type BuildingAverage } from '../../src/domain/window';
import { createLogger } from '../../src/observability/logger';
import { createMetrics, type Registry } from '../../src/observability/metrics';
import { type AveragesWriter, type StoredAverage } from '../../src/store/averages';
import { createAveragesReader } from '../../src/store/averages-reader';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { type AlertEventDocument } from '../../src/store/alert-documents';
import { type AlertRules, createAlertRules } from '../../src/store/alert-rules';
import { createAlertsStore } from '../../src/store/alerts-store';
import { createBuildingInventory } from '../../src/store/building-inventory';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';
import { decodeAlertEvent, tellsOfAlert } from '../../src/stream/alerts';
import { type RecentRow } from '../../src/store/recent';
import { createRecentSource } from '../../src/store/recent-reader';
import { createRecentWriter } from '../../src/store/recent-writer';
import { decodeAverages } from '../../src/stream/averages';
import { type CorrectedMinutes, CORRECTIONS_SCHEMA, decodeCorrections } from '../../src/stream/corrections';
import { createConsumerClient } from '../../src/stream/connection';
import { decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { STATES_SCHEMA } from '../../src/stream/states';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { type Row } from './plain-model';
import { bodyOf } from './random-stream';

export const PARTITIONS = 2;

export interface House {
  /** The clock of hub, workers and devices; only `pass` moves it faster than the wall's. */
  now(): number;
  pass(seconds: number): void;
  /**
   * Resolves once every worker has heard the stream to its end and looked at what is due. A leap of the clock looks like a
   * silence of the hub: who lets time pass again before the worker has heard from it stops the worker's clock for good.
   */
  heard(): Promise<void>;
  send(partition: number, rows: Omit<Row, 'sequence' | 'enqueuedAt'>[]): Promise<void>;
  startWorker(options?: { identifier?: string; averages?: AveragesWriter; alerts?: boolean }): Promise<{
    worker: AggregateWorker;
    metrics: Registry;
    /** What it follows, where it follows any. */
    rules: AlertRules | undefined;
    stop(): Promise<void>;
  }>;
  writer(): AveragesWriter;
  /** Every row that the hub holds, with its position and enqueued time. */
  rows(): Row[];
  /** Every live value that was told. */
  live(): BuildingAverage[];
  /** Every alert's event that was told. */
  alerts(): AlertEventDocument[];
  cosmos: Cosmos;
  /** What was told of minutes that were corrected. */
  corrections(): CorrectedMinutes[];
  /** Every recent reading that is stored of a building. */
  recent(buildingId: string): Promise<RecentRow[]>;
  history(buildingId: string): Promise<StoredAverage[]>;
  /** Stops Cosmos; resolves to what brings it back, with all that it held. */
  loseCosmos(): Promise<() => Promise<void>>;
  /** Changes a byte in the middle of every stored snapshot. */
  damageSnapshots(): Promise<void>;
  stop(): Promise<void>;
}

const logger = createLogger({ name: 'test', level: process.env.TEST_LOG ?? 'silent' });

/** The real stand-ins on free ports, in a folder of their own. */
export async function startHouse(): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-aggregate-'));
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const hubs = createEventHubsEmulator({
    dataDir: join(folder, 'hubs'),
    hubs: {
      telemetry: { partitions: PARTITIONS, consumerGroups: ['aggregate'] },
      averages: { partitions: PARTITIONS, consumerGroups: ['live-0'] },
    },
    fsync: false,
    now,
  });
  const blob = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const cosmosFolder = { logger, sync: false, data: join(folder, 'cosmos') };
  let cosmosEmulator = createCosmosEmulator(cosmosFolder);
  const namespace = { connectionString: (await hubs.start()).connectionString };
  const blobs = BlobServiceClient.fromConnectionString((await blob.start()).connectionString);
  const { endpoint, key, port } = await cosmosEmulator.start();
  const cosmos = createCosmos({ endpoint, key }, 'atrium');
  await cosmos.ensureContainers();
  const producer = createStreamProducer({ namespace, hub: 'telemetry' });
  await producer.start();

  const rows: Row[] = [];
  const live: BuildingAverage[] = [];
  const alerts: AlertEventDocument[] = [];
  const corrections: CorrectedMinutes[] = [];
  const follow = (hub: string, group: string, take: (event: ReceivedEventData) => void) => {
    const client = createConsumerClient(namespace, { hub, group });
    const subscription = client.subscribe(
      {
        processEvents: (events) => Promise.resolve(events.forEach(take)),
        processError: () => Promise.resolve(),
      },
      { startPosition: earliestEventPosition, maxBatchSize: 100, skipParsingBodyAsJson: true },
    );
    return async () => {
      await subscription.close();
      await client.close();
    };
  };
  const followers = [
    follow('telemetry', '$Default', (event) => rows.push(...rowsOf(event))),
    follow('averages', 'live-0', (event) => {
      const schema: unknown = event.properties?.[SCHEMA_PROPERTY];
      if (tellsOfAlert(event.properties)) alerts.push(decodeAlertEvent(event.body, event.properties));
      else if (schema === CORRECTIONS_SCHEMA) corrections.push(...decodeCorrections(event.body));
      else if (schema !== STATES_SCHEMA) live.push(...decodeAverages(event.body, event.properties));
    }),
  ];
  const running = new Map<AggregateWorker, Registry>();

  return {
    now,
    pass(seconds) {
      ahead += seconds * 1000;
    },
    async heard() {
      for (const [worker, metrics] of running) {
        const ticks = async (): Promise<number> => {
          const { values } = await metrics.getSingleMetric('atrium_aggregate_tick_seconds')!.get();
          const counts = (values as { metricName?: string; value: number }[]).filter(({ metricName }) =>
            metricName?.endsWith('_count'),
          );
          return counts.reduce((sum, { value }) => sum + value, 0);
        };
        await eventually(() => expect(worker.readiness().reasons).toEqual([]), { within: 60_000 });
        const before = await ticks();
        await eventually(
          async () => {
            const owned = await metrics.getSingleMetric('atrium_aggregate_catching_up')!.get();
            if (owned.values.length > 0) expect(await ticks()).toBeGreaterThan(before);
          },
          { every: 20, within: 60_000 },
        );
      }
    },
    send: (partition, sent) =>
      producer.send(partition, FRAME_SCHEMA, [
        bodyOf(sent.map((row) => ({ ...row, sequence: 0, enqueuedAt: now() }))),
      ]),
    async startWorker({ identifier = 'aggregate-0', averages, alerts: withAlerts } = {}) {
      const metrics = createMetrics({ process: 'aggregate' });
      const followed = withAlerts && {
        rules: createAlertRules({ cosmos, logger, now }),
        inventory: createBuildingInventory({ cosmos, logger }),
      };
      if (followed) await Promise.all([followed.rules.start(), followed.inventory.start()]);
      const worker = createAggregateWorker({
        logger,
        metrics,
        namespace,
        blobs,
        identifier,
        counts: { start: async () => {}, stop: async () => {}, devicesExpected: () => 4 },
        averages: averages ?? createAveragesWriter({ cosmos }),
        ...(followed && {
          alerts: { ...followed, store: createAlertsStore({ cosmos }), keepSeconds: 86_400 },
        }),
        recent: {
          metrics: createRecentMetrics(metrics),
          writer: createRecentWriter({ cosmos, now }),
          source: createRecentSource({ cosmos }),
        },
        tickEveryMs: 100,
        heardAfterSeconds: 0.1,
        now,
      });
      running.set(worker, metrics);
      await worker.start();
      return {
        worker,
        metrics,
        rules: followed ? followed.rules : undefined,
        async stop() {
          running.delete(worker);
          await worker.stop();
          if (followed) await Promise.all([followed.rules.stop(), followed.inventory.stop()]);
        },
      };
    },
    writer: () => createAveragesWriter({ cosmos }),
    rows: () => rows,
    live: () => live,
    alerts: () => alerts,
    cosmos,
    corrections: () => corrections,
    recent: (buildingId) =>
      createRecentSource({ cosmos }).rows(
        { tenantId: 'ten_a', buildingId },
        { fromMinute: 0, toMinute: 99_999_980 },
        { incarnation: '', partition: 0, sequence: 0 },
      ),
    history: (buildingId) =>
      createAveragesReader({ cosmos }).history(
        tenantScope({ kind: 'person', id: 'per_a', email: null, expiresAt: Infinity }, [
          { tenantId: 'ten_a', buildingId: null, quantities: null, role: 'VIEWER', until: null },
        ]),
        { buildingId, quantity: 'AIR_TEMPERATURE', fromMinute: 0, toMinute: 99_999_999, limit: 10_000 },
      ),
    async loseCosmos() {
      await cosmosEmulator.stop();
      return async () => {
        cosmosEmulator = createCosmosEmulator({ ...cosmosFolder, port });
        await cosmosEmulator.start();
      };
    },
    async damageSnapshots() {
      for await (const { name: container } of blobs.listContainers()) {
        const client = blobs.getContainerClient(container);
        for await (const { name, metadata } of client.listBlobsFlat({
          prefix: 'snapshots/',
          includeMetadata: true,
        })) {
          const body = await client.getBlobClient(name).downloadToBuffer();
          body[body.length >> 1]! ^= 0x41;
          await client.getBlockBlobClient(name).upload(body, body.length, { metadata: metadata ?? {} });
        }
      }
    },
    async stop() {
      for (const worker of running.keys()) await worker.stop();
      for (const stop of followers) await stop();
      await producer.stop();
      cosmos.stop();
      await Promise.all([hubs.stop(), blob.stop(), cosmosEmulator.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function rowsOf(event: ReceivedEventData): Row[] {
  const frame = decodeFrame(event.body, event.properties);
  return frame.point.map((index, row) => {
    const point = frame.points[index]!;
    return {
      sequence: event.sequenceNumber,
      enqueuedAt: event.enqueuedTimeUtc.getTime(),
      buildingId: frame.buildings[point.building]!.buildingId,
      spaceId: point.spaceId,
      quantity: point.quantity,
      pointOrdinal: point.pointOrdinal,
      deviceOrdinal: point.deviceOrdinal,
      observedAt: frame.observedAt[row]!,
      value: frame.value[row]!,
    };
  });
}
