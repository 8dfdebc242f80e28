import { readFile } from 'node:fs/promises';
import { type TenantScope } from '../../src/auth/scope';
import { removeExpired } from '../../src/analytics/exports/expiry';
import { slicesOf } from '../../src/domain/export';
import { type Cosmos } from '../../src/store/cosmos';
import { createExports, type Exports } from '../../src/store/exports/exports';
import { type PartFiles } from '../../src/store/exports/part-files';
import { type JobDocument, jobKey } from '../../src/store/jobs/documents';
import { createJobs, type Jobs } from '../../src/store/jobs/jobs';
import { createJobQueue } from '../../src/store/jobs/queue';
import { createJobWork } from '../../src/store/jobs/work';
import { freshKey, logger, startStore, type Store, valueOf } from '../store/store.support';
import { buildReading } from '../support/readings';
import { type ColdStore, type ColdStores, startColdStores } from './cold-store';
import {
  buildExporting,
  DAY_MS,
  everything,
  fill,
  FROM,
  HEADER,
  linesIn,
  linesOf,
  readingsOf,
  TO,
} from './exports.support';

const TENANT = 'ten_export';
const BUILDING = 'bld_export';
const PLACE = { tenantId: TENANT, buildingId: BUILDING, spaceId: 'spc_room' };
const KEEP_MS = DAY_MS;
const NEVER = { stopping: () => false, othersWait: () => false };

