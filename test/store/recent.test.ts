import fc from 'fast-check';
import { type Role, tenantScope } from '../../src/auth/scope';
import { type RecentBatch, type RecentReading, type RecentRow } from '../../src/store/recent';
import { recentColumns, type RecentDocument, recentDocuments } from '../../src/store/recent-documents';
import { distinctRows } from '../../src/store/recent-identities';
import { createRecentReader, createRecentSource } from '../../src/store/recent-reader';
import { createRecentWriter } from '../../src/store/recent-writer';
import { principal, startStore, type Store } from './store.support';

/** The beginning of a chunk of ten minutes. */
const BEGINNING = 1_790_000_400_000;

interface Drafted {
  ordinal: number;
  observedAt: number;
  value: number;
  sequence: number;
  messageId?: string | null;
}

function batchOf(rows: readonly Drafted[], of: Partial<RecentBatch> = {}): RecentBatch {
  const ordinals = [...new Set(rows.map(({ ordinal }) => ordinal))];
  return {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    incarnation: '1700000000000-8',
    partition: 3,
    recordedFrom: -Infinity,
    points: ordinals.map((ordinal) => ({
      pointId: `pnt_${ordinal}`,
      pointOrdinal: ordinal,
      deviceId: `dev_${ordinal >> 1}`,
      deviceOrdinal: ordinal >> 1,
      spaceId: `spc_${ordinal % 3}`,
      quantity: ordinal % 2 === 0 ? 1 : 2,
    })),
    count: rows.length,
    point: rows.map(({ ordinal }) => ordinals.indexOf(ordinal)),
    observedAt: rows.map(({ observedAt }) => observedAt),
    value: rows.map(({ value }) => value),
    sequence: rows.map(({ sequence }) => sequence),
    undated: rows.flatMap(({ messageId }, row) =>
      messageId === undefined ? [] : [{ row, messageId, messageIndex: 0 }],
    ),
    ...of,
  };
}

const scopeOf = (role: Role, tenantId = 'ten_a') =>
  tenantScope(principal('someone'), [{ tenantId, buildingId: null, quantities: null, role, until: null }]);

async function all(readings: AsyncIterable<RecentReading>): Promise<RecentReading[]> {
  const found: RecentReading[] = [];
  for await (const reading of readings) found.push(reading);
  return found;
}

const drafted: fc.Arbitrary<Drafted> = fc.record({
  ordinal: fc.integer({ min: 0, max: 5 }),
  observedAt: fc.integer({ min: BEGINNING - 700_000, max: BEGINNING + 700_000 }),
  value: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 21.5, -0.001, 1e-9, 2 ** 53),
  ),
  sequence: fc.integer({ min: 0, max: 40 }),
});
const stream = fc
  .array(drafted, { minLength: 1, maxLength: 60 })
  .map((rows) => rows.sort((a, b) => a.sequence - b.sequence));

