import { createFreshness } from '../../src/resolvers/freshness';
import { ask } from '../isolation/judging';
import { eventually } from '../support/eventually';
import {
  average,
  buildBuilding,
  NORTH,
  type Person,
  placeState,
  SOUTH,
  startApi,
  type TestApi,
} from './api.support';

interface Extended {
  data?: unknown;
  extensions?: { freshness?: Record<string, { asOf: string; ageMs: number }>; cost?: object };
}

describe('the age of warm answers', () => {
  let api: TestApi;
  let owner: Person;
  let other: Person;
  let building: { id: string; tenantId: string };
  let asOf: number;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    other = await api.person('other', SOUTH, 'OWNER');
    ({ building } = await buildBuilding(api, owner, NORTH));
    asOf = Date.now() - 5_000;
    await api.publish(
      average(building, { asOf }),
      average(building, { quantityName: 'RELATIVE_HUMIDITY', asOf: asOf + 2_000 }),
    );
    await api.publishStates(placeState(building, { asOf: asOf + 1_000 }));
    await eventually(async () => {
      const { data } = await api.ask<{ building: { averages: []; states: [] } }, object>(owner, NOW, at());
      if (data!.building.averages.length < 2 || data!.building.states.length < 1) throw new Error('not yet');
    });
  });
  afterAll(() => api?.stop());

  const NOW = 'query ($id: ID!) { building(id: $id) { averages { quantity mean } states { active } } }';
  const LIVE =
    'subscription ($id: ID!) { buildingAverage(building: $id, quantity: AIR_TEMPERATURE) { mean } }';
  const at = () => ({ id: building.id });

  it.each(['HTTP', 'WebSocket', 'SSE'] as const)(
    'is that of the oldest of each kind, over %s',
    async (transport) => {
      const { extensions } = (await ask(api, owner, NOW, at(), transport)) as Extended;
      expect(extensions!.cost).toBeDefined();
      expect(extensions!.freshness).toEqual({
        averages: { asOf: new Date(asOf).toISOString(), ageMs: expect.any(Number) as number },
        states: { asOf: new Date(asOf + 1_000).toISOString(), ageMs: expect.any(Number) as number },
      });
      expect(extensions!.freshness!['averages']!.ageMs).toBeGreaterThanOrEqual(5_000);
    },
  );

  it.each(['WebSocket', 'SSE'] as const)('stands beside what is delivered, over %s', async (transport) => {
    const { data, extensions } = (await ask(api, owner, LIVE, at(), transport)) as Extended;
    expect(data).toEqual({ buildingAverage: { mean: 21.5 } });
    expect(extensions).toEqual({
      freshness: { averages: { asOf: new Date(asOf).toISOString(), ageMs: expect.any(Number) as number } },
    });
  });

  it('is not told of what is not told', async () => {
    for (const [who, document] of [
      [other, NOW],
      [owner, 'query ($id: ID!) { building(id: $id) { name } }'],
    ] as const) {
      const { extensions } = (await ask(api, who, document, at(), 'HTTP')) as Extended;
      expect(Object.keys(extensions!)).toEqual(['cost']);
    }
  });

  it('is never less than nothing, and bounded by the kinds', () => {
    const freshness = createFreshness();
    expect(freshness.told()).toBeUndefined();
    for (let i = 0; i < 1_000; i++) freshness.note('latestReadings', [2_000 + i]);
    freshness.note('states', [9_000]);
    expect(freshness.told(5_000)).toEqual({
      latestReadings: { asOf: '1970-01-01T00:00:02.000Z', ageMs: 3_000 },
      states: { asOf: '1970-01-01T00:00:09.000Z', ageMs: 0 },
    });
  });
});
