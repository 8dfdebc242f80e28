import { type Client } from 'graphql-ws';
import {
  AcknowledgeAlertDocument,
  BuildingAlertsDocument,
  CreateAlertRuleDocument,
  OnAlertsDocument,
  type OnAlertsSubscription,
} from '../../simulator/generated/graphql';
import { type AlertEventDocument } from '../../src/store/alert-documents';
import { alertIdOf } from '../../src/store/alerts/alert-id';
import { ALERTS_SCHEMA, encodeAlertEvent } from '../../src/stream/alerts';
import { createStreamProducer } from '../../src/stream/producer';
import {
  buildBuilding,
  freshKey,
  NORTH,
  type Person,
  SOUTH,
  startApi,
  type TestApi,
} from '../api/api.support';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { createRaiser, type Raised } from './alerts.support';

type Update = OnAlertsSubscription['alerts'];

function follow(
  client: Client,
  variables: { buildings: string[]; after?: string; minimumSeverity?: string },
) {
  const updates: Update[] = [];
  const outcome: { errors?: unknown; completed: boolean } = { completed: false };
  const end = client.subscribe<OnAlertsSubscription>(
    { query: String(OnAlertsDocument), variables },
    {
      next: ({ data, errors }) => {
        if (data) updates.push(data.alerts);
        if (errors) outcome.errors = errors;
      },
      error: (error) => (outcome.errors = error),
      complete: () => (outcome.completed = true),
    },
  );
  const told = (): string[] =>
    updates.map((each) => {
      if (each.__typename === 'AlertChanged') return `${each.number} ${each.change}`;
      if (each.__typename === 'AlertsMissed') return `${each.fromNumber}-${each.toNumber} missed`;
      return each.__typename === 'ActiveAlert' ? `active ${each.alert.severity}` : 'caught up';
    });
  const cursor = (): string =>
    updates.flatMap((each) => ('cursor' in each ? [each.cursor] : [])).at(-1) ?? 'none';
  return { updates, outcome, end, told, cursor };
}

