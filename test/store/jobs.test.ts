import { createFaults } from '../../emulators/cosmos/faults';
import { type TenantScope } from '../../src/auth/scope';
import { ROWS_A_CHUNK } from '../../src/domain/job';
import { type Cosmos } from '../../src/store/cosmos';
import { type MembershipDocument } from '../../src/store/documents';
import {
  type JobDocument,
  jobKey,
  type JobRowsDocument,
  PLACES_A_TENANT,
  rowsId,
} from '../../src/store/jobs/documents';
import { type ChunkWork, type JobHandlers } from '../../src/store/jobs/handler';
import { createJobs, type NewJob } from '../../src/store/jobs/jobs';
import { createJobQueue } from '../../src/store/jobs/queue';
import { eventually } from '../support/eventually';
import { openWorkshop, serials, type Workshop } from './jobs.support';
import { createBuilding, freshKey, startStore, type Store, tapped, valueOf } from './store.support';

const NORTH = 'ten_north';
const SOUTH = 'ten_south';

const faults = createFaults();
let store: Store;
let owner: TenantScope;
let workshop: Workshop;
beforeAll(async () => {
  store = await startStore({ faults });
  owner = await store.member('owner', NORTH, 'OWNER');
});
afterAll(() => store.stop());
beforeEach(() => {
  workshop = openWorkshop(store);
});
afterEach(() => workshop.stop());

const newJob = (rows: readonly unknown[], tenantId = NORTH): NewJob => ({
  kind: 'REGISTER_DEVICES',
  tenantId,
  buildingId: null,
  parameters: { enrollmentGroupId: null },
  rows,
});

/** Handlers that only count, and hold each chunk until it is let go. */
function held(): { handlers: JobHandlers; begun: ChunkWork[]; releaseOne(): void; release(): void } {
  const begun: ChunkWork[] = [];
  const waiting: (() => void)[] = [];
  let open = false;
  return {
    begun,
    handlers: {
      async REGISTER_DEVICES(work) {
        begun.push(work);
        if (!open) await new Promise<void>((resolve) => waiting.push(resolve));
        const value = work.rows.map(() => ({
          serialNumber: null,
          deviceId: null,
          secret: null,
          error: null,
        }));
        return { ok: true, value };
      },
    },
    releaseOne: () => waiting.shift()?.(),
    release() {
      open = true;
      for (const each of waiting.splice(0)) each();
    },
  };
}

