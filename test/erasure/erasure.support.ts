import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { DuckDBInstance } from '@duckdb/node-api';
import { createBlobEmulator } from '../../emulators/blob';
import { createCuration } from '../../src/analytics/curation';
import { tenantScope, type TenantScope } from '../../src/auth/scope';
import { type Reading, type RefusedReading } from '../../src/domain/reading';
import { createEraser, type Eraser } from '../../src/erasure/eraser';
import { createHeldEvents } from '../../src/ingest/held-events';
import { encodeLanding } from '../../src/ingest/landing-file';
import { createLandingStore } from '../../src/ingest/landing-store';
import { createMetrics } from '../../src/observability/metrics';
import { type ContainerName } from '../../src/store/containers';
import { type Cosmos } from '../../src/store/cosmos';
import { CONTAINERS } from '../../src/store/documents';
import { createPartFiles } from '../../src/store/exports/part-files';
import { eachDocument } from '../../src/store/erasure/removal';
import { type ProvisionedDevice } from '../../src/store/registry';
import { createFrameBuilder, decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { buildReading } from '../support/readings';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  principal,
  startStore,
  type Store,
  valueOf,
} from '../store/store.support';

const INCARNATION = '1790000000000-2';
export const DAY = Date.UTC(2026, 10, 20);

/** What a tenant has in the house. */
export interface Household {
  tenantId: string;
  scope: TenantScope;
  buildingId: string;
  spaceIds: string[];
  devices: ProvisionedDevice[];
}

/** Blob's stand-in, which tests share: it takes seconds to start. */
export interface Account {
  blobs: BlobServiceClient;
  connectionString: string;
  folder: string;
  stop(): Promise<void>;
}

