import { type StoredReading } from '../../src/analytics/readings-page';
import { partitionOf } from '../../src/domain/partition';
import { type Reading } from '../../src/domain/reading';
import { type Cosmos } from '../../src/store/cosmos';
import { type BuildingEntryDocument, sortKeyOf } from '../../src/store/documents';
import {
  createRecentTail,
  type LandedEnd,
  MAXIMUM_TAIL_BUILDINGS,
  type TailQuery,
} from '../../src/store/recent-tail';
import { createRecentWriter } from '../../src/store/recent-writer';
import { startHouse } from '../aggregate/house';
import { startStore, type Store } from '../store/store.support';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import { type Arrival, type ColdStore, type ColdStores, startColdStores } from './cold-store';
import { recentBatches } from './recent-batches';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIFE = '1700000000000-8';
const SIGNAL = new AbortController().signal;

const where = (buildingId: string, from: number, to: number, tenantId = 'ten_a') => ({
  tenantId,
  buildingIds: [buildingId],
  spaceIds: null,
  deviceId: null,
  pointId: null,
  quantities: ['AIR_TEMPERATURE' as const],
  from,
  to,
});

async function readingsOf(cold: ColdStore, asked: ReturnType<typeof where>): Promise<StoredReading[]> {
  return (await cold.questions.readings(asked, { first: 200, after: null }, SIGNAL)).items;
}

