import { type Excursion, type ExcursionsFound } from '../../src/analytics/excursions';
import { createKeptExcursions, type KeptExcursions } from '../../src/analytics/kept-excursions';
import { type CuratedManifest, MANIFEST_SCHEMA } from '../../src/domain/curated';
import { createManifests } from '../../src/store/manifests';
import { buildReading } from '../support/readings';
import { type ColdStore, type ColdStores, startColdStores } from './cold-store';

const excursion = (start: number): Excursion => ({
  buildingId: 'bld_a',
  pointId: 'pnt_a',
  start,
  end: start + 1,
  endedBy: 'RETURNED',
  peak: 40,
  peakAt: start,
});
const found = (count: number, from: number, to: number): ExcursionsFound => ({
  count,
  total: count,
  excursions: Array.from({ length: to - from }, (_, i) => excursion(from + i)),
});
const startsOf = (page: ExcursionsFound | undefined) => page?.excursions.map(({ start }) => start);

describe('what was found of excursions', () => {
  it('is told by pages as far as it reaches, with the count of all', () => {
    const kept = createKeptExcursions();
    kept.keep('a', 10, found(100, 10, 30));
    expect(kept.page('a', { offset: 20, limit: 10 })).toMatchObject({ count: 100, total: 100 });
    expect(startsOf(kept.page('a', { offset: 12, limit: 3 }))).toEqual([12, 13, 14]);
    expect(kept.page('a', { offset: 21, limit: 10 })).toBeUndefined();
    expect(kept.page('a', { offset: 9, limit: 1 })).toBeUndefined();
    expect(kept.page('b', { offset: 12, limit: 3 })).toBeUndefined();
    kept.keep('a', 80, found(100, 80, 100));
    expect(startsOf(kept.page('a', { offset: 98, limit: 10 }))).toEqual([98, 99]);
    expect(startsOf(kept.page('a', { offset: 100, limit: 10 }))).toEqual([]);
  });

  it('is forgotten after its time, and the longest kept where there is too much of it', () => {
    let now = 0;
    const kept = createKeptExcursions({ keepMs: 1_000, maximum: 50, now: () => now });
    kept.keep('a', 0, found(40, 0, 20));
    now = 600;
    kept.keep('b', 0, found(40, 0, 20));
    expect(kept.page('a', { offset: 0, limit: 5 })).toBeDefined();
    now = 1_000;
    expect(kept.page('a', { offset: 0, limit: 5 })).toBeUndefined();
    expect(kept.page('b', { offset: 0, limit: 5 })).toBeDefined();
    expect(kept.held()).toBe(20);
    kept.keep('c', 0, found(40, 0, 30));
    expect(kept.held()).toBe(50);
    kept.keep('d', 0, found(40, 0, 1));
    expect([kept.held(), kept.page('b', { offset: 0, limit: 1 })]).toEqual([31, undefined]);
    kept.keep('e', 0, found(60, 0, 51));
    expect([kept.held(), kept.page('e', { offset: 0, limit: 1 })]).toEqual([31, undefined]);
    kept.clear();
    expect([kept.held(), kept.page('d', { offset: 0, limit: 1 })]).toEqual([0, undefined]);
  });
});

describe('further pages of excursions', () => {
  const NOW = Date.parse('2026-03-11T12:00:00Z');
  const BEGIN = NOW - 6 * 3_600_000;
  let stores: ColdStores;
  let cold: ColdStore;
  let sequence = 0;
  beforeAll(async () => {
    stores = await startColdStores();
  });
  afterAll(() => stores?.stop());

  async function begin(kept?: KeptExcursions): Promise<void> {
    cold = await stores.next({ now: () => NOW, ...(kept && { kept }) });
    await outside(...Array.from({ length: 9 }, (_, i) => i));
  }

  /** Each is hot at this minute of ten. */
  async function outside(...instants: number[]): Promise<void> {
    const readings = instants.flatMap((n) =>
      [40, 20].map((value, i) =>
        buildReading({
          ...{ tenantId: 'ten_a', buildingId: 'bld_a', spaceId: 'spc_a', pointId: 'pnt_a', value },
          observedAt: BEGIN + n * 600_000 + i * 60_000,
        }),
      ),
    );
    const event = { incarnation: '1700000000000-1', partition: 0, sequence: sequence++, readings };
    await cold.land([{ ...event, enqueuedAt: NOW - 60_000 }]);
  }

  async function page(
    offset: number,
    more: { askedBy?: string; high?: number; to?: number; room?: string } = {},
  ) {
    const { askedBy, high = 30, to = NOW, room } = more;
    const answer = await cold.questions.excursions(
      {
        ...{ tenantId: 'ten_a', buildingIds: ['bld_a'], deviceId: null, pointId: null, from: BEGIN, to },
        spaceIds: room === undefined ? null : [room],
      },
      {
        ...{ quantity: 'AIR_TEMPERATURE', low: null, high, longerThan: 0, by: 'POINT', silence: null },
        ...{ limit: 4, offset, ...(askedBy === undefined ? {} : { askedBy }) },
      },
      new AbortController().signal,
    );
    if (!answer.ok) throw new Error(answer.message);
    return [answer.value.count, ...answer.value.excursions.map(({ start }) => (start - BEGIN) / 600_000)];
  }

  it('are of what the first page found, for who asked the same alone', async () => {
    await begin();
    expect(await page(0, { askedBy: 'per_a' })).toEqual([9, 0, 1, 2, 3]);
    await outside(20);
    expect(await page(0, { askedBy: 'per_b' })).toEqual([10, 0, 1, 2, 3]);
    expect(await page(4, { askedBy: 'per_a' })).toEqual([9, 4, 5, 6, 7]);
    expect(await page(8, { askedBy: 'per_a' })).toEqual([9, 8]);
  });

  it('are never of what another caller, right or question found', async () => {
    const keys: string[] = [];
    const kept = createKeptExcursions();
    await begin({ ...kept, page: (key, asked) => (keys.push(key), kept.page(key, asked)) });
    const [owner, other] = [{ askedBy: 'per_a' }, { askedBy: 'per_b' }];
    await page(0, owner);
    expect(kept.held()).toBe(9);
    expect(await page(4, other)).toEqual([9, 4, 5, 6, 7]);
    // Of a room in which nothing was observed.
    expect(await page(4, { ...owner, room: 'spc_b' })).toEqual([0]);
    expect(await page(4, { ...owner, high: 50 })).toEqual([0]);
    expect(await page(4, { ...owner, to: BEGIN + 600_000 })).toEqual([1]);
    expect(await page(4)).toEqual([9, 4, 5, 6, 7]);
    expect(keys).toHaveLength(new Set(keys).size);
    expect(keys).toHaveLength(4);
  });

  it('are told no more once the tenant is erased', async () => {
    await begin();
    const asked = { askedBy: 'per_a' };
    expect(await page(0, asked)).toEqual([9, 0, 1, 2, 3]);
    const tombstone = {
      ...{ schema: MANIFEST_SCHEMA, tenantId: 'ten_a', version: 1, positions: [], periods: [], retired: [] },
      erasedAt: NOW,
    } as unknown as CuratedManifest;
    expect(await createManifests(cold.container).publish(tombstone, null)).not.toBeNull();
    expect(await page(4, asked)).toEqual([0]);
  });
});
