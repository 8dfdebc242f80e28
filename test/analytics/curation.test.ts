import fc from 'fast-check';
import { createLandingKeeper, movedHead } from '../../src/analytics/curation/landing-keeper';
import { createSweeper } from '../../src/analytics/curation/sweeper';
import { createTenantCuration } from '../../src/analytics/curation/tenant';
import { createLogger } from '../../src/observability/logger';
import { createCuratedFiles } from '../../src/store/curated-files';
import { createHeads, type Head } from '../../src/store/heads';
import { buildReading } from '../support/readings';
import { type ColdAccount, startColdAccount } from './cold-store.support';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 21, 12);
const MONTH = Date.UTC(2026, 10, 1);

describe('curation', () => {
  let account: ColdAccount;
  beforeAll(async () => {
    account = await startColdAccount();
  });
  afterAll(() => account.stop());

  const reading = (point: number, observedAt: number, value = 20) =>
    buildReading({ pointOrdinal: point, observedAt, receivedAt: observedAt + 50, value });
  const periodsOf = async (store: Awaited<ReturnType<ColdAccount['buildStore']>>, tenantId = 'ten_a') =>
    (await store.manifests.read(tenantId))!.value.periods.map(({ period, generation, rows }) => ({
      period,
      generation,
      rows,
    }));
  const now = (): number => NOON;

  it('puts every reading once into the day that it was observed in, sorted by building, quantity, point and time', async () => {
    const store = await account.buildStore();
    await store.land([reading(2, NOON), reading(1, NOON + 1), reading(1, NOON), reading(1, NOON - DAY)]);
    await store.land([
      buildReading({ buildingId: 'bld_0', pointId: 'pnt_9', pointOrdinal: 9, observedAt: NOON }),
    ]);
    const report = await store.curate({ now });
    expect(report).toMatchObject({ files: 2, landed: 5, curated: 5, duplicates: 0, overtaken: false });
    expect(await periodsOf(store)).toEqual([
      { period: '2026-11-20', generation: 1, rows: 1 },
      { period: '2026-11-21', generation: 1, rows: 4 },
    ]);
    const rows = await store.rows<{ point_id: string }>('ten_a', 'point_id, observed_at');
    expect(rows.map(({ point_id }) => point_id)).toEqual(['pnt_1', 'pnt_9', 'pnt_1', 'pnt_1', 'pnt_2']);
    expect(await store.differences()).toEqual([]);
  });

  it('lets the first in stream order stand, also across runs, files and generations', async () => {
    const store = await account.buildStore();
    await store.land([reading(1, NOON, 1), reading(1, NOON, 2), reading(1, NOON + 1, 3)]);
    await store.land([reading(1, NOON + 1, 4)]);
    await store.curate({ now });
    await store.land([reading(1, NOON, 5), reading(1, NOON + 2, 6)]);
    const report = await store.curate({ now });
    expect(report).toMatchObject({ landed: 2, curated: 1, duplicates: 1 });
    expect(await store.rows('ten_a', 'value')).toEqual([{ value: 1 }, { value: 3 }, { value: 6 }]);
    expect(await store.differences()).toEqual([]);
  });

  it('lets a reading of an earlier life of the hub take the place of a later one that was curated before it', async () => {
    const store = await account.buildStore();
    await store.land([reading(1, NOON, 2), reading(2, NOON, 2)], { incarnation: '1790000000002-2' });
    await store.curate({ now });
    await store.land([reading(1, NOON, 1)], { incarnation: '1790000000001-2' });
    await store.curate({ now });
    expect(await store.rows('ten_a', 'point_id, value')).toEqual([
      { point_id: 'pnt_1', value: 1 },
      { point_id: 'pnt_2', value: 2 },
    ]);
    expect(await store.differences()).toEqual([]);
  });

  it('knows a message without a time by its id and index, and takes each for its own that has no id', async () => {
    const store = await account.buildStore();
    const undated = (at: number, messageId: string | null, messageIndex = 0) => ({
      ...reading(1, at),
      undated: { messageId, messageIndex },
    });
    await store.land([undated(NOON, 'm1'), undated(NOON, 'm1', 1), undated(NOON, null), undated(NOON, null)]);
    await store.curate({ now });
    await store.land([undated(NOON + 900, 'm1'), undated(NOON + 900, null), reading(1, NOON)]);
    const report = await store.curate({ now });
    expect(report).toMatchObject({ landed: 3, curated: 2, duplicates: 1 });
    expect(await store.differences()).toEqual([]);
  });

  it('keeps what a device sent in another unit', async () => {
    const store = await account.buildStore();
    await store.land([{ ...reading(1, NOON), original: { value: 70, unit: '[degF]' } }, reading(2, NOON)]);
    await store.curate({ now });
    expect(await store.rows('ten_a', 'original_value, original_unit')).toEqual([
      { original_value: 70, original_unit: '[degF]' },
      { original_value: null, original_unit: null },
    ]);
  });

  it('puts no two tenants into a file, and makes new generations only of periods that something came for', async () => {
    const store = await account.buildStore();
    await store.land([reading(1, NOON), { ...reading(1, NOON - DAY), tenantId: 'ten_b', pointId: 'pnt_b' }]);
    await store.curate({ now });
    await store.land([reading(1, NOON + 1), reading(1, NOON - DAY)]);
    await store.curate({ now });
    expect(await periodsOf(store)).toEqual([
      { period: '2026-11-20', generation: 1, rows: 1 },
      { period: '2026-11-21', generation: 2, rows: 2 },
    ]);
    expect(await periodsOf(store, 'ten_b')).toEqual([{ period: '2026-11-20', generation: 1, rows: 1 }]);
    expect((await store.manifests.read('ten_a'))!.value.retired).toHaveLength(1);
    expect(await store.differences()).toEqual([]);
  });

  it('makes one month of a small tenant’s days when the month is over, and days again of one that has grown great', async () => {
    const store = await account.buildStore();
    const days = [0, 1, 2].map((day) => reading(1, NOON - day * DAY));
    await store.land(days);
    await store.curate({ now });
    expect((await periodsOf(store)).map(({ period }) => period)).toEqual([
      '2026-11-19',
      '2026-11-20',
      '2026-11-21',
    ]);
    const later = (): number => Date.UTC(2026, 11, 5);
    await store.land([reading(1, NOON + DAY)]);
    await store.curate({ now: later });
    expect(await periodsOf(store)).toEqual([{ period: '2026-11', generation: 2, rows: 4 }]);
    await store.land([reading(1, NOON + 1)]);
    await store.curate({ now: later, monthBytes: 10 });
    expect((await periodsOf(store)).map(({ period, rows }) => `${period}: ${rows}`)).toEqual([
      '2026-11-19: 1',
      '2026-11-20: 1',
      '2026-11-21: 2',
      '2026-11-22: 1',
    ]);
    expect(await store.differences()).toEqual([]);
  });

  it('stops before a file that cannot be read, and goes on when it can', async () => {
    const store = await account.buildStore();
    await store.land([reading(1, NOON)]);
    await store.land([reading(1, NOON + 1)]);
    const [name] = await namesOf(store, 'landing/');
    const blob = store.container.getBlockBlobClient(name!);
    const { metadata } = await blob.getProperties();
    const whole = await blob.downloadToBuffer();
    await blob.upload('damaged', 7, { metadata: metadata! });
    await expect(store.curate({ now })).rejects.toThrow(name);
    expect(await store.manifests.root()).toBeNull();
    await blob.upload(whole, whole.length, { metadata: metadata! });
    await store.curate({ now });
    expect(await store.differences()).toEqual([]);
  });

  it('holds no more than the batch that it was given memory for', async () => {
    const store = await account.buildStore();
    for (let i = 0; i < 6; i++) await store.land([reading(1, NOON + i), reading(2, NOON + i)]);
    const batches: number[] = [];
    await store
      .buildCurator({ now, batchBytes: 4 * 52 })
      .curate(new AbortController().signal, (_report, { rows }) => batches.push(rows));
    expect(batches).toEqual([8, 4, 0]);
    expect(await periodsOf(store)).toEqual([{ period: '2026-11-21', generation: 3, rows: 12 }]);
    expect(await store.differences()).toEqual([]);
  });

  it('curates everything once whatever comes late, twice, or in between, and whoever curates beside', async () => {
    const instant = fc.integer({ min: 0, max: 60 }).map((i) => NOON - 40 * DAY + i * 17 * HOUR);
    const anyReading = fc
      .record({
        tenant: fc.integer({ min: 0, max: 2 }),
        point: fc.integer({ min: 0, max: 3 }),
        observedAt: instant,
        value: fc.integer({ min: 0, max: 9 }),
        undated: fc.oneof(
          { weight: 6, arbitrary: fc.constant(undefined) },
          {
            weight: 1,
            arbitrary: fc.record({
              messageId: fc.constantFrom(null, 'm1', 'm2'),
              messageIndex: fc.integer({ min: 0, max: 1 }),
            }),
          },
        ),
      })
      .map(({ tenant, point, observedAt, value, undated }) => ({
        ...reading(point, observedAt, value),
        tenantId: `ten_${tenant}`,
        buildingId: `bld_${tenant}${point % 2}`,
        pointId: `pnt_${tenant}${point}`,
        // A message that was dropped as repeated within a month would stand again when the month became days.
        ...(undated && observedAt >= MONTH && { undated }),
      }));
    const options = fc.record({
      batchBytes: fc.constantFrom(1, 500, 1e9),
      fileRows: fc.constantFrom(1, 7, 1e6),
      monthBytes: fc.constantFrom(1, 1e9),
    });
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('land' as const),
          readings: fc.array(anyReading, { minLength: 1, maxLength: 12 }),
          partition: fc.integer({ min: 0, max: 1 }),
          incarnation: fc.constantFrom('1790000000001-2', '1790000000002-2'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('curate' as const), options }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('two at once' as const), options }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('killed' as const), options, after: fc.nat({ max: 12 }) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
        const store = await account.buildStore();
        let landed = false;
        for (const each of steps) {
          if (each.kind === 'land') {
            landed = true;
            await store.land(each.readings, each);
          } else if (each.kind === 'curate') {
            await store.curate({ now, ...each.options });
          } else if (each.kind === 'two at once') {
            const both = [store.curate({ now, ...each.options }), store.curate({ now })];
            await Promise.all(both);
          } else {
            // Dies somewhere between two requests: what it has published stands, the rest is nobody's.
            let left = each.after;
            const dying = diesAfter(store.container, () => left-- <= 0);
            await store.curate({ now, ...each.options, container: dying }).catch((error: unknown) => {
              if (!(error instanceof Error) || !error.message.includes('killed')) throw error;
            });
          }
        }
        if (!landed) return;
        await store.curate({ now });
        expect(await store.differences()).toEqual([]);
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });
});

