import 'reflect-metadata';
import fc from 'fast-check';
import { type OperationDefinitionNode, parse } from 'graphql';
import { actualCost, requestedCost } from '../../src/api/cost';
import { QUESTIONS } from '../../src/api/question-cost';
import { schemaFields } from '../../src/api/rules';
import { createSchema } from '../../src/resolvers/schema';
import { type BucketSize, createThrottle, type Throttle } from '../../src/api/throttle';
import { buildBuilding, NORTH, type Person, startApi, type TestApi } from './api.support';

const EXCHANGE_MS = 250;

describe('the throttle', () => {
  const alone = { client: 'somebody', tenants: [] };
  const vast: BucketSize = { capacity: 1e12, restorePerSecond: 1e12 };

  it('gives a bucket at once, then as much as it is filled again, and says how long to wait', () => {
    let now = 0;
    const throttle = createThrottle({
      client: { capacity: 100, restorePerSecond: 10 },
      tenant: vast,
      now: () => now,
    });
    expect(throttle.charge(alone, 70)).toMatchObject({ ok: true, status: { currentlyAvailable: 30 } });
    expect(throttle.charge(alone, 50)).toMatchObject({ ok: false, short: 'client', retryAfterSeconds: 2 });
    now = 2_000;
    expect(throttle.charge(alone, 50)).toMatchObject({ ok: true, status: { currentlyAvailable: 0 } });
    expect(throttle.refund(alone, 20)).toEqual({
      maximumAvailable: 100,
      currentlyAvailable: 20,
      restoreRate: 10,
    });
  });

  it('lets one member of a tenant not take what the tenant may have twice', () => {
    const throttle = createThrottle({
      client: vast,
      tenant: { capacity: 100, restorePerSecond: 1 },
      now: () => 0,
    });
    expect(throttle.charge({ client: 'a', tenants: ['t'] }, 80).ok).toBe(true);
    expect(throttle.charge({ client: 'b', tenants: ['t'] }, 80)).toMatchObject({
      ok: false,
      short: 'tenant',
    });
    // Half of it each.
    expect(throttle.charge({ client: 'c', tenants: ['t', 'u'] }, 40).ok).toBe(true);
    expect(throttle.charge({ client: 'd', tenants: ['t'] }, 1).ok).toBe(false);
  });

  it('gives a client of several replicas what one bucket gives, and at no time a tenth of it more', () => {
    const size = { capacity: 1_000, restorePerSecond: 100 };
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.array(fc.record({ replica: fc.nat(), cost: fc.integer({ min: 1, max: 20 }), after: fc.nat(40) }), {
          minLength: 100,
          maxLength: 600,
        }),
        (count, requests) => {
          let now = 0;
          const replicas: Throttle[] = Array.from({ length: count }, () =>
            createThrottle({ client: size, tenant: vast, now: () => now }),
          );
          const exchange = (): void => {
            const usages = replicas.map((each) => each.takeOwnUsage());
            for (const [from, usage] of usages.entries()) {
              replicas.forEach((to, index) => index !== from && to.takeUsage(String(from), usage));
            }
          };
          exchange();
          let exchanged = 0;
          let granted = 0;
          for (const { replica, cost, after } of requests) {
            now += after;
            for (; exchanged + EXCHANGE_MS <= now; exchanged += EXCHANGE_MS) exchange();
            if (replicas[replica % count]!.charge(alone, cost).ok) granted += cost;
            const ideal = size.capacity + (now / 1_000) * size.restorePerSecond;
            // And the last operation of each replica.
            expect(granted).toBeLessThanOrEqual(ideal + size.capacity * 0.1 + 20);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives a lone replica all of a bucket, and again where the others are gone', () => {
    let now = 0;
    const throttle = createThrottle({
      client: { capacity: 100, restorePerSecond: 100 },
      tenant: vast,
      now: () => now,
    });
    throttle.takeUsage('other', {});
    expect([throttle.charge(alone, 8).ok, throttle.charge(alone, 8).ok]).toEqual([true, false]);
    now = 60_000;
    throttle.takeOwnUsage();
    expect([throttle.charge(alone, 8).ok, throttle.charge(alone, 80).ok]).toEqual([true, true]);
  });
});

describe('what an answer costs', () => {
  const asked = (most: number, questions = 0) => ({ most, questions });

  it('is one for each object in it, at least one, and never more than was asked for', () => {
    expect(actualCost({ a: { b: [{ c: 1 }, { c: 2 }, null], tags: ['x', 'y'] } }, asked(50))).toBe(3);
    expect(actualCost({ a: null }, asked(50))).toBe(1);
    expect(actualCost(undefined, asked(50))).toBe(1);
    expect(actualCost({ a: [{}, {}, {}] }, asked(2))).toBe(2);
  });

  it('holds what its questions cost, whatever they found', () => {
    expect(actualCost({ a: { b: null } }, asked(90, 70))).toBe(71);
    expect(actualCost({ a: null }, asked(90, 70))).toBe(70);
    expect(actualCost({ a: { b: [{}, {}] } }, asked(72, 70))).toBe(72);
  });
});

describe('what a question over stored readings costs', () => {
  const schema = createSchema();
  const costOf = (text: string, variables: Record<string, unknown> = {}) => {
    const document = parse(text);
    const operation = document.definitions[0] as OperationDefinitionNode;
    return requestedCost(schema, document, operation, variables, 100_000);
  };
  const FROM = Date.parse('2026-03-01T00:00:00Z');
  const DAY_MS = 86_400_000;
  const range = (ms: number) => ({
    from: new Date(FROM).toISOString(),
    to: new Date(FROM + ms).toISOString(),
  });
  const excursions = `query ($from: DateTime!, $to: DateTime!) { building(id: "b") {
    excursions(quantity: AIR_TEMPERATURE, high: 30, longerThan: "PT10M", from: $from, to: $to) { count } } }`;

  it('grows with the days begun of its range, from one to 400, wherever the range stands', () => {
    expect(costOf(excursions, range(1)).questions).toBe(10);
    expect(costOf(excursions, range(7 * DAY_MS)).questions).toBe(70);
    expect(costOf(excursions, range(7 * DAY_MS + 1)).questions).toBe(80);
    expect(costOf(excursions, range(4_000 * DAY_MS)).questions).toBe(4_000);
    const { from, to } = range(3 * DAY_MS);
    const written = excursions
      .replace(/query.*? \{/, '{')
      .replace('$from', `"${from}"`)
      .replace('$to', `"${to}"`);
    expect(costOf(written)).toEqual(costOf(excursions, { from, to }));
    fc.assert(
      fc.property(fc.nat(500 * DAY_MS), fc.nat(500 * DAY_MS), (one, other) => {
        const [shorter, longer] = [Math.min(one, other), Math.max(one, other)];
        expect(costOf(excursions, range(shorter)).most).toBeLessThanOrEqual(
          costOf(excursions, range(longer)).most,
        );
      }),
    );
  });

  it('is five times as much of a whole tenant, a tenth for a page of readings, and as often as it is asked', () => {
    const asked = 'quantity: AIR_TEMPERATURE, from: $from, to: $to';
    const inRange = '($from: DateTime!, $to: DateTime!)';
    const week = range(7 * DAY_MS);
    const tenant = `query ${inRange} { tenant(id: "t") { excursions(${asked}, high: 30, longerThan: "PT1M") { count } } }`;
    expect(costOf(tenant, week).questions).toBe(350);
    const page = `query ${inRange} { building(id: "b") { readings(from: $from, to: $to) { nodes { value } } } }`;
    expect(costOf(page, week).questions).toBe(7);
    const all = `query ${inRange} { buildings(first: 20) { nodes { a: history(${asked}, step: "P1D") { count }
      b: history(${asked}, step: "P1D") { count } } } }`;
    expect(costOf(all, week).questions).toBe(20 * 2 * 70);
    expect(costOf(excursions, { from: 'x', to: null }).questions).toBe(4_000);
    expect(costOf(excursions, { ...week, to: week.from, from: week.to }).questions).toBe(10);
  });

  it('is told of each field that the cold store answers', () => {
    const ranged = schemaFields(schema)
      .filter(({ field }) => ['from', 'to'].every((name) => field.args.some((each) => each.name === name)))
      .map(({ name }) => name);
    // These are answered from documents.
    const others = ranged.filter((name) =>
      /\.(auditLog|averageHistory|deadLetters|deadLettersOmitted|ingestionReport)$/.test(name),
    );
    expect(ranged.filter((name) => !others.includes(name)).sort()).toEqual([...QUESTIONS].sort());
  });
});

describe('the cost of requests over HTTP', () => {
  let api: TestApi;
  let owner: Person;
  const query = 'query ($first: Int!) { buildings(first: $first) { nodes { id name } } }';
  beforeAll(async () => {
    api = await startApi({
      throttle: createThrottle({
        // Nothing comes back while a test lasts.
        client: { capacity: 1_000, restorePerSecond: 0.0001 },
        tenant: { capacity: 5_000, restorePerSecond: 0.0001 },
      }),
    });
    owner = await api.person('owner', NORTH, 'OWNER');
    await buildBuilding(api, owner, NORTH, { devices: 0 });
  });
  afterAll(() => api.stop());

  it('stands in each answer, with what was asked for, what was used and what is left', async () => {
    const caller = await api.person('frugal', NORTH, 'VIEWER');
    // From here on the document is known.
    await whole(owner, { first: 1 });
    const { extensions } = await whole(caller, { first: 100 });
    expect(extensions).toEqual({
      cost: {
        requestedQueryCost: 101,
        actualQueryCost: 2,
        throttleStatus: { maximumAvailable: 1_000, currentlyAvailable: 998, restoreRate: 0.0001 },
      },
    });
  });

  it('asks for one more for every four characters of a document that is new, and for nothing once it is known', async () => {
    const caller = await api.person('inventive', NORTH, 'VIEWER');
    const own = 'query Inventive($first: Int!) { buildings(first: $first) { nodes { name } } }';
    const left: number[] = [];
    for (let times = 0; times < 2; times++) {
      const { extensions } = await whole(caller, { first: 1 }, own);
      left.push((extensions as Extensions).cost.throttleStatus.currentlyAvailable);
    }
    expect(left).toEqual([1_000 - Math.ceil(own.length / 4) - 2, left[0]! - 2]);
  });

  it('asks for it each time where a document is not valid, so that to be refused is not free', async () => {
    const caller = await api.person('careless', NORTH, 'VIEWER');
    const wrong = `{ nothing${'x'.repeat(391)} }`;
    const statuses: number[] = [];
    for (let times = 0; times < 11; times++) statuses.push((await whole(caller, {}, wrong)).status);
    // A hundred each: nine of a thousand, and what is left is too little.
    expect(statuses.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 400));
    expect(statuses.at(-1)).toBe(429);
  });

  it('asks for a large body before it is read', async () => {
    const caller = await api.person('verbose', NORTH, 'VIEWER');
    const variables = { first: 1, more: 'x'.repeat(300_000) };
    const statuses: number[] = [];
    for (let times = 0; times < 2; times++) statuses.push((await whole(caller, variables)).status);
    expect(statuses).toEqual([200, 429]);
  });

  it('is refused with 429 and the seconds to wait once a client has used its share, and others are still served', async () => {
    const caller = await api.person('greedy', NORTH, 'VIEWER');
    const other = await api.person('other', NORTH, 'VIEWER');
    const many = Array.from({ length: 20 }, () => whole(caller, { first: 200 }));
    const answers = await Promise.all(many);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, errors } of refused) {
      const { code, retryAfterSeconds, cost } = errors![0]!.extensions as Record<string, never>;
      expect([code, String(retryAfterSeconds)]).toEqual(['RATE_LIMITED', headers.get('retry-after')]);
      expect(cost).toMatchObject({ requestedQueryCost: 201, actualQueryCost: null });
    }
    expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(20);
    expect((await whole(other, { first: 10 })).status).toBe(200);
  });

  interface Extensions {
    cost: { throttleStatus: { currentlyAvailable: number } };
  }

  async function whole(who: Person, variables: object, document = query) {
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${who.token}` },
      body: JSON.stringify({ query: document, variables }),
    });
    const body = (await response.json()) as {
      extensions?: unknown;
      errors?: { extensions: Record<string, unknown> }[];
    };
    return { status: response.status, headers: response.headers, ...body };
  }
});