export async function startAccount(): Promise<Account> {
  const folder = await mkdtemp(join(tmpdir(), 'atrium-erasure-'));
  const emulator = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const { connectionString } = await emulator.start();
  return {
    ...{ blobs: BlobServiceClient.fromConnectionString(connectionString), connectionString, folder },
    async stop() {
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface House {
  /** The cold store's container. */
  cold: ContainerClient;
  store: Store;
  blobs: BlobServiceClient;
  connectionString: string;
  /** Makes a tenant with a building, devices, a stock, and something in every container that is kept of it. */
  settle(tenantId: string): Promise<Household>;
  /** Readings of each of the tenants in turn, in one file of the landing; the devices' of each, and what was refused. */
  land(of: readonly Household[], at: number): Promise<void>;
  curate(): Promise<void>;
  buildEraser(options?: Partial<Parameters<typeof createEraser>[0]>): Eraser;
  /** Runs erasers until the tombstone says that it is done. */
  erase(tenantId: string, options?: Partial<Parameters<typeof createEraser>[0]>): Promise<void>;
  /** Every place where one of the texts stands, but for tombstones, found by raw bytes and by SQL. */
  traces(texts: readonly (string | RegExp)[]): Promise<string[]>;
  /** Everything that is kept, place by place, of documents and blobs that do not name the tenant. */
  rowsOf(tenantId: string): Promise<string[]>;
  stop(): Promise<void>;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

let houses = 0;

/** A store of its own, and the account's only containers. */
export async function startHouse({ blobs, connectionString, folder }: Account): Promise<House> {
  const store = await startStore();
  const names = {
    cold: `cold-${++houses}`,
    exports: `exports-${houses}`,
    checkpoints: `checkpoints-${houses}`,
  };
  for (const name of Object.values(names)) await blobs.getContainerClient(name).create();
  const cold = blobs.getContainerClient(names.cold);
  const landing = createLandingStore(cold);
  const parts = createPartFiles(blobs.getContainerClient(names.exports));
  let sequence = 0;
  let copies = 0;

  const curation = createCuration({
    ...{ logger, metrics: createMetrics({ process: 'test' }), blobs, container: names.cold },
    keepLandingMs: Infinity,
  });

  const readingsOf = ({ tenantId, buildingId, spaceIds, devices }: Household, at: number): Reading[] =>
    devices.flatMap(({ device }, i) =>
      [0, 1, 2].map((minute) =>
        buildReading({
          ...{ tenantId, buildingId, spaceId: spaceIds[0]!, deviceId: device.id },
          ...{ pointId: device.assignments[0]!.pointId, pointOrdinal: i, deviceOrdinal: i },
          ...{
            observedAt: at + minute * 60_000,
            receivedAt: at + minute * 60_000 + 40,
            value: 20 + i + minute / 8,
          },
          ...(minute === 2 && { undated: { messageId: `${at}-${i}`, messageIndex: 0 } }),
        }),
      ),
    );

  const refusedOf = ({ tenantId, buildingId, devices }: Household, at: number): RefusedReading => ({
    ...{
      tenantId,
      buildingId,
      deviceId: devices[0]!.device.id,
      channel: 'x',
      observedAt: at,
      receivedAt: at,
    },
    ...{ code: 'UNKNOWN_CHANNEL', message: `no channel for ${tenantId}`, raw: '{"x":1}' },
  });

  const house: House = {
    cold,
    store,
    blobs,
    connectionString,

    async settle(tenantId) {
      const scope = await store.member(`owner of ${tenantId}`, tenantId, 'OWNER');
      const { buildingId, spaceIds } = await createBuilding(store.registry, scope, `House of ${tenantId}`, 2);
      const devices = valueOf(
        await store.registry.provisionDevices(
          scope,
          { buildingId, devices: newDevices(3, spaceIds) },
          freshKey(),
        ),
      );
      const household: Household = { tenantId, scope, buildingId, spaceIds, devices: [...devices] };
      const { cosmos } = store;
      for (const lodger of [`lodger of ${tenantId}`, null]) {
        const spaces = [{ buildingId, spaceIds: [spaceIds[0]!] }];
        const wanted = { tenantId, role: 'VIEWER' as const, spaces, note: null, expiresInMs: 3_600_000 };
        const { code } = valueOf(await store.registry.inviteMember(scope, wanted, freshKey()));
        if (lodger === null) continue;
        const newcomer = tenantScope(principal(lodger), []);
        valueOf(await store.registry.acceptInvitation(newcomer, code!, freshKey()));
      }
      const own = { tenantId, buildingId };
      await cosmos.bulkUpsert('warm', [
        { id: 'avg:00000010', type: 'averages', ...own, points: {} },
        { id: 'seen:000000', type: 'seen', buildingId, seconds: '' },
      ] as never);
      await cosmos.bulkUpsert('recent', [
        { id: `rr_00000010_${tenantId}_1`, type: 'recent', ...own },
        { id: `latest_${tenantId}_000000`, type: 'latest', ...own },
        { id: 'held', type: 'held', buildingId, heldFrom: 1 },
      ] as never);
      await cosmos.bulkUpsert('alerts', [
        { id: 'alh_head', type: 'alertHead', buildingId, number: 1 },
        { id: 'ale_000000000001', type: 'alertEvent', ...own, number: 1 },
      ] as never);
      await cosmos.bulkUpsert('deadletters', [
        { id: 'dl_1-0-1-0', scopeKey: buildingId, ...own, letters: [] },
        { id: 'dl_1-0-2-0', scopeKey: tenantId, tenantId, buildingId: null, letters: [] },
      ] as never);
      await cosmos.bulkUpsert('ingestion', [
        {
          id: `run:${copies++}`,
          key: 'hour:0000:2026-11-20T00',
          tenants: { [tenantId]: [1, 0, 0], ten_any: [2, 0, 0] },
        },
        { id: 'hour:1', key: `tenant:${tenantId}`, hour: 1 },
      ] as never);
      const webhook = `whk_of_${tenantId}`;
      await cosmos.bulkUpsert('directory', [
        { id: `alr_of_${tenantId}`, key: `alertRules:${tenantId}`, kind: 'alertRule', tenantId },
        { id: tenantId, key: 'alertRuleTenants', kind: 'alertRuleTenant', tenantId },
        { id: webhook, key: `webhooks:${tenantId}`, kind: 'webhook', tenantId },
        { id: 'sha256:of', key: `documents:${tenantId}`, kind: 'trustedDocument', tenantId, text: '{ id }' },
        { id: 'count', key: `documents:${tenantId}`, kind: 'count', tenantId, number: 1 },
        { id: 'used:key', key: `api-keys:${tenantId}`, kind: 'apiKeyUse', tenantId, at: 1 },
        { id: `whd_1${tenantId}`, key: `webhook:${webhook}`, kind: 'webhookDelivery', tenantId, buildingId },
        { id: `whd_1${tenantId}`, key: 'webhook-queue:0', kind: 'webhookDue', webhookId: webhook },
        { id: 'job', key: `job:job_of_${tenantId}`, jobId: `job_of_${tenantId}`, tenantId },
        { id: 'rows:000001', key: `job:job_of_${tenantId}`, rows: [] },
        { id: `${tenantId}:00`, key: 'jobs:pending-of-test', job: { tenantId } },
        { id: `job_of_${tenantId}`, key: `jobs-of:${tenantId}`, sortKey: '1' },
        { id: 'serial', key: `serial:${tenantId}:x`, holder: 'h', deviceId: null },
        { id: 'attempts', key: `attempts:${tenantId}`, failures: 1 },
        { id: 'claim', key: `claim:of ${copies++}`, deviceId: devices[0]!.device.id, tenantId },
      ] as never);
      const key = { tenantId, name: 'Dashboard', buildingIds: null, documents: null, expiresInDays: 1 };
      await store.registry.createApiKey(
        scope,
        { ...key, permissions: ['READ_AVERAGES'] },
        `key of ${tenantId}`,
      );
      await store.registry.registerDevices(scope, tenantId, {
        jobId: `job_of_${tenantId}`,
        rows: [{ index: 0, serialNumber: `SN-${tenantId}`, model: 'thermometer', enrollmentGroupId: null }],
      } as never);
      const file = join(folder, 'part');
      await writeFile(file, `building,value\n${buildingId},21\n`);
      await parts.create(
        { tenantId, exportId: `exp_of_${tenantId}` },
        { name: 'part-0.csv', rows: 1, bytes: 1 },
        { path: file, contentType: 'text/csv' },
        AbortSignal.timeout(10_000),
      );
      const snapshot = await compress(serialize({ buildings: [own], name: 'snapshot' }));
      const body = Buffer.concat([Buffer.from('ATRSNAP3'), snapshot]);
      await blobs
        .getContainerClient(names.checkpoints)
        .getBlockBlobClient(`snapshots/aggregate/p=${String(copies).padStart(2, '0')}`)
        .upload(body, body.length);
      return household;
    },

    async land(of, at) {
      const held = createHeldEvents();
      const first = sequence;
      const readings = of.map((each) => readingsOf(each, at));
      for (let i = 0; i < Math.max(...readings.map(({ length }) => length)); i++) {
        const builder = createFrameBuilder();
        // Two tenants in one event, the one that goes before the one that stays.
        for (const each of readings) if (each[i]) builder.add(each[i]!);
        if (i === 0) for (const each of of) builder.refuse(refusedOf(each, at));
        const event = {
          body: builder.take(),
          sequenceNumber: sequence,
          offset: String(sequence++),
          enqueuedTimeUtc: new Date(at + 600_000),
          properties: { [SCHEMA_PROPERTY]: FRAME_SCHEMA },
        };
        held.append(event as never, { frame: decodeFrame(event.body, event.properties) });
      }
      const encoded = await encodeLanding(held, { incarnation: INCARNATION, partition: 0 });
      if (encoded.summary.firstSequence !== first) throw new Error('a landing file begins elsewhere');
      await landing.create(encoded, AbortSignal.timeout(30_000));
    },

    async curate() {
      await curation.curate();
    },

    buildEraser: (options = {}) =>
      createEraser({
        ...{ logger, cosmos: store.cosmos, registry: store.registry, blobs },
        ...{ coldContainer: names.cold, exportContainer: names.exports, curate: house.curate, settleMs: 0 },
        ...options,
      }),

    async erase(tenantId, options) {
      for (let run = 0; run < 5; run++) {
        await house.buildEraser(options).run();
        const erasure = await store.cosmos.read<{ state: string }>('registry', 'erasures', tenantId);
        if (erasure?.state === 'ERASED') return;
      }
      throw new Error(`${tenantId} is not erased after five runs`);
    },

    async traces(texts) {
      const found: string[] = [];
      const look = (place: string, content: string): void => {
        for (const text of texts) {
          const isThere = typeof text === 'string' ? content.includes(text) : text.test(content);
          if (isThere) found.push(`${place}: ${String(text)}`);
        }
      };
      await eachStored(store.cosmos, (container, partition, document) => {
        if (partition !== 'erasures')
          look(`${container} ${partition} ${document.id}`, JSON.stringify(document));
      });
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      try {
        for await (const { name: container } of blobs.listContainers()) {
          const client = blobs.getContainerClient(container);
          for await (const { name, metadata } of client.listBlobsFlat({ includeMetadata: true })) {
            const place = `${container}/${name}`;
            if (/^cold-\d+\/(erased\/|curated\/v1\/tenant=[^/]+\/manifest.json$)/.test(place)) continue;
            const content = await client.getBlobClient(name).downloadToBuffer();
            look(place, `${name} ${JSON.stringify(metadata)} ${content.toString('latin1')}`);
            if (content.subarray(0, 7).toString() === 'ATRSNAP') {
              look(place, (await decompress(content.subarray(8))).toString('latin1'));
            }
            if (!name.endsWith('.parquet')) continue;
            const path = join(folder, 'copies', `${copies++}.parquet`);
            await mkdir(dirname(path), { recursive: true });
            await writeFile(path, content);
            const rows = await connection.runAndReadAll(`SELECT * FROM read_parquet('${path}')`);
            look(place, JSON.stringify(rows.getRowsJson()));
            await rm(path);
          }
        }
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
      return found;
    },

    async rowsOf(tenantId) {
      const kept: string[] = [];
      const instance = await DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      try {
        for (const prefix of ['landing/', 'dead-letters/', `curated/v1/tenant=${tenantId}/`]) {
          for await (const { name } of cold.listBlobsFlat({ prefix })) {
            if (!name.endsWith('.parquet')) continue;
            const path = join(folder, 'copies', `${copies++}.parquet`);
            await mkdir(dirname(path), { recursive: true });
            await cold.getBlobClient(name).downloadToFile(path);
            const rows = await connection.runAndReadAll(
              `SELECT * FROM read_parquet('${path}') WHERE tenant_id = '${tenantId}'`,
            );
            for (const row of rows.getRowsJson()) kept.push(`${name}: ${JSON.stringify(row)}`);
            await rm(path);
          }
        }
      } finally {
        connection.closeSync();
        instance.closeSync();
      }
      await eachStored(store.cosmos, (container, partition, document) => {
        if (document.tenantId !== tenantId || document.type === 'audit') return;
        const own = Object.entries(document).filter(([name]) => !name.startsWith('_'));
        kept.push(`${container} ${partition}: ${JSON.stringify(Object.fromEntries(own))}`);
      });
      return kept.sort();
    },

    async stop() {
      await store.stop();
      for (const name of Object.values(names)) await blobs.getContainerClient(name).delete();
    },
  };
  return house;
}

async function eachStored(
  cosmos: Cosmos,
  take: (container: string, partition: string, document: Record<string, unknown> & { id: string }) => void,
): Promise<void> {
  for (const container of Object.keys(CONTAINERS) as ContainerName[]) {
    const path = CONTAINERS[container].partitionKey.slice(1);
    await eachDocument(cosmos, container, (documents) => {
      for (const each of documents) take(container, String(each[path]), each as never);
    });
  }
}