describe('documents of recent readings', () => {
  it('give back exactly what was packed', () => {
    fc.assert(
      fc.property(stream, (rows) => {
        const batch = batchOf(rows);
        const unpacked = recentDocuments(batch, 1).flatMap((document) => {
          const { points, count, point, observedAt, value, sequence } = recentColumns(document);
          return Array.from({ length: count }, (_, row) => ({
            ordinal: points[point[row]!]!.pointOrdinal,
            observedAt: observedAt[row]!,
            value: value[row]!,
            sequence: sequence[row]!,
          }));
        });
        const inOrder = (list: readonly Drafted[]) =>
          list.map((each) => JSON.stringify([each, Object.is(each.value, -0)])).sort();
        expect(inOrder(unpacked)).toEqual(inOrder(rows));
      }),
    );
  });

  it('hold each identity once, whatever the boundaries at which a stream was flushed, and again after a replay', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 });
    const flushed = (rows: readonly Drafted[], at: readonly number[]): RecentDocument[] => {
      const edges = [0, ...[...at].sort((a, b) => a - b), 41];
      return edges.slice(1).flatMap((to, i) => {
        const part = rows.filter(({ sequence }) => sequence >= edges[i]! && sequence < to);
        return part.length === 0 ? [] : recentDocuments(batchOf(part), 1);
      });
    };
    fc.assert(
      fc.property(stream, cuts, cuts, (rows, first, second) => {
        const once = distinctRows(flushed(rows, []));
        // Within an event the order is that of its chunks' documents.
        const inOrder = (list: readonly RecentRow[]) => list.map((row) => JSON.stringify(row)).sort();
        const replayed = distinctRows([...flushed(rows, second), ...flushed(rows, first)]);
        expect(inOrder(replayed)).toEqual(inOrder(once));
        const firsts = rows.filter(
          (row, i) =>
            rows.findIndex((each) => each.ordinal === row.ordinal && each.observedAt === row.observedAt) ===
            i,
        );
        expect(
          once.map(({ pointOrdinal, observedAt, value }) => [pointOrdinal, observedAt, value]).sort(),
        ).toEqual(firsts.map(({ ordinal, observedAt, value }) => [ordinal, observedAt, value]).sort());
      }),
    );
  });

  it('say when readings were received, and the row in its event of one without a time', () => {
    const instants = fc.array(fc.integer({ min: 0, max: 4e12 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(instants, (receivedAt) => {
        const rows = receivedAt.map((_, i): Drafted => ({
          ordinal: 0,
          observedAt: BEGINNING + i,
          value: i,
          sequence: i,
          messageId: null,
        }));
        const batch = batchOf(rows);
        const undated = batch.undated.map((each) => ({ ...each, frameRow: 1_000 - each.row }));
        const [document] = recentDocuments({ ...batch, undated, receivedAt }, 1) as [RecentDocument];
        const columns = recentColumns(document);
        expect(Array.from(columns.receivedAt!)).toEqual(receivedAt);
        expect(columns.undated).toEqual(undated);
        const { received, ...before } = document;
        expect(recentColumns(before).receivedAt).toBeUndefined();
        const cut = Buffer.from(received!, 'base64').subarray(0, -1).toString('base64');
        expect(() => recentColumns({ ...document, received: cut })).toThrow(RangeError);
      }),
    );
  });

  it('refuse a damaged count instead of making room for it', () => {
    const [document] = recentDocuments(
      batchOf([{ ordinal: 0, observedAt: BEGINNING, value: 1, sequence: 0 }]),
      1,
    ) as [RecentDocument];
    expect(() => recentColumns({ ...document, count: 1e9 })).toThrow(RangeError);
    expect(() => recentColumns({ ...document, points: [] })).toThrow(RangeError);
  });
});