describe('a job of registrations', () => {
  it('gives each row its device and claim code, or why not, and counts both', async () => {
    const given = serials('faulty', 250);
    given[7] = '';
    given[120] = given[3]!;
    const job = await workshop.registering(owner, NORTH, given);
    expect(job).toMatchObject({ state: 'QUEUED', total: 250, done: 0 });
    await workshop.worker();
    const over = await workshop.ended(owner, job.jobId);
    expect(over).toMatchObject({
      state: 'SUCCEEDED',
      done: 250,
      failed: 2,
      failedChunks: [0, 1],
      seed: null,
    });

    const rows = await workshop.rowsOf(owner, job.jobId);
    expect(rows.map(({ index }) => index)).toEqual(given.map((_, i) => i));
    expect(rows.flatMap(({ error, index }) => (error ? [[index, error.code, error.path]] : []))).toEqual([
      [7, 'INVALID_INPUT', 'devices.7.serialNumber'],
      [120, 'CONFLICT', 'devices.120.serialNumber'],
    ]);
    expect(new Set(rows.flatMap(({ deviceId }) => deviceId ?? [])).size).toBe(248);

    const failed = await workshop.jobs.rows(owner, job.jobId, { first: 1, after: null, failedOnly: true });
    expect(failed.items.map(({ index }) => index)).toEqual([7]);
    const rest = await workshop.jobs.rows(owner, job.jobId, {
      first: 5,
      after: failed.next,
      failedOnly: true,
    });
    expect(rest.items.map(({ index }) => index)).toEqual([120]);
    expect(rest.next).toBeNull();
  });

  it('hands out claim codes that open what is stored, each once, to its creator alone', async () => {
    const job = await workshop.registering(owner, NORTH, serials('once', 3));
    await workshop.worker();
    await workshop.ended(owner, job.jobId);
    const stranger = await store.member('another owner', NORTH, 'OWNER');
    expect(await workshop.jobs.reveal(stranger, job.jobId, [0])).toEqual([
      { shown: false, alreadyShown: false },
    ]);
    const racing = await Promise.all(
      Array.from({ length: 8 }, () => workshop.jobs.reveal(owner, job.jobId, [0, 1])),
    );
    for (const i of [0, 1]) {
      const shown = racing.map((each) => each[i]!).filter((each) => each.shown);
      expect(shown).toHaveLength(1);
      expect(shown[0]!.shown && shown[0]!.text).toMatch(/^[0-9A-HJKMNP-TV-Z-]{26,32}$/);
    }
    expect(await workshop.jobs.reveal(owner, job.jobId, [0, 2])).toEqual([
      { shown: false, alreadyShown: true },
      { shown: true, text: expect.any(String) as string },
    ]);
    const stored = await store.cosmos.read<JobRowsDocument>('directory', jobKey(job.jobId), rowsId(0));
    expect(stored!.rows.map(({ secret }) => secret!.sealed)).toEqual([null, null, null]);
  });

  it('shows a secret to the reader whose write was answered with nothing', async () => {
    const job = await workshop.registering(owner, NORTH, serials('lost', 1));
    await workshop.worker();
    await workshop.ended(owner, job.jobId);
    let lost = 0;
    const losing = tapped(store.cosmos, {
      after(_call, name) {
        if (name === 'batch' && lost++ === 0) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      },
    });
    const jobs = createJobs({ cosmos: losing, keyring: store.keyring });
    const [shown] = await jobs.reveal(owner, job.jobId, [0]);
    expect(lost).toBeGreaterThan(0);
    expect(shown).toMatchObject({ shown: true });
  });

  it('is the same job again for the same key and input, and refuses the key for another input', async () => {
    const key = freshKey();
    const rows = serials('same', 3).map((serialNumber) => ({ serialNumber, model: 'thermometer' }));
    const made = await Promise.all(
      Array.from({ length: 5 }, () => workshop.jobs.create(owner, newJob(rows), key)),
    );
    expect(new Set(made.map((each) => valueOf(each).jobId)).size).toBe(1);
    const places = await createJobQueue(store).placesOf(NORTH);
    expect(places.filter((each) => each.job.jobId === valueOf(made[0]!).jobId)).toHaveLength(1);
    const other = await workshop.jobs.create(owner, newJob(rows.slice(1)), key);
    expect(other).toMatchObject({ ok: false, refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await workshop.jobs.cancel(owner, valueOf(made[0]!).jobId);
  });

  it('is one job with all its rows wherever its making was broken off and begun again', async () => {
    const maker = await store.member('broken', 'ten_broken', 'OWNER');
    const rows = serials('again', 2 * ROWS_A_CHUNK).map((serialNumber) => ({
      serialNumber,
      model: 'thermometer',
    }));
    let calls = Infinity;
    for (let brokenAt = 1; brokenAt <= calls; brokenAt++) {
      const key = freshKey();
      let made = 0;
      const breaking = tapped(store.cosmos, {
        after(call) {
          made = call;
          if (call === brokenAt) throw new Error('broken off');
        },
      });
      const broken = createJobs({ cosmos: breaking, keyring: store.keyring });
      await broken.create(maker, newJob(rows, 'ten_broken'), key).catch(() => undefined);
      // Once more calls were allowed than there are, the last was not broken off.
      if (made < brokenAt) calls = made;
      const job = valueOf(await workshop.jobs.create(maker, newJob(rows, 'ten_broken'), key));
      const places = await createJobQueue(store).placesOf('ten_broken');
      expect(places.map((each) => [each.job.jobId, each.job.seed])).toEqual([[job.jobId, job.seed]]);
      const inputs = await store.cosmos.query<{ rows: unknown[] }>(
        'directory',
        jobKey(job.jobId),
        "SELECT c.rows FROM c WHERE STARTSWITH(c.id, 'input:')",
      );
      expect(inputs.flatMap((each) => each.rows)).toHaveLength(rows.length);
      valueOf(await workshop.jobs.cancel(maker, job.jobId));
    }
    expect(calls).toBeGreaterThan(5);
  });
});

describe('a job of provisionings', () => {
  it('gives each row its device and key, or why not, and finishes what an earlier try began', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
    const rows = Array.from({ length: 150 }, (_, i) => ({
      name: i === 20 ? '' : `Device ${i}`,
      model: i === 30 ? 'unheard-of' : 'thermometer',
      spaceId: i === 40 ? 'spc_nowhere' : spaceIds[i % spaceIds.length]!,
      serialNumber: i === 50 ? 'P-51' : `P-${i}`,
    }));
    rows[51]!.serialNumber = 'P-51';
    const job = valueOf(
      await workshop.jobs.create(
        owner,
        { kind: 'PROVISION_DEVICES', tenantId: NORTH, buildingId, parameters: {}, rows },
        freshKey(),
      ),
    );
    // The first try of each chunk does all of it and is broken off before its result is kept.
    const broken = new Set<number>();
    const { PROVISION_DEVICES: provision } = workshop.handlers();
    await workshop.worker({
      handlers: {
        async PROVISION_DEVICES(work) {
          const outcome = await provision!(work);
          if (broken.has(work.chunk)) return outcome;
          broken.add(work.chunk);
          throw new Error('broken off');
        },
      },
    });
    expect(await workshop.ended(owner, job.jobId)).toMatchObject({
      state: 'SUCCEEDED',
      done: 150,
      failed: 4,
    });
    const found = await workshop.rowsOf(owner, job.jobId);
    expect(found.flatMap(({ error }) => (error ? [[error.code, error.path]] : []))).toEqual([
      ['INVALID_INPUT', 'devices.20.name'],
      ['INVALID_INPUT', 'devices.30.model'],
      ['NOT_FOUND', 'devices.40.spaceId'],
      ['INVALID_INPUT', 'devices.51.serialNumber'],
    ]);
    expect(found[51]!.error!.message).toContain('devices.50');
    const building = await store.registry.buildingsById(owner, [buildingId]);
    expect(building[0]!.devices).toBe(146);
    const ids = found.flatMap(({ deviceId }) => deviceId ?? []);
    expect(new Set(ids).size).toBe(146);
    const [device] = await store.registry.devicesById(owner, [found[149]!.deviceId!]);
    const [key] = await workshop.jobs.reveal(owner, job.jobId, [149]);
    const primary = store.keyring.open(device!.id, device!.keys!.primary).toString('base64');
    expect(key).toEqual({ shown: true, text: primary });
  });
});

describe('the queue', () => {
  it('has a bounded number of places for a tenant, however many ask at once', async () => {
    const manager = await store.member('bounded', 'ten_bounded', 'MANAGER');
    const made = await Promise.all(
      Array.from({ length: PLACES_A_TENANT + 4 }, (_, i) =>
        workshop.jobs.create(manager, newJob([i], 'ten_bounded'), freshKey()),
      ),
    );
    const refusedOnes = made.filter((each) => !each.ok);
    expect(refusedOnes).toHaveLength(4);
    expect(refusedOnes[0]).toMatchObject({ refusal: { code: 'LIMIT_EXCEEDED' } });
    await workshop.jobs.cancel(manager, valueOf(made.find((each) => each.ok)!).jobId);
    valueOf(await workshop.jobs.create(manager, newJob(['after'], 'ten_bounded'), freshKey()));
    for (const each of await createJobQueue(store).placesOf('ten_bounded')) {
      await workshop.jobs.cancel(manager, each.job.jobId);
    }
  });

  it('goes round the tenants', async () => {
    const many = await store.member('many', 'ten_many', 'OWNER');
    const few = await store.member('few', 'ten_few', 'OWNER');
    const { begun, handlers, release } = held();
    for (let i = 0; i < 6; i++) await workshop.jobs.create(many, newJob([i], 'ten_many'), freshKey());
    await workshop.jobs.create(few, newJob(['one'], 'ten_few'), freshKey());
    await workshop.worker({ handlers, atOnce: 2 });
    await eventually(() => expect(begun).toHaveLength(2));
    expect(begun.map(({ job }) => job.tenantId).sort()).toEqual(['ten_few', 'ten_many']);
    release();
    await eventually(() => expect(begun).toHaveLength(7));
  });

  it('lets a long job make room for a tenant who has none under way', async () => {
    const many = await store.member('long', 'ten_long', 'OWNER');
    const few = await store.member('short', 'ten_short', 'OWNER');
    const order: string[] = [];
    const CHUNKS = 60;
    const count: JobHandlers['REGISTER_DEVICES'] = async (work) => {
      order.push(work.job.tenantId);
      if (order.length === 1) {
        await workshop.jobs.create(few, newJob(['short'], 'ten_short'), freshKey());
        // Until the worker has seen that another waits.
        await eventually(async () =>
          expect((await createJobQueue(store).look(Date.now())).waiting).toHaveLength(1),
        );
      }
      // Long enough for the worker to look at the queue once more.
      if (!order.includes('ten_short')) await new Promise((resolve) => setTimeout(resolve, 100));
      const row = { serialNumber: null, deviceId: null, secret: null, error: null };
      return { ok: true, value: work.rows.map(() => row) };
    };
    const rows = Array.from({ length: CHUNKS * ROWS_A_CHUNK }, (_, i) => i);
    const long = valueOf(await workshop.jobs.create(many, newJob(rows, 'ten_long'), freshKey()));
    await workshop.worker({ handlers: { REGISTER_DEVICES: count }, atOnce: 1, sliceMs: 100 });
    await workshop.ended(many, long.jobId);
    expect(order.indexOf('ten_short')).toBeGreaterThan(0);
    expect(order.indexOf('ten_short')).toBeLessThan(CHUNKS);
  });

  it('finishes a job that was broken off between its place and its document', async () => {
    let batches = 0;
    const breaking = tapped(store.cosmos, {
      before(_call, name) {
        // The claim, the place, and then the job.
        if (name === 'batch' && ++batches > 2) throw new Error('killed');
      },
    });
    const jobs = createJobs({ cosmos: breaking, keyring: store.keyring });
    const rows = serials('begun', 2).map((serialNumber) => ({ serialNumber, model: 'thermometer' }));
    await expect(jobs.create(owner, newJob(rows), freshKey())).rejects.toThrow('killed');
    const [place] = await createJobQueue(store).placesOf(NORTH);
    await workshop.worker();
    expect(await workshop.ended(owner, place!.job.jobId)).toMatchObject({ state: 'SUCCEEDED', done: 2 });
  });
});

describe('a worker', () => {
  it('takes over from one that stopped renewing its lease, and the old one changes nothing any more', async () => {
    const { begun, handlers, release } = held();
    const rows = Array.from({ length: ROWS_A_CHUNK + 1 }, (_, i) => i);
    const job = valueOf(await workshop.jobs.create(owner, newJob(rows), freshKey()));
    // Deaf to the store from its first chunk on, as one that stalls.
    let deaf = false;
    const stalling = tapped(store.cosmos, {
      before() {
        if (deaf) throw Object.assign(new Error('stalled'), { code: 503 });
      },
    });
    const stalled = await workshop.worker({ handlers, cosmos: stalling, leaseMs: 500 });
    await eventually(() => expect(begun).toHaveLength(1));
    deaf = true;
    const second = held();
    second.release();
    await workshop.worker({ handlers: second.handlers });
    const over = await eventually(async () => {
      const current = await workshop.jobs.byId(owner, job.jobId);
      expect(current!.finishedAt).not.toBeNull();
      return current!;
    });
    deaf = false;
    release();
    await eventually(async () => {
      expect(await stalled.metrics.metrics()).toMatch(/outcome="taken by another"[^\n]* 1/);
    });
    expect(await workshop.jobs.byId(owner, job.jobId)).toEqual(over);
  });

  it('waits while the store is away or throttles, and then goes on', async () => {
    const job = await workshop.registering(owner, NORTH, serials('away', 300));
    const { REGISTER_DEVICES: register } = workshop.handlers();
    let outage = false;
    await workshop.worker({
      handlers: {
        async REGISTER_DEVICES(work) {
          if (work.chunk === 1 && !outage) {
            outage = true;
            faults.add({ kind: 'unavailable', times: 25 });
            faults.add({ kind: 'throttle', times: 10 });
          }
          return register!(work);
        },
      },
    });
    const over = await eventually(async () => {
      expect(faults.list()).toEqual([]);
      return workshop.ended(owner, job.jobId);
    });
    expect(outage).toBe(true);
    expect(over).toMatchObject({ state: 'SUCCEEDED', failed: 0, attempts: 0 });
    const rows = await workshop.rowsOf(owner, job.jobId);
    expect(new Set(rows.map(({ deviceId }) => deviceId)).size).toBe(300);
  });

  it('ends a job as FAILED that goes wrong again and again, with what was done before it', async () => {
    const job = valueOf(
      await workshop.jobs.create(
        owner,
        newJob(Array.from({ length: ROWS_A_CHUNK * 2 }, (_, i) => i)),
        freshKey(),
      ),
    );
    let tries = 0;
    const impatient = withoutBackoff(store.cosmos);
    await workshop.worker({
      cosmos: impatient,
      handlers: {
        async REGISTER_DEVICES(work) {
          if (work.chunk === 0) {
            const row = { serialNumber: null, deviceId: null, secret: null, error: null };
            return { ok: true, value: work.rows.map(() => row) };
          }
          tries += 1;
          throw new Error('a fault of ours');
        },
      },
    });
    const over = await workshop.ended(owner, job.jobId);
    expect(over).toMatchObject({ state: 'FAILED', done: ROWS_A_CHUNK, error: { code: 'INTERNAL' } });
    expect(tries).toBe(5);
    expect(over.error!.message).not.toContain('a fault of ours');
  });

  it('fails a job whose creator has lost the role', async () => {
    const leaving = await store.member('leaving', SOUTH, 'MANAGER');
    const staying = await store.member('staying', SOUTH, 'OWNER');
    const { begun, handlers, releaseOne } = held();
    const rows = Array.from({ length: ROWS_A_CHUNK * 100 }, (_, i) => i);
    const job = valueOf(await workshop.jobs.create(leaving, newJob(rows, SOUTH), freshKey()));
    await workshop.worker({ handlers });
    await eventually(() => expect(begun).toHaveLength(1));
    const membership: MembershipDocument = {
      id: SOUTH,
      key: `person:${leaving.principal.id}`,
      kind: 'membership',
      tenantId: SOUTH,
      role: 'VIEWER',
    };
    await store.cosmos.bulkUpsert('directory', [membership]);
    // What the worker knows of it is at most a second old.
    const over = await eventually(async () => {
      releaseOne();
      const current = await workshop.jobs.byId(staying, job.jobId);
      expect(current!.finishedAt).not.toBeNull();
      return current!;
    });
    expect(over).toMatchObject({ state: 'FAILED', error: { code: 'FORBIDDEN' } });
    expect(over.done).toBeGreaterThan(0);
    expect(over.done).toBeLessThan(over.total);
    expect(begun).toHaveLength(over.done / ROWS_A_CHUNK);
  });

  it('finishes the chunk that it is at and gives the job back when it stops', async () => {
    const { begun, handlers, release } = held();
    const rows = Array.from({ length: ROWS_A_CHUNK * 3 }, (_, i) => i);
    const job = valueOf(await workshop.jobs.create(owner, newJob(rows), freshKey()));
    const worker = await workshop.worker({ handlers });
    await eventually(() => expect(begun).toHaveLength(1));
    const stopped = worker.stop();
    release();
    await stopped;
    expect(await workshop.jobs.byId(owner, job.jobId)).toMatchObject({
      state: 'RUNNING',
      done: ROWS_A_CHUNK,
      lease: null,
      attempts: 0,
    });
    await workshop.worker({ handlers });
    expect(await workshop.ended(owner, job.jobId)).toMatchObject({ state: 'SUCCEEDED', attempts: 0 });
    expect(begun).toHaveLength(3);
  });
});

describe('cancelling', () => {
  it('ends a job that waits at once and frees its place', async () => {
    const job = await workshop.registering(owner, NORTH, serials('never', 150));
    expect(valueOf(await workshop.jobs.cancel(owner, job.jobId))).toMatchObject({ state: 'CANCELLED' });
    const places = await createJobQueue(store).placesOf(NORTH);
    expect(places.map((each) => each.job.jobId)).not.toContain(job.jobId);
    expect(valueOf(await workshop.jobs.cancel(owner, job.jobId))).toMatchObject({ state: 'CANCELLED' });
  });

  it('ends a job that is under way after its chunk, whose rows are told', async () => {
    const { begun, handlers, release } = held();
    const rows = Array.from({ length: ROWS_A_CHUNK * 3 }, (_, i) => i);
    const job = valueOf(await workshop.jobs.create(owner, newJob(rows), freshKey()));
    await workshop.worker({ handlers });
    await eventually(() => expect(begun).toHaveLength(1));
    expect(valueOf(await workshop.jobs.cancel(owner, job.jobId))).toMatchObject({ state: 'RUNNING' });
    release();
    expect(await workshop.ended(owner, job.jobId)).toMatchObject({
      state: 'CANCELLED',
      done: ROWS_A_CHUNK,
      cancelRequested: { by: owner.principal.id },
    });
    expect(await workshop.rowsOf(owner, job.jobId)).toHaveLength(ROWS_A_CHUNK);
  });
});

describe('cancelling a job whose worker has died', () => {
  it('ends it after the chunk that the worker was at, whose rows are told', async () => {
    const { begun, handlers, release } = held();
    const rows = Array.from({ length: ROWS_A_CHUNK * 3 }, (_, i) => i);
    const job = valueOf(await workshop.jobs.create(owner, newJob(rows), freshKey()));
    let dead = false;
    const dying = tapped(store.cosmos, {
      before() {
        if (dead) throw Object.assign(new Error('dead'), { code: 503 });
      },
    });
    await workshop.worker({ handlers, cosmos: dying, leaseMs: 300 });
    await eventually(() => expect(begun).toHaveLength(1));
    dead = true;
    expect(valueOf(await workshop.jobs.cancel(owner, job.jobId))).toMatchObject({ state: 'RUNNING' });
    const second = held();
    second.release();
    await workshop.worker({ handlers: second.handlers });
    expect(await workshop.ended(owner, job.jobId)).toMatchObject({ state: 'CANCELLED', done: ROWS_A_CHUNK });
    expect(second.begun.map(({ chunk }) => chunk)).toEqual([0]);
    dead = false;
    release();
  });
});

describe('who sees a job', () => {
  it('is who may start such jobs in its tenant, and nobody else', async () => {
    const job = await workshop.registering(owner, NORTH, serials('seen', 1));
    await workshop.jobs.cancel(owner, job.jobId);
    const south = await store.member('south', SOUTH, 'OWNER');
    const technician = await store.member('technician', NORTH, 'TECHNICIAN');
    const manager = await store.member('manager', NORTH, 'MANAGER');
    const see = async (scope: TenantScope): Promise<boolean[]> => {
      const listed = await workshop.jobs.ofTenant(scope, NORTH, { first: 50, after: null });
      return [
        (await workshop.jobs.byId(scope, job.jobId)) !== null,
        listed.items.some(({ jobId }) => jobId === job.jobId),
        (await workshop.jobs.cancel(scope, job.jobId)).ok,
      ];
    };
    expect(await see(manager)).toEqual([true, true, true]);
    expect(await see(technician)).toEqual([false, false, false]);
    expect(await see(south)).toEqual([false, false, false]);
  });

  it('is nobody’s where a later release made it, of a kind that is not known here', async () => {
    const lister = await store.member('keeper', 'ten_later', 'OWNER');
    const job = await workshop.registering(lister, 'ten_later', serials('now', 1));
    const later = await workshop.registering(lister, 'ten_later', serials('later', 1));
    await store.cosmos.bulkUpsert('directory', [{ ...later, kind: 'OF_TOMORROW' as string } as JobDocument]);
    const listed = await workshop.jobs.ofTenant(lister, 'ten_later', { first: 10, after: null });
    expect(listed.items.map(({ jobId }) => jobId)).toEqual([job.jobId]);
    expect(await workshop.jobs.byId(lister, later.jobId)).toBeNull();
  });

  it('is not made of a text that its place in the queue cannot hold', async () => {
    const parameters = { enrollmentGroupId: 'x'.repeat(1_500_000) };
    const outcome = await workshop.jobs.create(owner, { ...newJob([{}]), parameters }, freshKey());
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'INVALID_INPUT' } });
  });

  it('finds a tenant’s jobs newest first, page by page', async () => {
    const lister = await store.member('lister', 'ten_listed', 'OWNER');
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.unshift((await workshop.registering(lister, 'ten_listed', [`L-${i}`])).jobId);
      // Of one millisecond the order is by id.
      const now = Date.now();
      await eventually(() => expect(Date.now()).toBeGreaterThan(now), { every: 1 });
    }
    const listed: string[] = [];
    let after: string | null = null;
    do {
      const page = await workshop.jobs.ofTenant(lister, 'ten_listed', { first: 2, after });
      listed.push(...page.items.map(({ jobId }) => jobId));
      after = page.next;
    } while (after !== null);
    expect(listed).toEqual(made);
    for (const jobId of made) await workshop.jobs.cancel(lister, jobId);
  });
});

/** A store in which what is put off is due at once. */
function withoutBackoff(cosmos: Cosmos): Cosmos {
  return {
    ...cosmos,
    batch: (container, partition, changes) =>
      cosmos.batch(
        container,
        partition,
        changes.map((change) =>
          'replace' in change && 'notBefore' in change.replace
            ? { ...change, replace: { ...change.replace, notBefore: null } as typeof change.replace }
            : change,
        ),
      ),
  };
}
