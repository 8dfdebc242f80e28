import { createCosmosEmulator, type CosmosEmulator } from '../../emulators/cosmos/emulator';
import { type Entitlement, tenantScope, type TenantScope } from '../../src/auth/scope';
import { type BuildingAverage } from '../../src/domain/window';
import { createLogger } from '../../src/observability/logger';
import { createAveragesReader } from '../../src/store/averages-reader';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { type Cosmos, createCosmos } from '../../src/store/cosmos';

const MINUTE = 29_833_335;

function buildAverage(
  parts: Partial<BuildingAverage> & { minute?: number; sequence?: number } = {},
): BuildingAverage {
  const { minute = MINUTE, sequence = 10, ...rest } = parts;
  return {
    tenantId: 'ten_a',
    buildingId: 'bld_a',
    quantity: 1,
    windowEnd: minute * 60,
    asOf: minute * 60_000 + 20,
    mean: 21,
    minimum: 20,
    maximum: 22,
    readings: 30,
    devicesReporting: 3,
    devicesExpected: 4,
    lastReadingAt: minute * 60_000 - 500,
    position: { incarnation: 'i1', partition: 2, sequence },
    ...rest,
  };
}

function scopeOf(...entitlements: Partial<Entitlement>[]): TenantScope {
  return tenantScope(
    { kind: 'person', id: 'per_a', email: null, expiresAt: Date.now() + 3_600_000 },
    entitlements.map((each) => ({
      tenantId: 'ten_a',
      buildingId: null,
      quantities: null,
      role: 'VIEWER',
      until: null,
      ...each,
    })),
  );
}