describe('what is kept of the cold store', () => {
  let account: ColdAccount;
  beforeAll(async () => {
    account = await startColdAccount();
  });
  afterAll(() => account.stop());

  const logger = createLogger({ name: 'keeper', level: 'silent' });
  const reading = (point: number, observedAt: number) =>
    buildReading({ pointOrdinal: point, observedAt, receivedAt: observedAt + 50 });
  const signal = new AbortController().signal;
  const place = { incarnation: '1790000000000-2', partition: 0 };

  it('removes landing files once they have been curated long enough, behind the head', async () => {
    const store = await account.buildStore();
    let at = NOON;
    const keeper = createLandingKeeper({
      logger,
      container: store.container,
      keepMs: 7 * DAY,
      now: () => at,
    });
    await store.land([reading(1, NOON)]);
    await store.land([reading(1, NOON + 1), reading(1, NOON + 2)]);
    expect(await keeper.keep(signal)).toEqual({ removed: 0, moved: 0, disagreements: [] });
    await store.curate({ now: () => at });
    await keeper.keep(signal);
    await store.land([reading(1, NOON + 3)]);
    at += 6 * DAY;
    await store.curate({ now: () => at });
    expect(await keeper.keep(signal)).toMatchObject({ removed: 0, moved: 0 });
    at += DAY;
    expect(await keeper.keep(signal)).toEqual({ removed: 2, moved: 1, disagreements: [] });
    expect(await namesOf(store, 'landing/')).toHaveLength(1);
    expect(await createHeads(store.container).sequence(place)).toBe(2);
    at += 7 * DAY;
    expect(await keeper.keep(signal)).toMatchObject({ removed: 1, moved: 1 });
    // Curation goes on from where it was, and nothing of what was removed is missed.
    await store.land([reading(1, NOON + 4)]);
    await store.curate({ now: () => at });
    expect(await store.differences()).toEqual([]);
  });

  it('removes nothing of a partition whose counts do not agree, and says which', async () => {
    const store = await account.buildStore();
    await store.land([reading(1, NOON)]);
    await store.land([reading(1, NOON)], { partition: 1 });
    await store.curate({ now: () => NOON });
    const { value, etag } = (await store.manifests.root())!;
    const positions = value.positions.map((each) => ({
      ...each,
      landed: each.landed + (each.partition === 0 ? 1 : 0),
    }));
    await store.manifests.publishRoot({ ...value, positions }, etag);
    const keeper = createLandingKeeper({ logger, container: store.container, keepMs: 0, now: () => NOON });
    const report = await keeper.keep(signal);
    expect(report).toMatchObject({ removed: 1, moved: 1 });
    expect(report.disagreements).toEqual(['1790000000000-2/0: 2 rows have landed, the tenants count 1']);
    expect(await namesOf(store, 'landing/')).toEqual([expect.stringContaining('/p=00/')]);
  });

  it('moves the head along places that were curated, each its time after, and forgets none between', () => {
    let head: Head = { sequence: -1, curated: [] };
    const moved: number[] = [];
    for (let hour = 0; hour < 24 * 20; hour++) {
      const next = movedHead(head, hour * 10, hour * HOUR, 7 * DAY);
      if (next.sequence > head.sequence) moved.push(next.sequence / 10 - hour);
      head = next;
      expect(head.curated.length).toBeLessThanOrEqual(9);
    }
    expect(moved.every((hours) => hours <= -7 * 24)).toBe(true);
    expect(head.sequence).toBeGreaterThan(10 * 24 * 11);
  });

  it('removes replaced generations after their time, and what a curator left unpublished, which then cannot be published', async () => {
    const store = await account.buildStore();
    let at = Date.now();
    await store.land([reading(1, NOON)]);
    await store.curate({ now: () => at });
    const stale = (await store.manifests.read('ten_a'))!;
    await store.land([reading(1, NOON + 1)]);
    const dead = diesAfter(
      store.container,
      (() => {
        let left = 1;
        return () => left-- <= 0;
      })(),
    );
    await expect(store.curate({ now: () => at, container: dead })).rejects.toThrow('killed');
    expect(await namesOf(store, 'curated/v1/tenant=ten_a/period=')).toHaveLength(2);

    const tenants = createTenantCuration({
      manifests: store.manifests,
      files: createCuratedFiles(store.container),
      graceMs: DAY,
      now: () => at,
    });
    const sweeper = createSweeper({
      logger,
      container: store.container,
      tenants,
      graceMs: DAY,
      now: () => at,
    });
    expect(await sweeper.sweep(signal)).toEqual({ tenants: 1, orphans: 0 });
    at += 2 * DAY;
    expect(await sweeper.sweep(signal)).toEqual({ tenants: 1, orphans: 1 });
    expect(await store.manifests.publish(stale.value, stale.etag)).toBeNull();

    await store.curate({ now: () => at });
    expect(await namesOf(store, 'curated/v1/tenant=ten_a/period=')).toHaveLength(2);
    at += 2 * DAY;
    await sweeper.sweep(signal);
    expect(await namesOf(store, 'curated/v1/tenant=ten_a/period=')).toHaveLength(1);
    expect(await store.differences()).toEqual([]);
  });
});

async function namesOf(
  store: Awaited<ReturnType<ColdAccount['buildStore']>>,
  prefix: string,
): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.container.listBlobsFlat({ prefix })) names.push(name);
  return names;
}

/** The container, whose uploads fail from some moment on, as those of a process that is no more. */
function diesAfter<Container extends { getBlockBlobClient(name: string): object }>(
  container: Container,
  dead: () => boolean,
): Container {
  return new Proxy(container, {
    get(target, property, receiver) {
      if (property !== 'getBlockBlobClient') {
        const value: unknown = Reflect.get(target, property, receiver);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return (name: string) => {
        if (dead()) throw new Error('killed');
        return target.getBlockBlobClient(name);
      };
    },
  });
}
