import fc from 'fast-check';
import { type StoredReading } from '../../src/analytics/readings-page';
import { calendarDurationOf } from '../../src/domain/calendar-duration';
import { type Cosmos } from '../../src/store/cosmos';
import { createRecentTail } from '../../src/store/recent-tail';
import { createRecentWriter } from '../../src/store/recent-writer';
import { startStore, type Store } from '../store/store.support';
import { type Arrival, type ColdStores, distinct, startColdStores } from './cold-store';
import { BUILDINGS, filesOf, randomArrivals, ROOMS, TENANT } from './random-arrivals';
import { recentBatches } from './recent-batches';

const HOUR = 3_600_000;
const LENGTH = 24 * HOUR;
const SIGNAL = new AbortController().signal;

describe('readings that are curated, landed and recent', () => {
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

  // All of it has arrived by now, as Cosmos stamps what is written with its own clock.
  const begin = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR;
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const plan = fc.record({
    arrivals: randomArrivals(begin, begin + LENGTH),
    eventsAFile: fc.constantFrom(3, 10, 1_000),
    /** Shares of the files that are curated and landed when the question is begun. */
    curated: share,
    landed: share,
    /** Where two owners of a partition cut what they store, as shares of what is stored. */
    cuts: fc.tuple(fc.array(share, { maxLength: 3 }), fc.array(share, { maxLength: 3 })),
    /** Files that land while the question goes on, after each page; and after which page they are curated. */
    moving: fc.integer({ min: 0, max: 4 }),
    curatedAfter: fc.integer({ min: 0, max: 4 }),
    building: fc.constantFrom(...BUILDINGS),
    room: fc.constantFrom(null, ...ROOMS),
    point: fc.constantFrom(null, null, 'pnt_0'),
    cut: fc.tuple(fc.constantFrom(0, 0.21, 0.6), fc.constantFrom(1, 0.83)),
    first: fc.constantFrom(150, 400),
  });

  let runs = 0;
  it('are one series, whatever lies where and wherever it moves meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        const run = ++runs;
        const arrivals = each.arrivals.map((arrival) => ofRun(arrival, run));
        const { building } = each;
        const tenant = `${TENANT}_${run}`;
        await store.cosmos.bulkUpsert(
          'directory',
          BUILDINGS.map((id) => ({
            ...{ id, key: `tenant:${tenant}`, kind: 'building', tenantId: tenant, name: id, sortKey: id },
          })),
        );
        const cold = await stores.next({ recent: createRecentTail({ cosmos: store.cosmos }) });
        const files = filesOf(arrivals, each.eventsAFile);
        const landed = Math.floor(files.length * each.landed);
        const curated = Math.floor(landed * each.curated);
        for (const file of files.slice(0, curated)) await cold.land(file);
        if (curated > 0) await cold.curate();
        for (const file of files.slice(curated, landed)) await cold.land(file);
        // What landed last is among the recent ones too, and twice with other boundaries.
        const recent = files.slice(Math.max(0, landed - 2)).flat();
        for (const cuts of each.cuts) await writeRecent(store.cosmos, recent, cuts);

        const from = begin + Math.floor((each.cut[0] * LENGTH) / 60_000) * 60_000;
        const to = begin + Math.floor(each.cut[1] * LENGTH);
        const standing = distinct(arrivals).filter(
          ({ tenantId, buildingId, spaceId, pointId, observedAt }) =>
            tenantId === tenant &&
            buildingId === building &&
            (each.room === null || spaceId === each.room) &&
            (each.point === null || pointId === each.point) &&
            observedAt >= from &&
            observedAt < to,
        );
        const where = {
          tenantId: tenant,
          buildingIds: [building],
          spaceIds: each.room === null ? null : [each.room],
          deviceId: null,
          pointId: each.point,
          from,
          to,
        };

        const read: StoredReading[] = [];
        let moved = landed;
        for (let after: string | null = null, more = true, page = 0; more; page++) {
          const found = await cold.questions.readings(
            { ...where, quantities: ['AIR_TEMPERATURE'] },
            { first: each.first, after },
            SIGNAL,
          );
          read.push(...found.items);
          more = found.more;
          after = found.positions.at(-1) ?? null;
          for (const file of files.slice(moved, moved + each.moving)) await cold.land(file);
          moved = Math.min(files.length, moved + each.moving);
          if (page === each.curatedAfter) await cold.curate();
        }
        const expected = standing
          .map((reading) => nameOf(reading))
          .sort((a, b) => Number(a.split(' ')[0]) - Number(b.split(' ')[0]) || (a < b ? -1 : 1));
        expect(read.map(nameOf)).toEqual(expected);

        const history = await cold.questions.history(
          where,
          { quantity: 'AIR_TEMPERATURE', step: calendarDurationOf('PT6H')!, timeZone: 'UTC' },
          SIGNAL,
        );
        if (!history.ok) throw new Error(history.message);
        expect(history.value.reduce((sum, { count }) => sum + count, 0)).toBe(standing.length);

        // And all buildings of the tenant at once.
        const all = await cold.questions.history(
          { ...where, buildingIds: null, spaceIds: null, pointId: null },
          { quantity: 'AIR_TEMPERATURE', step: calendarDurationOf('PT6H')!, timeZone: 'UTC' },
          SIGNAL,
        );
        if (!all.ok) throw new Error(all.message);
        const ofTenant = distinct(arrivals).filter(
          ({ tenantId, observedAt }) => tenantId === tenant && observedAt >= from && observedAt < to,
        );
        expect(all.value.reduce((sum, { count }) => sum + count, 0)).toBe(ofTenant.length);
      }),
      {
        numRuns: Number(process.env.SEAM_RUNS ?? 4),
        endOnFailure: true,
        ...(process.env.SEAM_SEED && { seed: Number(process.env.SEAM_SEED) }),
      },
    );
  }, 300_000);
});

/**
 * The store of recent readings outlives a run: each has tenants of its own. And some of what has no time has no message id
 * either.
 */
function ofRun(arrival: Arrival, run: number): Arrival {
  return {
    ...arrival,
    readings: arrival.readings.map((reading) => ({
      ...reading,
      tenantId: `${reading.tenantId}_${run}`,
      ...(reading.undated?.messageIndex === 2 && { undated: { messageId: null, messageIndex: 2 } }),
    })),
  };
}

async function writeRecent(cosmos: Cosmos, arrivals: readonly Arrival[], cuts: readonly number[]) {
  const writer = createRecentWriter({ cosmos });
  const edges = [0, ...cuts.map((cut) => Math.floor(cut * arrivals.length)).sort((a, b) => a - b)];
  for (const [i, edge] of edges.entries()) {
    const part = arrivals.slice(edge, edges[i + 1] ?? arrivals.length);
    for (const batch of recentBatches(part)) await writer.write(batch);
  }
}

function nameOf(each: Pick<StoredReading, 'observedAt' | 'pointId' | 'value' | 'receivedAt'>): string {
  return `${each.observedAt} ${each.pointId} ${each.value} ${each.receivedAt}`;
}
