import { type BuildingAverage } from '../../src/domain/window';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { eventually } from '../support/eventually';
import { average, buildBuilding, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const DOCUMENT = `subscription ($ids: [ID!]!, $after: [String!], $quantity: Quantity) {
  buildingAverages(buildingIds: $ids, after: $after, quantity: $quantity) {
    buildingId quantity mean readings windowEnd revision delivery cursor gap { from to } } }`;
const ONE = `subscription ($id: ID!, $after: String, $minInterval: Duration) {
  buildingAverage(building: $id, after: $after, minInterval: $minInterval) {
    buildingId quantity mean readings windowEnd revision delivery cursor gap { from to } } }`;

interface Value {
  buildingId: string;
  quantity: QuantityName;
  mean: number | null;
  windowEnd: string;
  revision: number;
  delivery: string;
  cursor: string;
  gap: { from: string; to: string } | null;
}

const MINUTE = 60_000;
const position = { incarnation: 'test-2', partition: 0, sequence: 1 };
const iso = (minute: number): string => new Date(minute * MINUTE).toISOString();

describe('a subscription that goes on where another ended', () => {
  let api: TestApi;
  let owner: Person;
  let building: { id: string; tenantId: string };
  let other: { id: string; tenantId: string };
  let sequence = 1;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    ({ building } = await buildBuilding(api, owner, NORTH));
    ({ building: other } = await buildBuilding(api, owner, NORTH, { name: 'Building 26' }));
  });
  afterAll(() => api.stop());

  const record = (
    at: { id: string; tenantId: string },
    minutes: readonly number[],
    meanOf = (m: number) => m,
  ) =>
    createAveragesWriter({ cosmos: api.cosmos }).write(
      at.id,
      minutes.map((minute) => average(at, { windowEnd: minute * 60, mean: meanOf(minute), position })),
    );
  const live = (at: { id: string; tenantId: string }, values: Partial<BuildingAverage>): Promise<void> =>
    api.publish(average(at, { ...values, position: { ...position, sequence: ++sequence } }));
  const isLive = (at: { id: string }, mean: number): Promise<void> =>
    eventually(async () => {
      const { data } = await api.ask<{ building: { averages: { mean: number }[] } }, object>(
        owner,
        'query ($id: ID!) { building(id: $id) { averages { mean } } }',
        { id: at.id },
      );
      expect(data!.building.averages).toEqual([{ mean }]);
    });
  function collect(query: string, variables: Record<string, unknown>, who = owner, url?: string) {
    const values: Value[] = [];
    const outcome: { errors?: unknown; completed: boolean } = { completed: false };
    const end = api.subscriber(who, url).subscribe<Record<string, Value>>(
      { query, variables },
      {
        next: ({ data, errors }) => {
          if (data) values.push(...Object.values(data));
          if (errors) outcome.errors = errors;
        },
        error: (error) => (outcome.errors = error),
        complete: () => (outcome.completed = true),
      },
    );
    return { values, outcome, end };
  }
  /** A cursor of the value of a minute. */
  async function cursorOf(at: { id: string }, minute: number): Promise<string> {
    const { data } = await api.ask<{ building: { averageHistory: { nodes: { cursor: string }[] } } }, object>(
      owner,
      `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
        averageHistory(quantity: AIR_TEMPERATURE, from: $from, to: $to) { nodes { cursor } } } }`,
      { id: at.id, from: iso(minute), to: iso(minute) },
    );
    return data!.building.averageHistory.nodes[0]!.cursor;
  }

  it('is told the records of the minutes between, in order, and then the current value, at any replica', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    await record(building, [now - 5, now - 4, now - 3, now - 2, now - 1]);
    // That of this minute is published and not stored yet.
    await live(building, { windowEnd: now * 60, mean: now });
    await live(building, { windowEnd: now * 60 + 1, mean: 7 });
    await isLive(building, 7);
    const after = await cursorOf(building, now - 4);
    const { webSocketUrl } = await api.replica();
    for (const url of [api.webSocketUrl, webSocketUrl]) {
      const { values, end } = collect(ONE, { id: building.id, after }, owner, url);
      await eventually(() => expect(values).toHaveLength(5));
      expect(values.map(({ windowEnd, mean, delivery }) => [windowEnd, mean, delivery])).toEqual([
        [iso(now - 3), now - 3, 'MISSED'],
        [iso(now - 2), now - 2, 'MISSED'],
        [iso(now - 1), now - 1, 'MISSED'],
        [iso(now), now, 'MISSED'],
        [new Date(now * MINUTE + 1_000).toISOString(), 7, 'LIVE'],
      ]);
      expect(values.every(({ gap }) => gap === null)).toBe(true);
      end();
    }
  });

  it('shares what follows with those who began elsewhere', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    const after = await cursorOf(building, now - 4);
    const all = [undefined, after, after].map((cursor) => collect(ONE, { id: building.id, after: cursor }));
    for (const { values } of all) await eventually(() => expect(values.at(-1)?.delivery).toBe('LIVE'));
    await eventually(async () =>
      expect(await api.metrics.metrics()).toMatch(/atrium_api_shared_executions\{.*\} 1$/m),
    );
    for (const { end } of all) end();
  });

  it('is told which minutes it is not told, where they are too many or not stored yet', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    const { building: gapped } = await buildBuilding(api, owner, NORTH, { name: 'Gapped' });
    await record(gapped, [now - 2_000, now - 5, now - 4]);
    await live(gapped, { windowEnd: now * 60 + 2, mean: 9 });
    await isLive(gapped, 9);
    const late = collect(ONE, { id: gapped.id, after: await cursorOf(gapped, now - 5) });
    await eventually(() => expect(late.values.at(-1)?.mean).toBe(9));
    expect(late.values.map(({ delivery, gap }) => [delivery, gap])).toEqual([
      ['MISSED', null],
      ['LIVE', { from: iso(now - 3), to: iso(now) }],
    ]);
    const long = collect(ONE, { id: gapped.id, after: await cursorOf(gapped, now - 2_000) });
    await eventually(() => expect(long.values).toHaveLength(1));
    expect(long.values[0]).toMatchObject({
      delivery: 'LIVE',
      mean: 9,
      gap: { from: iso(now - 1_999 - 1), to: expect.any(String) },
    });
    late.end();
    long.end();
  });

  it('is told a record again that was corrected since, and of the same minute only what it has not', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    const { building: corrected } = await buildBuilding(api, owner, NORTH, { name: 'Corrected' });
    await record(corrected, [now - 1]);
    const after = await cursorOf(corrected, now - 1);
    const none = collect(ONE, { id: corrected.id, after });
    await eventually(() => expect(none.values.map(({ delivery }) => delivery)).toEqual(['LIVE']));
    none.end();
    await createAveragesWriter({ cosmos: api.cosmos }).write(corrected.id, [
      average(corrected, { windowEnd: (now - 1) * 60, mean: 3, position: { ...position, sequence: 2 } }),
    ]);
    const { values, end } = collect(ONE, { id: corrected.id, after });
    await eventually(() =>
      expect(values[0]).toMatchObject({ delivery: 'MISSED', mean: 3, revision: 2, windowEnd: iso(now - 1) }),
    );
    end();
  });

  it('is told of records that are corrected, as they stand now, where it asks for it', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    const { building: late } = await buildBuilding(api, owner, NORTH, { name: 'Late' });
    await live(late, { mean: 1 });
    await isLive(late, 1);
    await record(late, [now - 120, now - 3, now - 2]);
    const asking = collect(
      'subscription ($id: ID!) { buildingAverage(building: $id, corrections: true) { mean windowEnd revision delivery cursor } }',
      { id: late.id },
    );
    const not = collect(ONE, { id: late.id });
    for (const { values } of [asking, not]) await eventually(() => expect(values).toHaveLength(1));
    const corrected = [now - 120, now - 3];
    await createAveragesWriter({ cosmos: api.cosmos }).write(
      late.id,
      corrected.map((minute) =>
        average(late, { windowEnd: minute * 60, mean: 2, position: { ...position, sequence: 2 } }),
      ),
    );
    const of = { tenantId: NORTH, quantity: quantityNamed('AIR_TEMPERATURE').code, minutes: corrected };
    await api.publishCorrections({ ...of, buildingId: late.id }, { ...of, buildingId: building.id });
    await eventually(() => expect(asking.values).toHaveLength(3));
    expect(asking.values.slice(1)).toEqual(
      corrected.map((minute) => ({
        mean: 2,
        windowEnd: iso(minute),
        revision: 2,
        delivery: 'CORRECTED',
        cursor: null,
      })),
    );
    await live(late, { mean: 5 });
    for (const { values } of [asking, not]) await eventually(() => expect(values.at(-1)!.mean).toBe(5));
    expect(not.values).toHaveLength(2);
    asking.end();
    not.end();
    await eventually(async () =>
      expect(await api.metrics.metrics()).toMatch(/atrium_api_shared_executions\{.*\} 0$/m),
    );
  });

  it('takes a cursor of its own buildings and no other', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    await record(other, [now - 1]);
    const mine = await cursorOf(building, now - 4);
    const others = await cursorOf(other, now - 1);
    for (const [query, variables] of [
      [ONE, { id: building.id, after: others }],
      [ONE, { id: building.id, after: `${mine.slice(0, -2)}AA` }],
      [DOCUMENT, { ids: [building.id], after: [others] }],
      [DOCUMENT, { ids: [building.id, other.id], after: [mine, mine] }],
      [ONE, { id: building.id, minInterval: 'PT0.5S' }],
      [ONE, { id: building.id, minInterval: 'PT2H' }],
      [DOCUMENT, { ids: [] }],
      [DOCUMENT, { ids: Array.from({ length: 101 }, () => building.id) }],
    ] as const) {
      const { outcome, values } = collect(query, variables);
      await eventually(() =>
        expect(outcome.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]),
      );
      expect(values).toEqual([]);
    }
  });

  it('may be to several buildings, each from where it was left, and tells nothing of those that are not one’s own', async () => {
    const now = Math.floor(Date.now() / MINUTE);
    const stranger = await api.person('stranger', SOUTH, 'OWNER');
    const { building: foreign } = await buildBuilding(api, stranger, SOUTH);
    await live(foreign, { mean: 99 });
    await live(other, { mean: 5 });
    await isLive(other, 5);
    const after = [await cursorOf(building, now - 4)];
    const ids = [building.id, other.id, foreign.id, 'bld_unknown'];
    const { values, outcome, end } = collect(DOCUMENT, { ids, after });
    const told = (id: string) => values.filter(({ buildingId }) => buildingId === id);
    await eventually(() => expect(told(other.id)).toHaveLength(1));
    expect(told(building.id).map(({ delivery }) => delivery)).toEqual([
      ...Array(told(building.id).length - 1).fill('MISSED'),
      'LIVE',
    ]);
    await live(foreign, { mean: 98 });
    await live(other, { mean: 6 });
    await eventually(() => expect(told(other.id).map(({ mean }) => mean)).toEqual([5, 6]));
    expect(new Set(values.map(({ buildingId }) => buildingId))).toEqual(new Set([building.id, other.id]));
    expect(outcome).toEqual({ completed: false });
    end();
    const nothing = collect(DOCUMENT, { ids: [foreign.id, 'bld_unknown'] });
    await eventually(() => expect(nothing.outcome).toEqual({ completed: true }));
    expect(nothing.values).toEqual([]);
  });

  it('is told of a change at most once in its interval, and then of the latest', async () => {
    const { building: paced } = await buildBuilding(api, owner, NORTH, { name: 'Paced' });
    const { values, end } = collect(ONE, { id: paced.id, minInterval: 'PT2S' });
    await eventually(async () => {
      await live(paced, { mean: 1 });
      expect(values.length).toBeGreaterThan(0);
    });
    const from = Date.now();
    const before = values.length;
    await live(paced, { mean: 2 });
    await eventually(() => expect(values.at(-1)!.mean).toBe(2), { every: 10 });
    for (const mean of [3, 4]) await live(paced, { mean });
    await eventually(() => expect(values.at(-1)!.mean).toBe(4), { every: 10 });
    // The first change follows the current value at once, the next after the interval.
    const taken = Date.now() - from;
    expect(taken).toBeGreaterThan(1_900);
    expect(values.length).toBeLessThanOrEqual(before + 1 + Math.floor(taken / 1_900));
    end();
  });
});
