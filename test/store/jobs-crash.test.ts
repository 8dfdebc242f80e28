import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createBlobEmulator } from '../../emulators/blob';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { type ClaimDocument, stockOf } from '../../src/store/documents';
import { claimKeyOf } from '../../src/store/registry/claim-code';
import { eventually } from '../support/eventually';
import { openWorkshop, serials } from './jobs.support';
import { logger, startStore, type Store } from './store.support';

const TENANT = 'ten_maker';
const ROWS = 1_000;
const PATIENTLY = { within: 180_000, every: 20 };

describe('the jobs process', () => {
  let store: Store;
  const children: ChildProcess[] = [];
  // What the process takes dead letters from and to.
  const folder = mkdtempSync(join(tmpdir(), 'atrium-jobs-'));
  const blobs = createBlobEmulator({ host: '127.0.0.1', port: 0, dataDir: join(folder, 'blob') });
  const eventHubs = createEventHubsEmulator({
    dataDir: join(folder, 'event-hubs'),
    hubs: { telemetry: { partitions: 2, consumerGroups: ['dead-letters'] } },
    fsync: false,
    logger,
  });
  let blobConnection: string;
  let eventHubsConnection: string;
  beforeAll(async () => {
    store = await startStore();
    blobConnection = (await blobs.start()).connectionString;
    eventHubsConnection = (await eventHubs.start()).connectionString;
  });
  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all([store.stop(), eventHubs.stop(), blobs.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  function startProcess(): ChildProcess & { words: () => string } {
    const child = spawn(process.execPath, [resolve(__dirname, '../../dist/src/main/jobs.js')], {
      env: {
        COSMOS_ENDPOINT: store.endpoint,
        COSMOS_KEY: LOCAL_KEY,
        DEVICE_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
        JOBS_HEALTH_PORT: '0',
        EVENT_HUBS_CONNECTION_STRING: eventHubsConnection,
        BLOB_CONNECTION_STRING: blobConnection,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let words = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-4_000)));
    }
    return Object.assign(child, { words: () => words });
  }

  it('is killed in the middle of a job, and another does the rest: each row once, each code good', async () => {
    const maker = await store.member('maker', TENANT, 'OWNER');
    const workshop = openWorkshop(store);
    const given = serials('K', ROWS);
    given[5] = '';
    given[999] = given[0]!;
    const { jobId } = await workshop.registering(maker, TENANT, given);
    const done = async (): Promise<number> => (await workshop.jobs.byId(maker, jobId))!.done;

    const first = startProcess();
    await eventually(async () => expect(await done()).toBeGreaterThanOrEqual(200), PATIENTLY);
    first.kill('SIGKILL');
    const doneByFirst = await done();
    expect(doneByFirst).toBeLessThan(ROWS);

    const second = startProcess();
    await eventually(async () => expect(await done()).toBeGreaterThan(doneByFirst), PATIENTLY);
    const job = await workshop.ended(maker, jobId);
    expect(job).toMatchObject({ state: 'SUCCEEDED', done: ROWS, failed: 2 });

    const rows = await workshop.rowsOf(maker, jobId);
    expect(rows.map(({ serialNumber }) => serialNumber)).toEqual(given);
    const good = rows.filter(({ error }) => error === null);
    expect(good).toHaveLength(ROWS - 2);
    const stock = await store.cosmos.query<{ id: string; serialNumber: string }>(
      'registry',
      stockOf(TENANT),
      "SELECT c.id, c.serialNumber FROM c WHERE c.type = 'stock'",
    );
    expect(new Map(stock.map((each) => [each.id, each.serialNumber]))).toEqual(
      new Map(good.map((row) => [row.deviceId, row.serialNumber])),
    );
    expect(stock).toHaveLength(good.length);

    const revealed = await workshop.jobs.reveal(
      maker,
      jobId,
      good.map(({ index }) => index),
    );
    const claims = await store.cosmos.readMany<ClaimDocument>(
      'directory',
      revealed.map((each, i) => {
        if (!each.shown) throw new Error(`row ${good[i]!.index} shows no code`);
        return { partition: claimKeyOf(good[i]!.serialNumber!, each.text), id: 'claim' };
      }),
    );
    expect(claims.map((claim) => claim?.deviceId)).toEqual(good.map(({ deviceId }) => deviceId));

    const ended = new Promise((resolve) => second.once('exit', resolve));
    second.kill('SIGTERM');
    expect([await ended, second.words()]).toEqual([0, expect.stringContaining('stopped')]);
  }, 500_000);
});
