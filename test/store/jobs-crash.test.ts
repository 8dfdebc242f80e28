import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { type ClaimDocument, stockOf } from '../../src/store/documents';
import { claimKeyOf } from '../../src/store/registry/claim-code';
import { eventually } from '../support/eventually';
import { openWorkshop, serials } from './jobs.support';
import { startStore, type Store } from './store.support';

const TENANT = 'ten_maker';
const ROWS = 1_000;

describe('the jobs process', () => {
  let store: Store;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    store = await startStore();
  });
  afterAll(async () => {
    for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
    await store.stop();
  });

  function startProcess(): ChildProcess & { words: () => string } {
    const child = spawn(process.execPath, [resolve(__dirname, '../../dist/src/main/jobs.js')], {
      env: {
        COSMOS_ENDPOINT: store.endpoint,
        COSMOS_KEY: LOCAL_KEY,
        DEVICE_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
        JOBS_HEALTH_PORT: '0',
        // Nobody listens there: what else the process does must not hold jobs up.
        EVENT_HUBS_CONNECTION_STRING:
          'Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=none;SharedAccessKey=bm9uZQ==;UseDevelopmentEmulator=true',
        BLOB_CONNECTION_STRING:
          'DefaultEndpointsProtocol=http;AccountName=none;AccountKey=bm9uZQ==;BlobEndpoint=http://127.0.0.1:9/none;',
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
    await eventually(async () => expect(await done()).toBeGreaterThanOrEqual(200), { every: 5 });
    first.kill('SIGKILL');
    const killedAt = Date.now();
    const doneByFirst = await done();
    expect(doneByFirst).toBeLessThan(ROWS);

    const second = startProcess();
    await eventually(async () => expect(await done()).toBeGreaterThan(doneByFirst), { within: 15_000 });
    expect(Date.now() - killedAt).toBeLessThan(15_000);
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
  });
});