describe('recent readings behind the landing', () => {
  let stores: ColdStores;
  let store: Store;
  beforeAll(async () => {
    // One behind the other: loading Blob's stand-in holds the process up, and requests to another would time out.
    stores = await startColdStores();
    store = await startStore();
  });
  afterAll(async () => {
    await store?.stop();
    await stores?.stop();
  });

  const now = Date.now();
  const arrival = (sequence: number, readings: Partial<Reading>[], incarnation = LIFE): Arrival => ({
    incarnation,
    partition: partitionOf('bld_a', 8),
    sequence,
    enqueuedAt: now - 10_000,
    readings: readings.map((each) => buildReading({ tenantId: 'ten_a', buildingId: 'bld_a', ...each })),
  });
  const keep = async (...arrivals: Arrival[]): Promise<void> => {
    const writer = createRecentWriter({ cosmos: store.cosmos });
    for (const batch of recentBatches(arrivals)) await writer.write(batch);
  };
  const documents = async (query: Partial<TailQuery>) => {
    const asked = { tenantId: 'ten_a', buildingId: 'bld_a', from: now - HOUR, to: now + HOUR, landed: [] };
    const found: number[] = [];
    for await (const { columns } of createRecentTail(store).documents({ ...asked, ...query })) {
      for (let row = 0; row < columns.count; row++) found.push(columns.sequence[row]!);
    }
    return found.sort((a, b) => a - b);
  };

  it('are those of events that may not have landed, of whatever life of the hub, and of that owner alone', async () => {
    await keep(arrival(10, [{ observedAt: now - 5 * MINUTE }]));
    await keep(arrival(20, [{ observedAt: now - 4 * MINUTE }]));
    await keep(arrival(3, [{ observedAt: now - 3 * MINUTE }], '1800000000000-8'));
    await keep(arrival(30, [{ observedAt: now - 2 * MINUTE, tenantId: 'ten_b' }]));
    const end: LandedEnd = {
      incarnation: LIFE,
      partition: partitionOf('bld_a', 8),
      sequence: 15,
      since: now - HOUR,
    };
    expect(await documents({})).toEqual([3, 10, 20]);
    expect(await documents({ landed: [end] })).toEqual([3, 20]);
    expect(await documents({ landed: [{ ...end, sequence: 20 }] })).toEqual([3, 20]);
    expect(await documents({ landed: [{ ...end, sequence: 21 }] })).toEqual([3]);
    expect(await documents({ landed: [end], tenantId: 'ten_b' })).toEqual([30]);
    expect(await documents({ landed: [end], tenantId: 'ten_c' })).toEqual([]);
    // Written before anything behind the landing was enqueued.
    expect(await documents({ landed: [{ ...end, since: now + HOUR }] })).toEqual([]);
    expect(await documents({ from: now - 48 * HOUR, to: now - 24 * HOUR })).toEqual([]);
  });

  it('of the release before, which did not say when they were received, wait until they have landed', async () => {
    const [batch] = recentBatches([
      arrival(1, [{ buildingId: 'bld_before', observedAt: now - 5 * MINUTE, value: 1 }]),
    ]);
    const { receivedAt: _, ...before } = batch!;
    const writer = createRecentWriter(store);
    await writer.write(before);
    expect(await documents({ buildingId: 'bld_before' })).toEqual([]);
    // A worker that goes on stores them again, and then says it.
    await writer.write(batch!);
    expect(await documents({ buildingId: 'bld_before' })).toEqual([1]);
  });

  it('are not asked for where the range is older than what is stored of them', async () => {
    let asked = 0;
    const counting = new Proxy(store.cosmos, {
      get(target, name, receiver) {
        if (name === 'pages') asked++;
        return Reflect.get(target, name, receiver) as unknown;
      },
    }) as Pick<Cosmos, 'pages' | 'query'>;
    const cold = await stores.next({ recent: createRecentTail({ cosmos: counting }) });
    await readingsOf(cold, where('bld_a', now - 30 * 24 * HOUR, now - 73 * HOUR));
    expect(asked).toBe(0);
    expect(await readingsOf(cold, where('bld_a', now - HOUR, now))).toHaveLength(3);
    // Once for each day that the range touches.
    expect(asked).toBeGreaterThan(0);
  });

  it('do not give a reading of the landing another value, and count in history and excursions', async () => {
    const cold = await stores.next({ recent: createRecentTail(store) });
    const at = now - 20 * MINUTE;
    const building = { buildingId: 'bld_b' };
    const partition = partitionOf('bld_b', 8);
    await cold.land([{ ...arrival(0, [{ ...building, observedAt: at, value: 20 }]), partition }]);
    await keep({
      ...arrival(1, [
        { ...building, observedAt: at, value: 99 },
        { ...building, observedAt: at + MINUTE, value: 40 },
        { ...building, observedAt: at + 2 * MINUTE, value: 20 },
      ]),
      partition,
    });
    const asked = where('bld_b', now - HOUR, now);
    expect((await readingsOf(cold, asked)).map(({ value }) => value)).toEqual([20, 40, 20]);
    const { quantities: _, ...range } = asked;
    const history = await cold.questions.history(
      range,
      {
        quantity: 'AIR_TEMPERATURE',
        step: { months: 0, days: 1, milliseconds: 0 },
        timeZone: 'UTC',
      },
      SIGNAL,
    );
    if (!history.ok) throw new Error(history.message);
    expect(history.value.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    const excursions = await cold.questions.excursions(
      range,
      {
        quantity: 'AIR_TEMPERATURE',
        low: null,
        high: 30,
        longerThan: 0,
        by: 'POINT',
        silence: null,
        limit: 10,
        offset: 0,
      },
      SIGNAL,
    );
    if (!excursions.ok) throw new Error(excursions.message);
    expect(excursions.value.excursions.map(({ peak, endedBy }) => [peak, endedBy])).toEqual([
      [40, 'RETURNED'],
    ]);
  });

  it('of all buildings of a tenant count in its excursions and stand in its exports, up to a number of buildings', async () => {
    const cold = await stores.next({ recent: createRecentTail(store) });
    const tenantId = 'ten_wide';
    const entry = (id: string, owner = tenantId): BuildingEntryDocument => ({
      ...{
        id,
        key: `tenant:${owner}`,
        kind: 'building',
        tenantId: owner,
        name: id,
        sortKey: sortKeyOf(id, id),
      },
    });
    await store.cosmos.bulkUpsert('directory', [
      ...['bld_w1', 'bld_w2', 'bld_w3'].map((id) => entry(id)),
      entry('bld_w4', 'ten_other'),
    ]);
    const at = now - 20 * MINUTE;
    const heat = (buildingId: string, sequence: number, owner = tenantId): Arrival => {
      const place = { tenantId: owner, buildingId, pointId: `pnt_${buildingId}` };
      const readings = [20, 40, 20].map((value, i) => ({ ...place, observedAt: at + i * MINUTE, value }));
      return { ...arrival(sequence, readings), partition: partitionOf(buildingId, 8) };
    };
    // One of them has landed, also further than the others' partitions; two are recent alone.
    await cold.land([heat('bld_w1', 70)]);
    await keep(heat('bld_w2', 1));
    await keep(heat('bld_w3', 2));
    await keep(heat('bld_w4', 3, 'ten_other'));
    const range = { ...where('bld_w1', now - HOUR, now, tenantId), buildingIds: null };
    const found = async (): Promise<(string | null)[]> => {
      const asked = { quantity: 'AIR_TEMPERATURE' as const, low: null, high: 30, longerThan: 0 };
      const { quantities: _, ...place } = range;
      const answer = await cold.questions.excursions(
        place,
        { ...asked, by: 'POINT', silence: null, limit: 10, offset: 0 },
        SIGNAL,
      );
      if (!answer.ok) throw new Error(answer.message);
      return answer.value.excursions.map(({ pointId }) => pointId);
    };
    expect(await found()).toEqual(['pnt_bld_w1', 'pnt_bld_w2', 'pnt_bld_w3']);
    const asked = { format: 'CSV' as const, deviceIds: null, maximumRows: 100 };
    const written = await cold.files.write(range, asked, SIGNAL, async ({ rows }) => rows);
    expect(written).toEqual({ used: 9 });

    const many = Array.from({ length: MAXIMUM_TAIL_BUILDINGS - 2 }, (_, i) => entry(`bld_more_${i}`));
    await store.cosmos.bulkUpsert('directory', many);
    expect(await found()).toEqual(['pnt_bld_w1']);
  });
});

describe('a reading that was sent a moment ago', () => {
  it('is answered as soon as the aggregate worker has stored it, long before it lands', async () => {
    const house = await startHouse();
    const stores = await startColdStores();
    try {
      const cold = await stores.next({ now: house.now, recent: createRecentTail(house) });
      const { stop } = await house.startWorker();
      const row = { buildingId: 'bld_now', quantity: 1, pointOrdinal: 3, deviceOrdinal: 1 };
      const at = house.now();
      await house.send(0, [
        { ...row, observedAt: at - 2_000, value: 20 },
        { ...row, observedAt: at - 1_000, value: 21 },
      ]);
      await eventually(() => expect(house.rows().length).toBe(2));
      await eventually(
        async () => {
          // A building is written once a minute.
          house.pass(10);
          const found = await readingsOf(cold, where('bld_now', at - HOUR, at + HOUR));
          expect(found.map(({ value, timeSource }) => [value, timeSource])).toEqual([
            [20, 'DEVICE'],
            [21, 'DEVICE'],
          ]);
          expect(found[0]!.receivedAt).toBeGreaterThanOrEqual(at);
        },
        { within: 40_000 },
      );
      await stop();
    } finally {
      await stores.stop();
      await house.stop();
    }
  }, 90_000);
});
