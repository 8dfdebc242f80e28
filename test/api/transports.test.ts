import { createClient as createEventClient } from 'graphql-sse';
import { type MembershipDocument } from '../../src/store/documents';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { eventually } from '../support/eventually';
import { average, buildBuilding, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

const AVERAGE = `subscription ($id: ID!, $quantity: Quantity, $after: String) {
  buildingAverage(building: $id, quantity: $quantity, after: $after) { mean readings windowEnd delivery cursor } }`;

/** What a subscriber got, and how it ended. */
interface Outcome {
  results: { data?: unknown; errors?: unknown }[];
  /** The server says that there is no more. */
  completed: boolean;
  /** The connection ended and is to be tried again, with a reason. */
  lost: string | undefined;
}
type Subscribe = (
  api: TestApi,
  who: { token: string },
  query: string,
  variables?: Record<string, unknown>,
) => { outcome: Outcome; end: () => void };

const overWebSocket: Subscribe = (api, who, query, variables = {}) => {
  const outcome: Outcome = { results: [], completed: false, lost: undefined };
  const end = api.subscriber(who).subscribe<object>(
    { query, variables },
    {
      next: (result) => void outcome.results.push(JSON.parse(JSON.stringify(result)) as object),
      error(error) {
        if (Array.isArray(error)) {
          outcome.results.push({ errors: JSON.parse(JSON.stringify(error)) as object });
          outcome.completed = true;
        } else outcome.lost = `${(error as { code: number }).code} ${(error as { reason: string }).reason}`;
      },
      complete: () => (outcome.completed = true),
    },
  );
  return { outcome, end };
};

const byServerSentEvents: Subscribe = (api, who, query, variables = {}) => {
  const outcome: Outcome = { results: [], completed: false, lost: undefined };
  const client = createEventClient({
    url: `${api.url}/graphql/stream`,
    headers: { authorization: `Bearer ${who.token}` },
    retryAttempts: 0,
  });
  const end = client.subscribe<object>(
    { query, variables },
    {
      next: (result) => void outcome.results.push(result as object),
      error: (error) => (outcome.lost = (error as Error).message),
      complete: () => (outcome.completed = true),
    },
  );
  return {
    outcome,
    end() {
      end();
      client.dispose();
    },
  };
};

const masked = (results: unknown): unknown =>
  JSON.parse(
    JSON.stringify(results)
      .replace(/"requestId":"[^"]+"/g, '"requestId":"*"')
      // One is told a little later than the other.
      .replace(/"ageMs":\d+/g, '"ageMs":"*"')
      // The balance goes down from one to the other.
      .replace(/"currentlyAvailable":[\d.]+/g, '"currentlyAvailable":"*"'),
  );
const meansOf = ({ results }: Outcome): number[] =>
  results.map(({ data }) => (data as { buildingAverage: { mean: number } }).buildingAverage.mean);

describe('the transports of subscriptions', () => {
  let api: TestApi;
  let owner: Person;
  let building: { id: string; tenantId: string };
  let sequence = 0;
  const publish = (mean: number, at = building) =>
    api.publish(
      average(at, { mean, position: { incarnation: 'test-2', partition: 0, sequence: ++sequence } }),
    );
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    ({ building } = await buildBuilding(api, owner, NORTH));
  });
  afterAll(() => api.stop());

  it('deliver the same', async () => {
    const { building: house } = await buildBuilding(api, owner, NORTH, { name: 'Both' });
    const minute = Math.floor(Date.now() / 60_000);
    await createAveragesWriter({ cosmos: api.cosmos }).write(
      house.id,
      [3, 2, 1].map((ago) =>
        average(house, {
          windowEnd: (minute - ago) * 60,
          mean: ago,
          position: { incarnation: 'test-2', partition: 0, sequence: 1 },
        }),
      ),
    );
    await publish(20, house);
    const stranger = await api.person('stranger', SOUTH, 'OWNER');
    const started = [overWebSocket, byServerSentEvents].map((subscribe) =>
      subscribe(api, owner, AVERAGE, { id: house.id }),
    );
    for (const { outcome } of started)
      await eventually(() => expect(meansOf(outcome)).toEqual([20]), { every: 10 });
    await publish(21, house);
    for (const { outcome } of started)
      await eventually(() => expect(meansOf(outcome)).toEqual([20, 21]), { every: 10 });
    expect(started[0]!.outcome).toEqual(started[1]!.outcome);
    expect(await api.metrics.metrics()).toMatch(/atrium_api_shared_executions\{.*\} 1$/m);
    for (const { end } of started) end();

    const { data } = await api.ask<{ building: { averageHistory: { nodes: { cursor: string }[] } } }, object>(
      owner,
      `query ($id: ID!, $from: DateTime!, $to: DateTime!) { building(id: $id) {
        averageHistory(quantity: AIR_TEMPERATURE, from: $from, to: $to) { nodes { cursor } } } }`,
      {
        id: house.id,
        from: new Date((minute - 3) * 60_000).toISOString(),
        to: new Date(minute * 60_000).toISOString(),
      },
    );
    const after = data!.building.averageHistory.nodes[0]!.cursor;
    for (const [who, query, variables, results] of [
      [owner, AVERAGE, { id: house.id, after }, 3],
      [owner, '{ viewer { id } }', {}, 1],
      [stranger, AVERAGE, { id: house.id }, 1],
      [owner, 'subscription { nonsense }', {}, 1],
      [owner, 'subscription {', {}, 1],
      [owner, AVERAGE, {}, 1],
      [owner, AVERAGE, { id: house.id, quantity: 'SMOKE' }, 1],
      [owner, 'query A { viewer { id } } query B { viewer { id } }', {}, 1],
    ] as const) {
      const both = [overWebSocket, byServerSentEvents].map((subscribe) =>
        subscribe(api, who, query, variables),
      );
      for (const { outcome } of both)
        await eventually(() => expect(outcome.results.length).toBeGreaterThanOrEqual(results), { every: 10 });
      await eventually(() => expect(both[0]!.outcome.completed).toBe(both[1]!.outcome.completed));
      const [one, other] = both.map(({ outcome }) => masked({ ...outcome, lost: undefined }));
      expect([query, one]).toEqual([query, other]);
      for (const { end } of both) end();
    }
  });

  describe.each([
    ['WebSocket', overWebSocket],
    ['server-sent events', byServerSentEvents],
  ] as const)('over %s', (name, subscribe) => {
    const isWebSocket = name === 'WebSocket';

    it('complete a subscription alone when its right is lost', async () => {
      const leaving = await api.person(`leaving ${name}`, NORTH, 'VIEWER');
      await publish(30);
      const { outcome } = subscribe(api, leaving, AVERAGE, { id: building.id });
      await eventually(() => expect(meansOf(outcome)).toContain(30));
      await api.person(`leaving ${name}`, NORTH, 'OPERATOR');
      await eventually(() => expect(outcome.completed).toBe(true), { every: 10 });
      expect(outcome.results.every((result) => !('errors' in result))).toBe(true);
      expect(outcome.lost).toBeUndefined();
    });

    it('tell who has lost all access so, for good', async () => {
      const revoked = await api.person(`revoked ${name}`, NORTH, 'VIEWER');
      await publish(31);
      const { outcome } = subscribe(api, revoked, AVERAGE, { id: building.id });
      await eventually(() => expect(meansOf(outcome)).toContain(31));
      const membership: Partial<MembershipDocument> = {
        id: NORTH,
        key: `person:${revoked.scope.principal.id}`,
        kind: 'membership',
        tenantId: NORTH,
        role: null,
      };
      await api.cosmos.bulkUpsert('directory', [membership as MembershipDocument]);
      if (isWebSocket)
        await eventually(() => expect(outcome.lost).toBe('4401 all your access was withdrawn'));
      else {
        await eventually(() => expect(outcome.completed).toBe(true), { every: 10 });
        expect(outcome.results.at(-1)).toMatchObject({
          errors: [{ extensions: { code: 'UNAUTHENTICATED', reason: 'ACCESS_WITHDRAWN' } }],
        });
      }
    });

    it('end when the token expires, so that clients come again with a new one', async () => {
      const token = await api.token('owner', { seconds: 2 });
      await publish(32);
      const { outcome } = subscribe(api, { token }, AVERAGE, { id: building.id });
      await eventually(() => expect(meansOf(outcome)).toContain(32));
      await eventually(() => expect(outcome.lost).toBeDefined(), { every: 20 });
      expect(outcome.lost).toContain(isWebSocket ? '4403' : 'Connection closed while having active streams');
      expect(outcome.completed).toBe(false);
    });

    it('refuse an expired token', async () => {
      const token = await api.token('owner', { seconds: -10 });
      const { outcome } = subscribe(api, { token }, AVERAGE, { id: building.id });
      await eventually(() => expect(outcome.lost).toBeDefined(), { every: 20 });
      expect(outcome.lost).toMatch(isWebSocket ? /^4403/ : /401/);
    });

    it('leave nothing behind when the client goes', async () => {
      const open = async (): Promise<number[]> => {
        const text = await api.metrics.metrics();
        return ['atrium_api_shared_subscriptions', 'atrium_live_listeners', 'atrium_api_event_streams'].map(
          (metric) => Number(new RegExp(`^${metric}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]),
        );
      };
      const all = [1, 2, 3].map(() => subscribe(api, owner, AVERAGE, { id: building.id }));
      await eventually(async () => expect(await open()).toEqual([3, 1, isWebSocket ? 0 : 3]));
      for (const { end } of all) end();
      await eventually(async () => expect(await open()).toEqual([0, 0, 0]));
    });
  });

  /** One stream, as it comes. */
  async function rawStream(at: TestApi, headers: Record<string, string>, body: object | string) {
    const response = await fetch(`${at.url}/graphql/stream`, {
      method: 'POST',
      headers: { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return response;
  }

  it('refuse over server-sent events what is no such request', async () => {
    const accept = { accept: 'text/event-stream' };
    for (const [headers, body, status] of [
      [{ accept: 'application/json' }, { query: '{ viewer { id } }' }, 406],
      [accept, { variables: {} }, 400],
      [{ ...accept, 'content-type': 'text/plain' }, '{ viewer { id } }', 415],
      [{ ...accept, authorization: '' }, { query: '{ viewer { id } }' }, 401],
    ] as const) {
      const response = await rawStream(api, headers, body);
      expect([response.status, await response.json()]).toEqual([
        status,
        {
          errors: [
            {
              message: expect.any(String),
              extensions: expect.objectContaining({
                code: expect.any(String),
                requestId: expect.any(String),
              }),
            },
          ],
        },
      ]);
    }
    const mutation = await fetch(
      `${api.url}/graphql/stream?query=${encodeURIComponent('mutation { createBuilding { id } }')}`,
      { headers: { ...accept, authorization: `Bearer ${owner.token}` } },
    );
    expect(await mutation.text()).toContain('GRAPHQL_VALIDATION_FAILED');
  });

  it('say over server-sent events that nothing is wrong while nothing happens, and why a stream ends', async () => {
    const stopping = await startApi({ maximumSockets: 1 });
    const { token } = await stopping.person('owner', NORTH, 'OWNER');
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}` };
    const query = { query: 'subscription { buildingAverages(buildingIds: ["bld_x"]) { mean } }' };
    const ended = await (await rawStream(stopping, headers, query)).text();
    expect(ended).toBe(':\n\nevent: complete\ndata:\n\n');
    const somebody = await stopping.person('owner', NORTH, 'OWNER');
    const { building: house } = await buildBuilding(stopping, somebody, NORTH);
    const open = await rawStream(stopping, headers, { query: AVERAGE, variables: { id: house.id } });
    expect(open.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(open.headers.get('x-request-id')).toEqual(expect.any(String));
    const refused = await rawStream(stopping, headers, query);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    const text = open.text();
    await stopping.stop();
    expect(await text).toBe(':\n\n: the server restarts\n\n');
  });
});