describe('the rolling record in Cosmos', () => {
  let emulator: CosmosEmulator;
  let cosmos: Cosmos;
  const owner = scopeOf({});

  beforeAll(async () => {
    emulator = createCosmosEmulator({ logger: createLogger({ name: 'test', level: 'silent' }), sync: false });
    const { endpoint, key } = await emulator.start();
    cosmos = createCosmos({ endpoint, key }, 'atrium');
    await cosmos.ensureContainers();
  });
  afterAll(async () => {
    cosmos.stop();
    await emulator.stop();
  });

  const historyOf = (
    buildingId: string,
    scope = owner,
    more: { from?: number; to?: number; limit?: number } = {},
  ) =>
    createAveragesReader({ cosmos }).history(scope, {
      buildingId,
      quantity: 'AIR_TEMPERATURE',
      fromMinute: more.from ?? MINUTE - 1_000,
      toMinute: more.to ?? MINUTE + 1_000,
      limit: more.limit ?? 10_000,
    });

  it('gives back what was written, by quantity and minute, across chunks', async () => {
    const writer = createAveragesWriter({ cosmos });
    const points = Array.from({ length: 25 }, (_, i) =>
      buildAverage({ buildingId: 'bld_1', minute: MINUTE + i, mean: i }),
    );
    await writer.write('bld_1', [...points, buildAverage({ buildingId: 'bld_1', quantity: 2, mean: 55 })]);
    expect(await historyOf('bld_1')).toEqual(points.map((point) => ({ ...point, revision: 1 })));
    const part = await historyOf('bld_1', owner, { from: MINUTE + 3, to: MINUTE + 20, limit: 12 });
    expect(part.map(({ windowEnd }) => windowEnd / 60 - MINUTE)).toEqual([
      3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    ]);
  });

  it('takes any bounds, from before 1970 to after the minutes that an id has room for', async () => {
    await createAveragesWriter({ cosmos }).write('bld_far', [buildAverage({ buildingId: 'bld_far' })]);
    const yearOf = (year: number): number => Date.UTC(year, 0) / 60_000;
    for (const year of [2100, 2200, 2500, 9999]) {
      const found = await historyOf('bld_far', owner, { from: yearOf(1900), to: yearOf(year) });
      expect(found).toHaveLength(1);
      expect(await historyOf('bld_far', owner, { from: yearOf(year), to: yearOf(year) + 10 })).toEqual([]);
    }
  });

  it('brings no chunk that holds nothing of the quantity asked for', async () => {
    const humid = Array.from({ length: 400 }, (_, i) =>
      buildAverage({ buildingId: 'bld_humid', minute: MINUTE + i, quantity: 2 }),
    );
    await createAveragesWriter({ cosmos }).write('bld_humid', humid);
    let chunks = 0;
    const counting: Cosmos = {
      ...cosmos,
      async *pages<T>(...args: Parameters<Cosmos['pages']>) {
        for await (const page of cosmos.pages<T>(...args)) {
          chunks += page.length;
          yield page;
        }
      },
    };
    const query = { buildingId: 'bld_humid', fromMinute: MINUTE, toMinute: MINUTE + 400, limit: 5 };
    const { history } = createAveragesReader({ cosmos: counting });
    expect(await history(owner, { ...query, quantity: 'AIR_TEMPERATURE' })).toEqual([]);
    expect(chunks).toBe(0);
    expect(await history(owner, { ...query, quantity: 'RELATIVE_HUMIDITY' })).toHaveLength(5);
  });

  it('keeps an empty window as nulls with the time of its last reading', async () => {
    const empty = buildAverage({
      buildingId: 'bld_2',
      mean: null,
      minimum: null,
      maximum: null,
      readings: 0,
      devicesReporting: 0,
      lastReadingAt: 1_789_999_000_123,
    });
    await createAveragesWriter({ cosmos }).write('bld_2', [empty]);
    expect(await historyOf('bld_2')).toEqual([{ ...empty, revision: 1 }]);
  });

  it('lets a point of a later position stand, whoever writes', async () => {
    const newOwner = createAveragesWriter({ cosmos });
    const oldOwner = createAveragesWriter({ cosmos });
    await oldOwner.write('bld_3', [buildAverage({ buildingId: 'bld_3', sequence: 5, mean: 1 })]);
    await newOwner.write('bld_3', [buildAverage({ buildingId: 'bld_3', sequence: 9, mean: 2 })]);
    await oldOwner.write('bld_3', [
      buildAverage({ buildingId: 'bld_3', sequence: 7, mean: 3 }),
      buildAverage({ buildingId: 'bld_3', sequence: 7, minute: MINUTE + 1, mean: 4 }),
    ]);
    const stored = await historyOf('bld_3');
    expect(stored.map(({ mean, position, revision }) => [mean, position.sequence, revision])).toEqual([
      [2, 9, 2],
      [4, 7, 1],
    ]);
  });

  it('counts a revision at each correction and none when the same is written again', async () => {
    const writer = createAveragesWriter({ cosmos });
    const write = (sequence: number, readings: number) =>
      writer.write('bld_4', [buildAverage({ buildingId: 'bld_4', sequence, readings })]);
    expect(await write(1, 30)).toMatchObject([{ revision: 1, readings: 30 }]);
    expect(await write(2, 30)).toEqual([]);
    await write(3, 31);
    const [point] = await historyOf('bld_4');
    expect([point!.readings, point!.revision, point!.position.sequence]).toEqual([31, 2, 3]);
  });

  it('replaces a point of another life of the hub', async () => {
    const writer = createAveragesWriter({ cosmos });
    await writer.write('bld_5', [buildAverage({ buildingId: 'bld_5', sequence: 900 })]);
    const reborn = buildAverage({
      buildingId: 'bld_5',
      mean: 7,
      position: { incarnation: 'i2', partition: 2, sequence: 0 },
    });
    await writer.write('bld_5', [reborn]);
    expect(await historyOf('bld_5')).toEqual([{ ...reborn, revision: 2 }]);
  });

  it('keeps a whole minute of an earlier life of the hub against the few late readings of a new one', async () => {
    const writer = createAveragesWriter({ cosmos });
    const whole = buildAverage({ buildingId: 'bld_8', readings: 300 });
    await writer.write('bld_8', [whole]);
    const position = { incarnation: 'i2', partition: 2, sequence: 0 };
    await writer.write('bld_8', [buildAverage({ buildingId: 'bld_8', readings: 1, mean: 7, position })]);
    expect(await historyOf('bld_8')).toEqual([{ ...whole, revision: 1 }]);
  });

  it('loses nothing when two write the same building at once', async () => {
    const writers = [createAveragesWriter({ cosmos }), createAveragesWriter({ cosmos })];
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        writers[i % 2]!.write('bld_6', [buildAverage({ buildingId: 'bld_6', minute: MINUTE + i })]),
      ),
    );
    expect(await historyOf('bld_6')).toHaveLength(10);
  });

  it('answers nothing of a building, tenant or quantity outside the scope', async () => {
    await createAveragesWriter({ cosmos }).write('bld_7', [
      buildAverage({ buildingId: 'bld_7' }),
      buildAverage({ buildingId: 'bld_7', quantity: 2 }),
    ]);
    const reader = createAveragesReader({ cosmos, now: () => MINUTE * 60_000 });
    const latest = async (scope: TenantScope): Promise<number[]> =>
      (await reader.latest(scope, ['bld_7']))[0]!.map(({ quantity }) => quantity);
    const foreign = scopeOf({ tenantId: 'ten_b' });
    const elsewhere = scopeOf({ buildingId: 'bld_8' });
    const humidity = scopeOf({ quantities: ['RELATIVE_HUMIDITY'] });
    expect(await historyOf('bld_7')).toHaveLength(1);
    for (const scope of [foreign, elsewhere, humidity, scopeOf({ until: 1 })]) {
      expect(await historyOf('bld_7', scope)).toEqual([]);
    }
    expect(await latest(owner)).toEqual([1, 2]);
    expect(await latest(humidity)).toEqual([2]);
    expect(await latest(foreign)).toEqual([]);
    expect(await latest(elsewhere)).toEqual([]);
  });

  it('keeps what another owner’s readings say out of a tenant’s chunk', async () => {
    const writer = createAveragesWriter({ cosmos });
    await writer.write('bld_9', [buildAverage({ buildingId: 'bld_9' })]);
    await writer.write('bld_9', [
      buildAverage({ buildingId: 'bld_9', tenantId: 'ten_b', sequence: 99, mean: 99 }),
    ]);
    expect(await historyOf('bld_9')).toMatchObject([{ tenantId: 'ten_a', mean: 21 }]);
  });

  it('finds the newest point of each quantity, in this chunk, the one before or long ago', async () => {
    const writer = createAveragesWriter({ cosmos });
    const write = (buildingId: string, minute: number, quantity: number) =>
      writer.write(buildingId, [buildAverage({ buildingId, minute, quantity })]);
    await write('bld_10', MINUTE - 1, 1);
    await write('bld_10', MINUTE, 1);
    await write('bld_10', MINUTE - 9, 2);
    await write('bld_11', MINUTE - 500, 1);
    const reader = createAveragesReader({ cosmos, now: () => MINUTE * 60_000 });
    const found = await reader.latest(owner, ['bld_11', 'bld_unknown', 'bld_10']);
    const minutes = found.map((points) =>
      points.map((each) => [each.quantity, each.windowEnd / 60 - MINUTE]),
    );
    expect(minutes).toEqual([
      [[1, -500]],
      [],
      [
        [1, 0],
        [2, -9],
      ],
    ]);
  });
});
