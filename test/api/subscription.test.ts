import WebSocket from 'ws';
import { type Client } from 'graphql-ws';
import {
  OnBuildingAverageDocument,
  type OnBuildingAverageSubscription,
} from '../../simulator/generated/graphql';
import { createListeners } from '../../src/live/listeners';
import { type MembershipDocument } from '../../src/store/documents';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { average, buildBuilding, NORTH, type Person, SOUTH, startApi, type TestApi } from './api.support';

type Value = OnBuildingAverageSubscription['buildingAverage'];

/** Collects what a subscription delivers, and how it ended. */
function collect(
  client: Client,
  variables: { building: string; quantity?: string },
  document = String(OnBuildingAverageDocument),
) {
  const values: Value[] = [];
  const outcome: { errors?: unknown; completed: boolean } = { completed: false };
  const end = client.subscribe<OnBuildingAverageSubscription>(
    { query: document, variables },
    {
      next: ({ data, errors }) => {
        if (data) values.push(data.buildingAverage);
        if (errors) outcome.errors = errors;
      },
      error: (error) => {
        outcome.errors = error;
      },
      complete: () => {
        outcome.completed = true;
      },
    },
  );
  return { values, outcome, end };
}

describe('subscriptions', () => {
  let api: TestApi;
  let owner: Person;
  let building: { id: string; tenantId: string };
  let sequence = 0;
  const next = (values: Partial<Parameters<typeof average>[1]> = {}) =>
    average(building, { ...values, position: { incarnation: 'test-2', partition: 0, sequence: ++sequence } });
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    ({ building } = await buildBuilding(api, owner, NORTH));
  });
  afterAll(() => api.stop());

  const see = (values: Value[], mean: number) =>
    eventually(() => expect(values.map((value) => value.mean)).toContain(mean), { every: 10 });

  it('deliver the current value first, then every change, and nothing that did not change', async () => {
    await api.publish(next({ mean: 20 }));
    await eventually(async () => {
      const { data } = await api.ask<{ building: { averages: { mean: number }[] } }, object>(
        owner,
        'query ($id: ID!) { building(id: $id) { averages { mean } } }',
        { id: building.id },
      );
      expect(data!.building.averages).toEqual([{ mean: 20 }]);
    });
    const { values, end } = collect(api.subscriber(owner), { building: building.id });
    await see(values, 20);
    const repeated = next({ mean: 20.5, lastReadingAt: 1_000 });
    await api.publish(repeated, next({ ...repeated, position: undefined! }), next({ mean: 21 }));
    await see(values, 21);
    expect(values.map(({ mean }) => mean)).toEqual([20, 20.5, 21]);
    end();
  });

  it('deliver only the quantity that was asked for', async () => {
    const co2 = collect(api.subscriber(owner), { building: building.id, quantity: 'CO2_LEVEL' });
    await api.publish(next({ mean: 19 }), next({ quantityName: 'CO2_LEVEL', mean: 640 }));
    await see(co2.values, 640);
    expect(co2.values.every(({ quantity }) => quantity === 'CO2_LEVEL')).toBe(true);
    co2.end();
  });

  it('end alike for an unknown and a foreign building', async () => {
    const stranger = await api.person('stranger', SOUTH, 'OWNER');
    const answers = [];
    for (const id of [building.id, 'bld_unknown']) {
      const { outcome, values } = collect(api.subscriber(stranger), { building: id });
      await eventually(() => expect(outcome.errors).toBeDefined());
      expect(values).toEqual([]);
      answers.push(
        JSON.parse(JSON.stringify(outcome.errors).replace(/"requestId":"[^"]+"/, '"requestId":"*"')),
      );
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  it('complete when the right to the building is lost, before the next delivery', async () => {
    const leaving = await api.person('leaving', NORTH, 'VIEWER');
    const { values, outcome } = collect(api.subscriber(leaving), { building: building.id });
    await api.publish(next({ mean: 30 }));
    await see(values, 30);
    // A role that reads nothing.
    await api.person('leaving', NORTH, 'OPERATOR');
    let mean = 31;
    await eventually(async () => {
      await api.publish(next({ mean: mean++ }));
      expect(outcome.completed).toBe(true);
    });
    const delivered = values.length;
    await api.publish(next({ mean: 50 }));
    expect(values).toHaveLength(delivered);
    expect(outcome.errors).toBeUndefined();
  });

  describe('in every replica', () => {
    let urls: string[];
    beforeAll(async () => {
      urls = [api.webSocketUrl, (await api.replica()).webSocketUrl];
    });
    /** Subscribers in each replica that have had a value. */
    const follow = async (who: Person) => {
      const all = urls.map((url) => collect(api.subscriber(who, url), { building: building.id }));
      let mean = 100;
      for (const { values } of all) {
        await eventually(async () => {
          await api.publish(next({ mean: mean++ }));
          expect(values.length).toBeGreaterThan(0);
        });
      }
      return all;
    };

    it('complete within two seconds after a right was taken, whether or not anything is delivered', async () => {
      const leaving = await api.person('leaving twice', NORTH, 'VIEWER');
      const staying = await follow(owner);
      const all = await follow(leaving);
      await api.person('leaving twice', NORTH, 'OPERATOR');
      const taken = startOwnTime();
      for (const { outcome } of all) {
        await eventually(() => expect(outcome.completed).toBe(true), { every: 10 });
        expect(outcome.errors).toBeUndefined();
      }
      expect(taken()).toBeLessThan(2_000);
      for (const { outcome, end } of staying) {
        expect(outcome.completed).toBe(false);
        end();
      }
    });

    it('are closed with 4401 where somebody has lost all access', async () => {
      const revoked = await api.person('revoked', NORTH, 'VIEWER');
      const all = await follow(revoked);
      await api.cosmos.bulkUpsert('directory', [
        {
          id: NORTH,
          key: `person:${revoked.scope.principal.id}`,
          kind: 'membership',
          tenantId: NORTH,
          role: null,
        } as MembershipDocument,
      ]);
      const taken = startOwnTime();
      for (const { outcome } of all) {
        await eventually(() => expect(outcome.errors).toMatchObject({ code: 4401 }), { every: 10 });
      }
      expect(taken()).toBeLessThan(2_000);
    });
  });

  it('go on while the store is away', async () => {
    const cut = await startApi();
    try {
      const somebody = await cut.person('owner', NORTH, 'OWNER');
      const { building: house } = await buildBuilding(cut, somebody, NORTH);
      const { values, outcome } = collect(cut.subscriber(somebody), { building: house.id });
      let counted = 0;
      const publish = (mean: number) =>
        cut.publish(
          average(house, { mean, position: { incarnation: 'test-2', partition: 0, sequence: ++counted } }),
        );
      await publish(20);
      await see(values, 20);
      await cut.cutStore();
      const until = Date.now() + 6_000;
      let mean = 21;
      await eventually(async () => {
        await publish(mean++);
        await see(values, mean - 1);
        expect(Date.now()).toBeGreaterThan(until);
      });
      expect(outcome).toEqual({ completed: false });
    } finally {
      await cut.stop();
    }
  });

  it('are told of every mistake in a document, its variables and its cost', async () => {
    const cases: [string, object, string][] = [
      ['subscription { buildingAverage(building: "x") { ', {}, 'GRAPHQL_PARSE_FAILED'],
      ['subscription { averages { mean } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
      [String(OnBuildingAverageDocument), {}, 'BAD_USER_INPUT'],
      [String(OnBuildingAverageDocument), { building: building.id, quantity: 'SMOKE' }, 'BAD_USER_INPUT'],
      [
        '{ buildings(first: 200) { nodes { devices(first: 200) { nodes { assignments { point { id } } } } } } }',
        {},
        'DOCUMENT_TOO_COMPLEX',
      ],
      ['query A { viewer { id } } query B { viewer { id } }', {}, 'OPERATION_RESOLUTION_FAILURE'],
    ];
    for (const [document, variables, code] of cases) {
      const { outcome } = collect(api.subscriber(owner), variables as { building: string }, document);
      await eventually(() => expect(outcome.errors).toBeDefined());
      expect([document.slice(0, 40), outcome.errors]).toMatchObject([
        document.slice(0, 40),
        [{ extensions: { code } }],
      ]);
    }
  });

  it('answer queries too', async () => {
    const client = api.subscriber(owner);
    const { value } = await client.iterate<{ viewer: { id: string } }>({ query: '{ viewer { id } }' }).next();
    expect(value.data.viewer.id).toBe(owner.scope.principal.id);
  });

  it('give way to the latest value for a reader that is slower than the changes', async () => {
    const listeners = createListeners();
    const values = listeners.listen(building.id);
    for (let mean = 1; mean <= 1000; mean++) listeners.tell(next({ mean }));
    listeners.tell(next({ mean: 600, quantityName: 'CO2_LEVEL' }));
    expect((await values.next()).value.mean).toBe(1000);
    expect((await values.next()).value.mean).toBe(600);
    const waiting = values.next();
    await values.return!();
    expect((await waiting).done).toBe(true);
    expect(listeners.count()).toBe(0);
  });

  it('leave nothing behind when the client goes', async () => {
    // Subscriptions, executions that they share, and what those listen to.
    const open = async (): Promise<number[]> => {
      const text = await api.metrics.metrics();
      return ['atrium_api_shared_subscriptions', 'atrium_api_shared_executions', 'atrium_live_listeners'].map(
        (name) => Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'm').exec(text)?.[1]),
      );
    };
    await eventually(async () => expect(await open()).toEqual([0, 0, 0]));
    const clients = [1, 2, 3].map(() => collect(api.subscriber(owner), { building: building.id }));
    await eventually(async () => expect(await open()).toEqual([3, 1, 1]));
    for (const { end } of clients) end();
    await eventually(async () => expect(await open()).toEqual([0, 0, 0]));
  });

  describe('sign in', () => {
    const closed = (socket: WebSocket) =>
      new Promise<{ code: number; reason: string }>((resolve) =>
        socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
      );
    const connect = (payload?: object) => {
      const socket = new WebSocket(api.webSocketUrl, 'graphql-transport-ws');
      socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
      return socket;
    };

    it('is refused with 4401 without a token or with a forged one, which a client does not try again', async () => {
      expect(await closed(connect())).toMatchObject({ code: 4401, reason: expect.stringContaining('token') });
      expect(await closed(connect({ Authorization: 'Bearer nonsense' }))).toMatchObject({ code: 4401 });
      const foreign = await api.token('owner', { audience: 'https://another.example/' });
      expect(await closed(connect({ Authorization: `Bearer ${foreign}` }))).toMatchObject({ code: 4401 });
    });

    it('is refused with 4403 with an expired token, and ended with 4403 when it expires', async () => {
      const expired = await api.token('owner', { seconds: -10 });
      expect(await closed(connect({ Authorization: `Bearer ${expired}` }))).toMatchObject({ code: 4403 });
      const short = await api.token('owner', { seconds: 2 });
      const socket = connect({ Authorization: `Bearer ${short}` });
      const [message] = await new Promise<[Buffer]>((resolve) =>
        socket.once('message', (data) => resolve([data as Buffer])),
      );
      expect(JSON.parse(message.toString())).toEqual({ type: 'connection_ack' });
      expect(await closed(socket)).toMatchObject({ code: 4403, reason: expect.stringContaining('expired') });
    });

    it('is required before anything is asked', async () => {
      const socket = new WebSocket(api.webSocketUrl, 'graphql-transport-ws');
      socket.once('open', () =>
        socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ viewer { id } }' } })),
      );
      expect(await closed(socket)).toMatchObject({ code: 4401 });
    });

    it('lets as many operations run at a time as are allowed, and names the limit to the next', async () => {
      const client = api.subscriber(owner);
      const open = Array.from({ length: 100 }, () => collect(client, { building: building.id }));
      const refused = collect(client, { building: building.id });
      await eventually(() =>
        expect(refused.outcome.errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST' } }]),
      );
      for (const { outcome, end } of open) {
        expect(outcome.errors).toBeUndefined();
        end();
      }
    });

    it('takes messages up to the limit and no larger', async () => {
      const socket = connect({ Authorization: `Bearer ${owner.token}`, padding: 'x'.repeat(300_000) });
      expect(await closed(socket)).toMatchObject({ code: 1009 });
    });
  });

  it('are ended with a code after which clients come again when the server stops', async () => {
    const stopping = await startApi();
    const { token } = await stopping.person('owner', NORTH, 'OWNER');
    const socket = new WebSocket(stopping.webSocketUrl, 'graphql-transport-ws');
    socket.once('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } })),
    );
    await new Promise((resolve) => socket.once('message', resolve));
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await stopping.stop();
    expect(await closed).toBe(1012);
  });
});