describe('an export', () => {
  let stores: ColdStores;
  let store: Store;
  let cold: ColdStore;
  let jobs: Jobs;
  let owner: TenantScope;
  let expected: string[];
  beforeAll(async () => {
    store = await startStore();
    stores = await startColdStores();
    cold = await stores.next();
    await fill(cold, PLACE);
    jobs = createJobs(store);
    owner = await store.member('owner', TENANT, 'OWNER');
    expected = linesOf(await readingsOf(cold, PLACE));
    expect(expected).toHaveLength(30);
  });
  afterAll(async () => {
    await stores?.stop();
    await store?.stop();
  });

  const exportsOver = (files: Pick<PartFiles, 'open'>): Exports =>
    createExports({ cosmos: store.cosmos, jobs, files, keepMs: KEEP_MS });

  async function request(files: Pick<PartFiles, 'open'>, parts: Parameters<typeof everything>[0] = {}) {
    const wanted = { ...everything(parts), tenantId: TENANT, buildingId: BUILDING };
    return valueOf(await exportsOver(files).request(owner, wanted, freshKey()));
  }

  /** One worker's time with a job, whatever its lease says. */
  async function work(jobId: string, cosmos: Cosmos, handler: ReturnType<typeof buildExporting>['handler']) {
    const queue = createJobQueue({ cosmos: store.cosmos });
    const job = await store.cosmos.read<JobDocument>('directory', jobKey(jobId), 'job');
    const entry = (await queue.placesOf(TENANT)).find((each) => each.job.jobId === jobId);
    // It ended, and its place was given back.
    if (entry === undefined || job!.finishedAt !== null) return;
    const { take, run } = createJobWork({
      ...store,
      cosmos,
      queue: createJobQueue({ cosmos }),
      handlers: { EXPORT_READINGS: handler },
      worker: freshKey(),
      logger,
    });
    const waiting = { job: job!, entry };
    const taken = await take(waiting);
    if (taken !== null) await run(waiting, taken, NEVER);
  }

  async function downloaded(files: PartFiles, exportId: string): Promise<string[]> {
    const exports = exportsOver(files);
    const made = (await exports.byId(owner, exportId))!;
    const texts: string[] = [];
    for (const { name, bytes } of await exports.parts(owner, made)) {
      const found = (await exports.part(owner, exportId, name))!;
      const range = { start: 0, end: bytes - 1 };
      const { body } = (await exports.open(owner, found, range, new AbortController().signal))!;
      const chunks: Buffer[] = [];
      for await (const chunk of body) chunks.push(chunk as Buffer);
      texts.push(Buffer.concat(chunks).toString());
    }
    return texts;
  }

  it('that is killed at any of its writes is finished by another worker, with no reading lost or doubled', async () => {
    let kills = 0;
    for (let at = 0, died = true; died; at++) {
      died = false;
      let writes = 0;
      let dead = false;
      let ended: () => void;
      const killed = new Promise<void>((resolve) => (ended = resolve));
      let bury: () => void;
      const grave = new Promise<never>((_, reject) => (bury = () => reject(new Error('it died'))));
      grave.catch(() => undefined);
      /** Dies before its write or behind it, and is heard of no more. */
      const mortal = async <T>(write: () => Promise<T>): Promise<T> => {
        const die = (): Promise<never> => {
          dead = died = true;
          ended();
          return grave;
        };
        if (dead || writes++ === at) return die();
        const answer = await write();
        return dead || writes++ === at ? die() : answer;
      };
      const cosmos: Cosmos = {
        ...store.cosmos,
        batch: (...each) => mortal(() => store.cosmos.batch(...each)),
      };
      const whole = buildExporting(store, cold);
      const parts: PartFiles = {
        ...whole.parts,
        create: (...each) => mortal(() => whole.parts.create(...each)),
      };
      const made = await request(whole.parts, { to: FROM + 2 * DAY_MS });
      const first = buildExporting({ cosmos, registry: store.registry }, cold, { parts });
      const ending = work(made.job.jobId, cosmos, first.handler);
      await Promise.race([ending, killed]);
      if (died) kills++;
      await work(made.job.jobId, store.cosmos, whole.handler);
      bury!();
      await ending.catch(() => undefined);

      const job = (await jobs.byId(owner, made.job.jobId))!;
      expect(job).toMatchObject({ state: 'SUCCEEDED', done: 2, total: 2 });
      expect(linesIn(await downloaded(whole.parts, made.id))).toEqual(expected.slice(0, 20));
      const place = { tenantId: TENANT, exportId: made.id };
      expect(await whole.parts.list(place)).toEqual(await exportsOver(whole.parts).parts(owner, made));
    }
    // Each of two slices has two writes, each with a death before and one behind it.
    expect(kills).toBeGreaterThanOrEqual(8);
  });

  it('holds only what was asked for: spaces, devices and quantities', async () => {
    const exporting = buildExporting(store, cold);
    const lines = async (parts: Parameters<typeof everything>[0]): Promise<string[]> => {
      const made = await request(exporting.parts, parts);
      await work(made.job.jobId, store.cosmos, exporting.handler);
      return linesIn(await downloaded(exporting.parts, made.id));
    };
    expect(await lines({ deviceIds: ['dev_1', 'dev_9'] })).toEqual(
      expected.filter((each) => each.includes('dev_1')),
    );
    expect(await lines({ spaceIds: ['spc_elsewhere'] })).toEqual([]);
    expect(await lines({ quantities: ['CO2_LEVEL'] })).toEqual([]);
    expect(await lines({ from: FROM + DAY_MS, to: FROM + DAY_MS + 1 })).toEqual(expected.slice(10, 12));
  });

  it('ends where a part or the whole is larger than may be, and says so', async () => {
    const exporting = buildExporting(store, cold, { maximumPartRows: 9 });
    const rows = await request(exporting.parts);
    await work(rows.job.jobId, store.cosmos, exporting.handler);
    expect(await jobs.byId(owner, rows.job.jobId)).toMatchObject({
      state: 'FAILED',
      error: {
        code: 'LIMIT_EXCEEDED',
        message: expect.stringContaining('holds 10 readings, and a part may have 9'),
      },
    });

    const small = buildExporting(store, cold, { maximumBytes: 2_000 });
    const bytes = await request(small.parts);
    await work(bytes.job.jobId, store.cosmos, small.handler);
    expect(await jobs.byId(owner, bytes.job.jobId)).toMatchObject({
      state: 'FAILED',
      done: 1,
      error: { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('2000 bytes') },
    });
  });

  it('makes nothing more once its maker may not read what it holds', async () => {
    const analyst = await store.member('analyst', TENANT, 'ANALYST');
    const exporting = buildExporting(store, cold);
    const wanted = { ...everything(), tenantId: TENANT, buildingId: BUILDING };
    const made = valueOf(await exportsOver(exporting.parts).request(analyst, wanted, freshKey()));
    await store.member('analyst', TENANT, 'VIEWER');
    await work(made.job.jobId, store.cosmos, exporting.handler);
    expect(await jobs.byId(owner, made.job.jobId)).toMatchObject({
      state: 'FAILED',
      error: { code: 'FORBIDDEN' },
    });
    expect(await exporting.parts.list({ tenantId: TENANT, exportId: made.id })).toEqual([]);
  });

  it('goes when it has expired, failed or lost its job, and not before', async () => {
    const exporting = buildExporting(store, cold);
    const made = await request(exporting.parts);
    await work(made.job.jobId, store.cosmos, exporting.handler);
    const place = { tenantId: TENANT, exportId: made.id };
    const orphan = { tenantId: TENANT, exportId: 'exp_AAAAAAAAAAAAAAAAAAAAAA' };
    const part = { name: '001-2026-03-01.csv', rows: 1, bytes: 1 };
    const file = { path: __filename, contentType: 'text/csv' };
    await exporting.parts.create(orphan, part, file, new AbortController().signal);
    const sweep = (now: number) =>
      removeExpired({ ...store, parts: exporting.parts, keepMs: KEEP_MS, now: () => now });

    await sweep(Date.now());
    expect(await exporting.parts.list(orphan)).toEqual([]);
    expect(await exporting.parts.list(place)).toHaveLength(3);
    const name = (await exporting.parts.list(place))[0]!.name;
    expect(await exportsOver(exporting.parts).part(owner, made.id, name)).not.toBeNull();

    const later = Date.now() + KEEP_MS + 1;
    const after = createExports({
      ...store,
      jobs,
      files: exporting.parts,
      keepMs: KEEP_MS,
      now: () => later,
    });
    expect(await after.part(owner, made.id, name)).toBeNull();
    await sweep(later);
    expect(await exporting.parts.list(place)).toEqual([]);
  });

  it('gives no spreadsheet a formula', async () => {
    const own = await stores.next();
    const points = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '＝1', 'a=1', 'say "hi", twice'];
    await own.land([
      {
        incarnation: '1772000000000-8',
        partition: 0,
        sequence: 0,
        enqueuedAt: TO,
        readings: points.map((pointId, i) =>
          buildReading({ ...PLACE, pointId, pointOrdinal: i, observedAt: FROM + i, value: -1 }),
        ),
      },
    ]);
    const { quantities } = everything();
    const filter = { tenantId: TENANT, buildingIds: null, spaceIds: null, quantities, from: FROM, to: TO };
    const asked = { format: 'CSV' as const, deviceIds: null, maximumRows: 100 };
    const signal = new AbortController().signal;
    const written = await own.files.write(filter, asked, signal, ({ path }) => readFile(path, 'utf8'));
    if (!('used' in written)) throw new Error('nothing was written');
    const [header, ...lines] = written.used.split('\r\n');
    expect(header).toBe(HEADER);
    const cells = lines.map((line) => line.slice(`${BUILDING},spc_room,`.length).split(',dev_')[0]);
    expect(cells.slice(0, -1)).toEqual([
      "'=1+1",
      "'+1",
      "'-1",
      "'@SUM(A1)",
      "'\tx",
      "'＝1",
      'a=1',
      '"say ""hi"", twice"',
    ]);
    expect(lines[0]).toContain(',-1.0,');
  });

  it('covers its range in at most a hundred slices, with neither gap nor overlap', () => {
    for (const [from, to] of [
      [FROM, TO],
      [FROM + 5, FROM + 6],
      [FROM - 1, FROM + 1],
      [FROM + 3, FROM + 366 * DAY_MS + 3],
      [FROM, FROM + 100 * DAY_MS],
    ] as const) {
      const slices = slicesOf({ from, to });
      expect(slices.length).toBeLessThanOrEqual(100);
      expect([slices[0]!.from, slices.at(-1)!.to]).toEqual([from, to]);
      slices.slice(1).forEach((slice, i) => expect(slice.from).toBe(slices[i]!.to));
    }
  });
});
