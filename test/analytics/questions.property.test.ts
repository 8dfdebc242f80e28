import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { type Excursion } from '../../src/analytics/excursions';
import { type StoredReading } from '../../src/analytics/readings-page';
import { calendarDurationOf } from '../../src/domain/calendar-duration';
import { type ColdStores, distinct, type PlacedReading, startColdStores } from './cold-store';
import { excursionsByHand } from './oracle';
import { BUILDINGS, filesOf, randomArrivals, ROOMS, TENANT } from './random-arrivals';

/** Days on which a clock is changed, and the zone of the building. */
const CHANGES = [
  { zone: 'Europe/Berlin', from: '2026-03-28T15:00:00Z' },
  { zone: 'Europe/Berlin', from: '2026-10-24T03:00:00Z' },
  { zone: 'America/New_York', from: '2026-03-07T22:00:00Z' },
  { zone: 'America/New_York', from: '2026-10-31T11:00:00Z' },
];
const LENGTH = 54 * 3_600_000;
const SIGNAL = new AbortController().signal;

describe('questions over the cold store, against plain loops and SQL over the same readings', () => {
  let stores: ColdStores;
  let sql: DuckDBConnection;
  let instance: DuckDBInstance;
  beforeAll(async () => {
    stores = await startColdStores();
    instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    sql = await instance.connect();
    await sql.run("SET TimeZone = 'UTC'");
  });
  afterAll(async () => {
    sql.closeSync();
    instance.closeSync();
    await stores.stop();
  });

  /** History by SQL's own calendar: local days, weeks and months by ICU, hours from the local midnight. */
  async function historyBySql(
    readings: readonly PlacedReading[],
    { step, zone }: { step: string; zone: string },
  ) {
    const local = `timezone('${zone}', make_timestamptz(t::BIGINT * 1000))`;
    const unit = { P1D: 'day', P1W: 'week', P1M: 'month' }[step];
    const hours = { PT1H: 3_600_000, PT6H: 21_600_000, PT15M: 900_000 }[step]!;
    const midnight = `epoch_ms(timezone('${zone}', date_trunc('day', ${local})))`;
    const start =
      unit === undefined
        ? `${midnight} + (t::BIGINT - ${midnight}) // ${hours} * ${hours}`
        : `epoch_ms(timezone('${zone}', date_trunc('${unit}', ${local})))`;
    const reader = await sql.runAndReadAll(
      `SELECT (${start})::DOUBLE AS start, count(*)::INTEGER AS count, avg(v) AS average, min(v) AS minimum, max(v) AS maximum
      FROM (SELECT unnest(from_json($rows, '[{"t":"BIGINT","v":"DOUBLE"}]'), recursive := true)) GROUP BY 1 ORDER BY 1`,
      { rows: JSON.stringify(readings.map(({ observedAt: t, value: v }) => ({ t, v }))) },
    );
    return reader.getRowObjectsJS() as unknown as { start: number; count: number }[];
  }

  const plan = fc.constantFrom(...CHANGES).chain(({ zone, from }) =>
    fc.record({
      zone: fc.constant(zone),
      from: fc.constant(Date.parse(from)),
      arrivals: randomArrivals(Date.parse(from), Date.parse(from) + LENGTH),
      eventsAFile: fc.constantFrom(10, 1_000),
      /** Share of the files that is curated before the others land; null: nothing ever was. */
      curated: fc.constantFrom(null, 0, 0.5, 1),
      months: fc.boolean(),
      fileRows: fc.constantFrom(100, 1_000_000),
      building: fc.constantFrom(...BUILDINGS),
      room: fc.constantFrom(null, ...ROOMS),
      step: fc.constantFrom('P1D', 'P1W', 'P1M', 'PT1H', 'PT6H', 'PT15M'),
      low: fc.constantFrom(null, 18, 19.5),
      high: fc.constantFrom(21, 22.25, 25),
      longerThan: fc.constantFrom(0, 600_000, 3_600_000),
      silence: fc.constantFrom(null, null, 600_000),
      by: fc.constantFrom('POINT' as const, 'POINT' as const, 'BUILDING_AVERAGE' as const),
      /** Where the range is cut, as shares of the length. */
      cut: fc.tuple(fc.constantFrom(0, 0.21), fc.constantFrom(1, 0.83)),
      now: fc.constantFrom(0.7, 1, 2),
    }),
  );

  it('finds every reading, every step and every excursion', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async (each) => {
        const { zone, arrivals, building, room, step, low, high, longerThan, silence, by } = each;
        const now = each.from + Math.floor(each.now * LENGTH);
        const from = each.from + Math.floor((each.cut[0] * LENGTH) / 60_000) * 60_000;
        const to = each.from + Math.floor(each.cut[1] * LENGTH);
        const store = await stores.next({ now: () => now });
        const files = filesOf(arrivals, each.eventsAFile);
        const behind = each.curated === null ? 0 : Math.ceil(files.length * each.curated);
        for (const file of files.slice(0, behind)) await store.land(file);
        if (each.curated !== null) await store.curate({ months: each.months, fileRows: each.fileRows });
        for (const file of files.slice(behind)) await store.land(file);
        const standing = distinct(inStreamOrder(files)).filter(
          ({ tenantId, buildingId, spaceId }) =>
            tenantId === TENANT && buildingId === building && (room === null || spaceId === room),
        );
        const ranged = standing.filter(({ observedAt }) => observedAt >= from && observedAt < to);
        const where = {
          tenantId: TENANT,
          buildingIds: [building],
          spaceIds: room === null ? null : [room],
          deviceId: null,
          pointId: null,
          from,
          to,
        };
        const quantity = 'AIR_TEMPERATURE' as const;

        const read: StoredReading[] = [];
        for (let after: string | null = null, more = true; more;) {
          const page = await store.questions.readings(
            { ...where, quantities: [quantity] },
            { first: 400, after },
            SIGNAL,
          );
          read.push(...page.items);
          more = page.more;
          after = page.positions.at(-1) ?? null;
        }
        // Several of one point and instant, messages without a time, stand in the order of their ids, which no name tells.
        expect(read.map(nameOf).sort(byName)).toEqual(ranged.map(nameOf).sort(byName));
        expect(read.map(({ observedAt }) => observedAt)).toEqual(
          ranged.map(({ observedAt }) => observedAt).sort((a, b) => a - b),
        );

        const history = await store.questions.history(
          where,
          { quantity, step: calendarDurationOf(step)!, timeZone: zone },
          SIGNAL,
        );
        if (!history.ok) throw new Error(history.message);
        expect(history.value[0]!.start).toBe(from);
        expect(history.value.at(-1)!.end).toBe(to);
        const told = history.value.filter(({ count }) => count > 0);
        expect(
          told.map(({ start, end: _, ...rest }) => ({ ...rest, start: start === from ? undefined : start })),
        ).toEqual(
          (await historyBySql(ranged, { step, zone })).map((row) => ({
            ...row,
            start: row.start <= from ? undefined : row.start,
          })),
        );

        const asked = { low, high, longerThan, silence: by === 'POINT' ? silence : null, by };
        const found = await store.questions.excursions(
          where,
          { quantity, ...asked, limit: 10_000, offset: 0 },
          SIGNAL,
        );
        if (!found.ok) throw new Error(found.message);
        const byHand: Excursion[] = excursionsByHand(standing, { ...asked, from, to, now });
        expect(found.value.excursions).toEqual(byHand);
        expect(found.value.count).toBe(byHand.length);
        expect(found.value.total).toBe(byHand.reduce((sum, { start, end }) => sum + end - start, 0));
      }),
      {
        numRuns: Number(process.env.QUESTIONS_RUNS ?? 6),
        endOnFailure: true,
        ...(process.env.QUESTIONS_SEED && { seed: Number(process.env.QUESTIONS_SEED) }),
      },
    );
  }, 300_000);
});

/** Of each life and partition its files, one life after the other. */
function inStreamOrder(files: ReturnType<typeof filesOf>) {
  return files
    .flat()
    .toSorted((a, b) =>
      a.incarnation === b.incarnation ? a.sequence - b.sequence : a.incarnation < b.incarnation ? -1 : 1,
    );
}

function nameOf(each: Pick<StoredReading, 'observedAt' | 'pointId' | 'value'>): string {
  return `${each.observedAt} ${each.pointId} ${each.value}`;
}

function byName(a: string, b: string): number {
  const [x, y] = [Number(a.split(' ')[0]), Number(b.split(' ')[0])];
  return x - y || (a < b ? -1 : 1);
}
