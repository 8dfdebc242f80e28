import {
  ExcursionsDocument,
  ReadingHistoryDocument,
  ReadingsDocument,
} from '../../simulator/generated/graphql';
import { partitionOf } from '../../src/domain/partition';
import { type Reading } from '../../src/domain/reading';
import { type ColdStore, type ColdStores, startColdStores } from '../analytics/cold-store';
import { buildReading } from '../support/readings';
import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

/** Two days around the night in which Berlin loses an hour. */
const FROM = '2026-03-27T23:00:00.000Z';
const TO = '2026-03-29T22:00:00.000Z';
const MINUTE = 60_000;

describe('questions over stored readings', () => {
  let stores: ColdStores;
  let cold: ColdStore;
  let api: TestApi;
  let analyst: Person;
  let building: string;
  let spaces: { id: string }[];
  beforeAll(async () => {
    stores = await startColdStores();
    cold = await stores.next();
    api = await startApi({ questions: cold.questions });
    const owner = await api.person('owner', NORTH, 'OWNER');
    analyst = await api.person('analyst', NORTH, 'ANALYST');
    const built = await buildBuilding(api, owner, NORTH, { devices: 0 });
    building = built.building.id;
    spaces = built.spaces;
    const start = Date.parse(FROM);
    // Every ten minutes; too warm from 10:00 to 10:30 of the first day, UTC.
    const readings: Reading[] = Array.from({ length: 47 * 6 }, (_, i) => {
      const observedAt = start + i * 10 * MINUTE;
      const warm =
        observedAt >= Date.parse('2026-03-28T10:00:00Z') && observedAt < Date.parse('2026-03-28T10:30:00Z');
      return buildReading({
        tenantId: NORTH,
        buildingId: building,
        spaceId: built.spaceId,
        observedAt,
        receivedAt: observedAt + 40,
        value: warm ? 28 + (i % 3) : 21,
      });
    });
    await cold.land([
      {
        incarnation: '1774000000000-8',
        partition: partitionOf(building, 8),
        sequence: 0,
        enqueuedAt: Date.parse(TO),
        readings,
      },
    ]);
  });
  afterAll(async () => {
    await api.stop();
    await stores.stop();
  });

  it('counts how often it was too warm for more than ten minutes', async () => {
    const asked = { building, quantity: 'AIR_TEMPERATURE' as const, low: 18, high: 26, from: FROM, to: TO };
    const { data, errors } = await api.ask(analyst, ExcursionsDocument, {
      ...asked,
      longerThan: 'PT10M',
      by: 'POINT',
      first: 50,
      after: null,
    });
    expect(errors).toBeUndefined();
    expect(data!.building!.excursions).toEqual({
      count: 1,
      total: 'PT30M',
      nodes: [
        {
          buildingId: building,
          pointId: 'pnt_0',
          start: '2026-03-28T10:00:00.000Z',
          end: '2026-03-28T10:30:00.000Z',
          duration: 'PT30M',
          endedBy: 'RETURNED',
          peak: 30,
          peakAt: expect.any(String),
        },
      ],
      hasNextPage: false,
      endCursor: expect.any(String),
    });
  });

  it('tells a day of 23 hours as a day, and a day without readings as empty', async () => {
    const { data, errors } = await api.ask(analyst, ReadingHistoryDocument, {
      building,
      quantity: 'AIR_TEMPERATURE',
      from: FROM,
      to: '2026-03-30T22:00:00Z',
      step: 'P1D',
    });
    expect(errors).toBeUndefined();
    expect(data!.building!.history!.map(({ start, count, minimum }) => [start, count, minimum])).toEqual([
      [FROM, 24 * 6, 21],
      ['2026-03-28T23:00:00.000Z', 23 * 6, 21],
      [TO, 0, null],
    ]);
  });

  it('gives readings page by page, each once and in order', async () => {
    const page = async (after: string | null) => {
      const variables = { building, from: FROM, to: TO, first: 120, after };
      const narrowed = { quantity: null, space: spaces[0]!.id, device: null, point: null };
      const { data, errors } = await api.ask(analyst, ReadingsDocument, { ...variables, ...narrowed });
      expect(errors).toBeUndefined();
      return data!.building!.readings!;
    };
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { nodes, pageInfo } = await page(after);
      seen.push(...nodes.map(({ observedAt }) => observedAt));
      more = pageInfo.hasNextPage;
      after = pageInfo.endCursor;
    }
    expect(seen).toHaveLength(47 * 6);
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  it.each([
    ['without bounds', { high: null, low: null }, 'give low, high or both'],
    ['the wrong way round', { high: 1, low: 2 }, 'low must not be greater than high'],
    ['of an empty range', { high: 1, low: null, to: FROM }, 'from must lie before to'],
  ])('refuses a question %s', async (_, parts, message) => {
    const asked = { building, quantity: 'AIR_TEMPERATURE' as const, longerThan: 'PT10M', from: FROM, to: TO };
    const { errors } = await api.ask(analyst, ExcursionsDocument, {
      ...asked,
      by: 'POINT',
      first: 50,
      after: null,
      ...parts,
    });
    expect(errors![0]!.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors![0]!.message).toBe(message);
  });

  it('refuses an average of a state, and a step that is no step', async () => {
    const history = (more: string) =>
      api.ask<unknown, object>(
        analyst,
        `query ($id: ID!) { building(id: $id) { history(from: "${FROM}", to: "${TO}", ${more}) { count } } }`,
        { id: building },
      );
    const codes = await Promise.all(
      ['quantity: SMOKE, step: "P1D"', 'quantity: AIR_TEMPERATURE, step: "P1DT1H"'].map(
        async (more) => (await history(more)).errors![0]!.extensions.code,
      ),
    );
    expect(codes).toEqual(['BAD_USER_INPUT', 'BAD_USER_INPUT']);
  });
});