describe('alerts', () => {
  let api: TestApi;
  let owner: Person;
  let technician: Person;
  let raiser: ReturnType<typeof createRaiser>;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    technician = await api.person('technician', NORTH, 'TECHNICIAN');
    raiser = createRaiser(api.cosmos);
  });
  afterAll(() => api.stop());

  const build = async (name = 'Building 25') => {
    const { building, deviceId } = await buildBuilding(api, owner, NORTH, { name });
    const raise = (given: Partial<Raised> = {}) =>
      raiser.raise({ tenantId: NORTH, buildingId: building.id, ...given });
    return { id: building.id, deviceId, raise };
  };
  const list = async (who: Person, building: string, filter: object = {}) => {
    const { data, errors } = await api.ask(who, BuildingAlertsDocument, { building, ...filter });
    expect(errors).toBeUndefined();
    return data!.building!.alerts!;
  };
  const caughtUp = (followed: ReturnType<typeof follow>) =>
    eventually(() => expect([...followed.told(), followed.outcome.errors]).toContain('caught up'), {
      every: 10,
    });

  it('are listed newest first, by state, acknowledgement and severity, page by page', async () => {
    const { id, raise, deviceId } = await build();
    const first = await raise({ severity: 'WARNING', raisedAt: 1_000, deviceId });
    await raise({ severity: 'CRITICAL', raisedAt: 2_000 });
    const third = await raise({ raisedAt: 3_000 });
    await raiser.clear(third);
    const all = await list(owner, id);
    expect(all.nodes).toMatchObject([
      { severity: 'MAJOR', state: 'CLEARED', clearedBecause: 'BACK_IN_ORDER' },
      { severity: 'CRITICAL', state: 'ACTIVE', value: 31.5, unit: 'Cel', clearedAt: null },
      { severity: 'WARNING', onset: new Date(1_000).toISOString(), device: { id: deviceId } },
    ]);
    const severities = async (filter: object) =>
      (await list(owner, id, filter)).nodes.map(({ severity }) => severity);
    expect(await severities({ state: 'ACTIVE' })).toEqual(['CRITICAL', 'WARNING']);
    expect(await severities({ state: 'CLEARED' })).toEqual(['MAJOR']);
    expect(await severities({ minimumSeverity: 'MAJOR' })).toEqual(['MAJOR', 'CRITICAL']);
    await api.ask(owner, AcknowledgeAlertDocument, { input: { alertId: alertIdOf(first.alert) } });
    expect(await severities({ acknowledged: true })).toEqual(['WARNING']);
    expect(await severities({ acknowledged: false })).toEqual(['MAJOR', 'CRITICAL']);
    const page = await list(owner, id, { first: 2 });
    expect(page.pageInfo.hasNextPage).toBe(true);
    const rest = await list(owner, id, { first: 2, after: page.pageInfo.endCursor });
    expect(rest.nodes).toMatchObject([{ severity: 'WARNING' }]);
    expect(rest.pageInfo.hasNextPage).toBe(false);
    const { data } = await api.ask<{ node: object }, object>(
      owner,
      'query ($id: ID!) { node(id: $id) { id ... on Alert { ruleName building { id } } } }',
      { id: alertIdOf(first.alert) },
    );
    expect(data!.node).toEqual({
      id: alertIdOf(first.alert),
      ruleName: 'Too hot',
      building: { id },
    });
  });

  it('show a technician what is wrong with devices and what alarms, and nothing that tells who is in', async () => {
    const { id, raise } = await build();
    const silent = { kind: 'DEVICE_SILENT', intervals: 3 } as const;
    const state = { kind: 'STATE', value: 1, forMs: 0 } as const;
    const smoke = await raise({ quantity: 'SMOKE', condition: state });
    await raise({ quantity: null, condition: silent });
    const occupied = await raise({ quantity: 'OCCUPANCY', condition: state });
    await raise({ quantity: 'CO2_LEVEL' });
    await raise({ quantity: 'BATTERY_LEVEL' });
    const quantities = async (who: Person) =>
      (await list(who, id)).nodes.map(({ quantity }) => quantity).sort();
    expect(await quantities(owner)).toHaveLength(5);
    expect(await quantities(technician)).toEqual(['BATTERY_LEVEL', 'SMOKE', null]);
    const acknowledge = async ({ alert }: AlertEventDocument) => {
      const input = { alertId: alertIdOf(alert), note: 'on my way' };
      const { data } = await api.ask(technician, AcknowledgeAlertDocument, { input });
      return data!.acknowledgeAlert;
    };
    expect(await acknowledge(smoke)).toMatchObject({
      alert: { acknowledgement: { by: technician.scope.principal.id, note: 'on my way' } },
    });
    expect(await acknowledge(occupied)).toMatchObject({ code: 'NOT_FOUND' });
    const followed = follow(api.subscriber(technician), { buildings: [id] });
    await caughtUp(followed);
    expect(followed.told().filter((each) => each.startsWith('active'))).toHaveLength(3);
    followed.end();
  });

  it('are acknowledged once, by whoever was first, beside a worker that clears them', async () => {
    const { id, raise } = await build();
    const raised = await raise();
    const others = await Promise.all(Array.from({ length: 4 }, () => raise()));
    const acknowledge = async (who: Person) => {
      const input = { alertId: alertIdOf(raised.alert), note: who.subject };
      const { data } = await api.ask(who, AcknowledgeAlertDocument, { input });
      const result = data!.acknowledgeAlert;
      if (result.__typename !== 'AcknowledgeAlertSuccess') throw new Error('refused');
      return result.alert.acknowledgement!.note;
    };
    const [one, another] = await Promise.all([
      acknowledge(owner),
      acknowledge(technician),
      ...others.map(raiser.clear),
      raiser.clear(raised),
    ]);
    expect(one).toBe(another);
    const { nodes } = await list(owner, id, { acknowledged: true });
    expect(nodes).toMatchObject([{ state: 'CLEARED', acknowledgement: { note: one } }]);
    const events = await api.cosmos.query<AlertEventDocument>(
      'alerts',
      id,
      "SELECT * FROM c WHERE c.type = 'alertEvent' ORDER BY c.id",
    );
    // Five raised, five cleared, one acknowledged: without a hole.
    expect(events.map(({ number }) => number)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    expect(events.filter(({ change }) => change === 'ACKNOWLEDGED')).toHaveLength(1);
  });

  describe('as a subscription', () => {
    it('tell what is active first, then every event within two seconds', async () => {
      const { id, raise } = await build();
      const early = await raise({ severity: 'CRITICAL' });
      await raiser.clear(await raise());
      const followed = follow(api.subscriber(owner), { buildings: [id] });
      await caughtUp(followed);
      expect(followed.told()).toEqual(['active CRITICAL', 'caught up']);
      const taken = startOwnTime();
      await raiser.clear(early);
      await eventually(() => expect(followed.told().slice(2)).toEqual(['4 CLEARED']), { every: 10 });
      expect(taken()).toBeLessThan(2_000);
      followed.end();
    });

    it('go on behind a cursor on any replica, with every event once', async () => {
      const { id, raise } = await build();
      const other = await build('Other');
      await raise();
      const before = follow(api.subscriber(owner), { buildings: [id] });
      await caughtUp(before);
      await raise({ severity: 'WARNING' });
      await eventually(() => expect(before.told()).toHaveLength(3), { every: 10 });
      before.end();
      const missed = await raise();
      await raiser.clear(missed);
      await raise({ severity: 'MINOR' });
      await other.raise({ severity: 'CRITICAL' });
      const { webSocketUrl } = await api.replica();
      const after = follow(api.subscriber(owner, webSocketUrl), {
        buildings: [other.id, id],
        after: before.cursor(),
      });
      await caughtUp(after);
      expect(after.told()).toEqual(['3 RAISED', '4 CLEARED', '5 RAISED', 'active CRITICAL', 'caught up']);
      await raiser.clear(await raise());
      await eventually(() => expect(after.told().slice(5)).toEqual(['6 RAISED', '7 CLEARED']), { every: 10 });
      // With another choice of severity, from the same place.
      const worst = follow(api.subscriber(owner), {
        buildings: [id],
        after: before.cursor(),
        minimumSeverity: 'MAJOR',
      });
      await caughtUp(worst);
      expect(worst.told()).toEqual(['3 RAISED', '4 CLEARED', '6 RAISED', '7 CLEARED', 'caught up']);
      const refused = follow(api.subscriber(technician), { buildings: [id], after: before.cursor() });
      await eventually(() =>
        expect(refused.outcome.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]),
      );
      after.end();
      worst.end();
    });

    it('are told the same over server-sent events', async () => {
      const { id, raise } = await build();
      await raise({ severity: 'CRITICAL' });
      const stop = new AbortController();
      const response = await fetch(`${api.url}/graphql/stream`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${owner.token}`,
        },
        body: JSON.stringify({ query: String(OnAlertsDocument), variables: { buildings: [id] } }),
        signal: stop.signal,
      });
      let text = '';
      const reading = (async () => {
        for await (const part of response.body!) text += Buffer.from(part).toString();
      })().catch(() => undefined);
      await eventually(() => expect(text).toContain('AlertsCaughtUp'));
      expect(text).toContain('ActiveAlert');
      await raise();
      await eventually(() => expect(text).toMatch(/"change":"RAISED".*"number":2/));
      stop.abort();
      await reading;
    });

    it('say what is not kept any more, and then what is active', async () => {
      const { id, raise } = await build();
      const before = follow(api.subscriber(owner), { buildings: [id] });
      await caughtUp(before);
      before.end();
      const events = [
        await raise(),
        await raise({ severity: 'CRITICAL' }),
        await raise({ severity: 'MINOR' }),
      ];
      await raiser.clear(events[0]!);
      for (const { id: event } of events.slice(0, 2)) {
        await api.cosmos.batch('alerts', id, [{ remove: event }]);
      }
      const after = follow(api.subscriber(owner), { buildings: [id], after: before.cursor() });
      await caughtUp(after);
      expect(after.told()).toEqual(['1-2 missed', 'active MINOR', 'active CRITICAL', 'caught up']);
      const again = follow(api.subscriber(owner), { buildings: [id], after: after.cursor() });
      await caughtUp(again);
      expect(again.told()).toEqual(['caught up']);
      again.end();
      after.end();
    });

    it('fill from the store what the stream left out, and tell nothing twice that it repeats', async () => {
      const { id, raise } = await build();
      const followed = follow(api.subscriber(owner), { buildings: [id] });
      await caughtUp(followed);
      const { namespace } = api;
      const producer = createStreamProducer({ namespace, hub: 'averages' });
      await producer.start();
      await raise();
      await raise();
      const third = await raise();
      await producer.send(0, ALERTS_SCHEMA, [encodeAlertEvent(third), encodeAlertEvent(third)]);
      await eventually(() => expect(followed.told()).toHaveLength(4), { every: 10 });
      const last = await raise();
      await eventually(() => expect(followed.told()).toHaveLength(5), { every: 10 });
      expect(last.number).toBe(4);
      expect(followed.told()).toEqual(['caught up', '1 RAISED', '2 RAISED', '3 RAISED', '4 RAISED']);
      await producer.stop();
      followed.end();
    });

    it('drop nothing for a reader that is slower than what happens', async () => {
      const { id, raise } = await build();
      const raised = await raise();
      const client = api.subscriber(owner);
      const slow = client.iterate<OnAlertsSubscription>({
        query: String(OnAlertsDocument),
        variables: { buildings: [id] },
      });
      const numbers: number[] = [];
      // More than waits in memory, in one go.
      const many = Array.from({ length: 1_200 }, (_, index) => ({
        ...raised,
        id: `ale_${String(index + 2).padStart(12, '0')}`,
        number: index + 2,
      }));
      for (let told = 0; numbers.at(-1) !== 1_201; told++) {
        const { value } = await slow.next();
        const update = (value.data as OnAlertsSubscription).alerts;
        if (update.__typename === 'AlertChanged') numbers.push(update.number);
        if (update.__typename === 'AlertsCaughtUp') {
          await api.cosmos.bulkUpsert('alerts', many);
          await api.cosmos.bulkUpsert('alerts', [
            { id: 'alh_head', type: 'alertHead', buildingId: id, number: 1_201 } as never,
          ]);
        }
        if (told > 1_300) throw new Error('told too much');
      }
      expect(numbers).toEqual(Array.from({ length: 1_200 }, (_, index) => index + 2));
      await slow.return?.();
    });

    it('end alike for foreign and unknown buildings, and leave those out beside one’s own', async () => {
      const { id, raise } = await build();
      const stranger = await api.person('stranger', SOUTH, 'OWNER');
      const viewer = await api.person('viewer', NORTH, 'VIEWER');
      const answers = [];
      for (const [who, building] of [
        [stranger, id],
        [stranger, 'bld_unknown'],
        [viewer, id],
      ] as const) {
        const { outcome, updates } = follow(api.subscriber(who), { buildings: [building] });
        await eventually(() => expect(outcome.errors).toBeDefined());
        expect(updates).toEqual([]);
        answers.push(JSON.stringify(outcome.errors).replace(/"requestId":"[^"]+"/, ''));
      }
      expect(new Set(answers).size).toBe(1);
      const { building: foreign } = await buildBuilding(api, stranger, SOUTH);
      const followed = follow(api.subscriber(owner), { buildings: [foreign.id, id, 'bld_unknown'] });
      await caughtUp(followed);
      await raiser.raise({ tenantId: SOUTH, buildingId: foreign.id });
      await raise();
      await eventually(() => expect(followed.told()).toContain('1 RAISED'));
      expect(followed.told()).toEqual(['caught up', '1 RAISED']);
      followed.end();
    });

    it('complete when the right is lost, whether or not anything happens', async () => {
      const { id, raise } = await build();
      const leaving = await api.person('leaving', NORTH, 'MANAGER');
      const followed = follow(api.subscriber(leaving), { buildings: [id] });
      await caughtUp(followed);
      await api.person('leaving', NORTH, 'VIEWER');
      await eventually(() => expect(followed.outcome.completed).toBe(true));
      await raise();
      expect(followed.told()).toEqual(['caught up']);
      expect(followed.outcome.errors).toBeUndefined();
    });
  });

  it('have rules whose condition is exactly one of its kinds', async () => {
    const create = (condition: object) =>
      api.ask(owner, CreateAlertRuleDocument, {
        input: {
          tenantId: NORTH,
          name: 'Hot',
          severity: 'MAJOR',
          quantity: 'AIR_TEMPERATURE',
          condition,
          idempotencyKey: freshKey(),
        } as never,
      });
    const reading = { comparison: 'ABOVE', high: 30 };
    const made = await create({ reading });
    expect(made.data?.createAlertRule).toMatchObject({ rule: { name: 'Hot', revision: 1 } });
    for (const condition of [{}, { reading, deviceSilent: { intervals: 3 } }, { reading: null }]) {
      const { errors } = await create(condition);
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    }
    const wrong = await create({ reading: { comparison: 'ABOVE', high: 300 } });
    expect(wrong.data?.createAlertRule).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'condition', 'reading', 'high'],
    });
  });
});