describe('recent readings in Cosmos', () => {
  let store: Store;
  beforeAll(async () => {
    store = await startStore();
  });
  afterAll(() => store.stop());

  const rows: Drafted[] = [
    { ordinal: 0, observedAt: BEGINNING + 1_000, value: 21.5, sequence: 10 },
    { ordinal: 1, observedAt: BEGINNING + 2_000, value: 40, sequence: 10 },
    { ordinal: 0, observedAt: BEGINNING + 61_000, value: 21.7, sequence: 11 },
    // Days late, in a chunk of its own.
    { ordinal: 0, observedAt: BEGINNING - 47 * 3_600_000, value: 19, sequence: 12 },
    // Sent again with another value.
    { ordinal: 0, observedAt: BEGINNING + 1_000, value: 99, sequence: 13 },
  ];
  const window = { from: BEGINNING, to: BEGINNING + 600_000 };

  it('are told to owner, manager and analyst in order, each once, and to nobody else', async () => {
    const writer = createRecentWriter({ cosmos: store.cosmos });
    const reader = createRecentReader({ cosmos: store.cosmos });
    const building = { buildingId: 'bld_read' };
    await writer.write(batchOf(rows, building));
    for (const role of ['OWNER', 'MANAGER', 'ANALYST'] as const) {
      const found = await all(reader.readRecent(scopeOf(role), { ...building, ...window }));
      expect(found.map(({ pointId, value }) => [pointId, value])).toEqual([
        ['pnt_0', 21.5],
        ['pnt_1', 40],
        ['pnt_0', 21.7],
      ]);
    }
    for (const scope of [scopeOf('TECHNICIAN'), scopeOf('VIEWER'), scopeOf('OWNER', 'ten_b')]) {
      expect(await all(reader.readRecent(scope, { ...building, ...window }))).toEqual([]);
      expect(await reader.heldFrom(scope, { tenantId: 'ten_a', ...building })).toBeNull();
    }
  });

  it('are picked by quantity, space, device and point', async () => {
    const reader = createRecentReader({ cosmos: store.cosmos });
    const asked = { buildingId: 'bld_read', ...window };
    const count = async (filter: object) =>
      (await all(reader.readRecent(scopeOf('OWNER'), { ...asked, ...filter }))).length;
    expect(await count({ quantities: ['AIR_TEMPERATURE'] })).toBe(2);
    expect(await count({ spaceIds: ['spc_1'] })).toBe(1);
    expect(await count({ deviceIds: ['dev_0'] })).toBe(3);
    expect(await count({ pointIds: ['pnt_1'] })).toBe(1);
    expect(await count({ to: BEGINNING + 2_000 })).toBe(1);
  });

  it('written again change nothing, and the latest of each point stands whoever writes last', async () => {
    const [one, other] = [
      createRecentWriter({ cosmos: store.cosmos }),
      createRecentWriter({ cosmos: store.anotherCosmos() }),
    ];
    const building = { buildingId: 'bld_latest' };
    const key = (pointOrdinal: number) => ({
      tenantId: 'ten_a',
      ...building,
      pointOrdinal,
      quantity: 'AIR_TEMPERATURE' as const,
    });
    await one.write(batchOf(rows, building));
    await other.write(batchOf(rows.slice(0, 2), building));
    await one.write(batchOf(rows, building));
    const reader = createRecentReader({ cosmos: store.cosmos });
    expect(await reader.latest(scopeOf('OWNER'), [key(0), key(1), key(4), key(700)])).toEqual([
      { observedAt: BEGINNING + 61_000, value: 21.7, deviceOrdinal: 0 },
      { observedAt: BEGINNING + 2_000, value: 40, deviceOrdinal: 0 },
      null,
      null,
    ]);
    expect(await reader.latest(scopeOf('TECHNICIAN'), [key(0)])).toEqual([null]);
    expect(await all(reader.readRecent(scopeOf('OWNER'), { ...building, ...window }))).toHaveLength(3);
  });

  it('are asked for once while the latest are kept, and by whoever may not see them each time', async () => {
    const building = { buildingId: 'bld_kept' };
    const key = (pointOrdinal: number) => ({
      tenantId: 'ten_a',
      ...building,
      pointOrdinal,
      quantity: 'AIR_TEMPERATURE' as const,
    });
    const writer = createRecentWriter({ cosmos: store.cosmos });
    await writer.write(batchOf(rows, building));
    let time = 0;
    let calls = 0;
    const { cosmos } = store;
    const counted = {
      ...cosmos,
      readMany: (...asked: Parameters<typeof cosmos.readMany>) => {
        calls++;
        return cosmos.readMany(...asked) as Promise<never>;
      },
    };
    const reader = createRecentReader({ cosmos: counted, keepLatestMs: 1_000, now: () => time });
    const ask = async (role: Role, ...ordinals: number[]) => {
      calls = 0;
      const found = await reader.latest(scopeOf(role), ordinals.map(key));
      return { values: found.map((each) => each?.value ?? null), calls };
    };
    expect(await ask('OWNER', 0, 1)).toEqual({ values: [21.7, 40], calls: 1 });
    // Who asks meanwhile shares the call, and later ones what it answered.
    expect(await ask('ANALYST', 1, 4)).toEqual({ values: [40, null], calls: 0 });
    for (let again = 0; again < 2; again++) {
      expect(await ask('TECHNICIAN', 0)).toEqual({ values: [null], calls: 1 });
      // What is not there is not kept either.
      expect(await ask('OWNER', 700)).toEqual({ values: [null], calls: 1 });
    }
    const later = { ...rows[0]!, observedAt: BEGINNING + 120_000, value: 30, sequence: 99 };
    await writer.write(batchOf([later], building));
    expect((await ask('OWNER', later.ordinal)).calls).toBe(0);
    time += 1_000;
    expect(await ask('OWNER', later.ordinal)).toEqual({ values: [30], calls: 1 });
  });

  it('of the same events stay where an owner that knows less of them writes too', async () => {
    const building = { buildingId: 'bld_less' };
    const [first, , last] = rows as [Drafted, Drafted, Drafted];
    const message = { ordinal: 1, observedAt: BEGINNING + 30_000, value: 41, sequence: 10, messageId: 'm' };
    const whole = batchOf([first, message, last], building);
    const writer = createRecentWriter({ cosmos: store.cosmos });
    await writer.write(whole);
    await writer.write(batchOf([first, last], building));
    await writer.write(whole);
    const reader = createRecentReader({ cosmos: store.cosmos });
    const found = await all(reader.readRecent(scopeOf('OWNER'), { ...building, ...window }));
    expect(found.map(({ value }) => value)).toEqual([21.5, 41, 21.7]);
  });

  it('are held from when the first owner of the partition began, whoever goes on', async () => {
    const stream = { incarnation: '1700000000000-8', partition: 5 };
    const writer = createRecentWriter({ cosmos: store.cosmos });
    expect(await writer.begin(stream, BEGINNING)).toBe(BEGINNING);
    const recordedFrom = await createRecentWriter({ cosmos: store.cosmos }).begin(stream, BEGINNING + 1e6);
    expect(recordedFrom).toBe(BEGINNING);
    const held = { buildingId: 'bld_held' };
    const now = () => BEGINNING + 3_600_000;
    const mine = createRecentWriter({ cosmos: store.cosmos, now });
    expect(await mine.write(batchOf(rows, { ...held, recordedFrom }))).toBe(BEGINNING);
    const reader = createRecentReader({ cosmos: store.cosmos, now });
    expect(await reader.heldFrom(scopeOf('OWNER'), { tenantId: 'ten_a', ...held })).toBe(BEGINNING);
    const later = createRecentReader({ cosmos: store.cosmos, now: () => BEGINNING + 73 * 3_600_000 });
    const expired = await later.heldFrom(scopeOf('OWNER'), { tenantId: 'ten_a', ...held });
    expect(expired).toBe(BEGINNING + 3_600_000 + 60_000);
  });

  it('of a backlog of days are written in batches that Cosmos takes, and read up to a position of the stream', async () => {
    const building = { buildingId: 'bld_backlog' };
    const backlog = Array.from({ length: 2_880 }, (_, minute) => ({
      ordinal: minute % 4,
      observedAt: BEGINNING - minute * 60_000,
      value: minute,
      sequence: 100 + minute,
    }));
    await createRecentWriter({ cosmos: store.cosmos }).write(batchOf(backlog, building));
    const source = createRecentSource({ cosmos: store.cosmos });
    const minute = BEGINNING / 60_000;
    const through = { incarnation: '1700000000000-8', partition: 3, sequence: 100 + 2_000 };
    const owner = { tenantId: 'ten_a', ...building };
    const whole = await source.rows(owner, { fromMinute: minute - 2_880, toMinute: minute }, through);
    expect(whole).toHaveLength(2_001);
    const some = await source.rows(owner, { fromMinute: minute - 20, toMinute: minute - 11 }, through);
    expect(some.map(({ value }) => value).sort((a, b) => a - b)).toEqual([
      11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
    ]);
  });
});
