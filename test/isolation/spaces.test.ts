import { newId } from '../../src/domain/id';
import { partitionOf } from '../../src/domain/partition';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';
import { type GrantedRole, type ReceivedGrantDocument } from '../../src/store/grants/documents';
import { alertIdOf } from '../../src/store/alerts/alert-id';
import { createAveragesWriter } from '../../src/store/averages-writer';
import { type DeviceDocument } from '../../src/store/documents';
import { createRecentWriter } from '../../src/store/recent-writer';
import { createRaiser } from '../alerts/alerts.support';
import { type ColdStores, startColdStores } from '../analytics/cold-store';
import { recentBatches } from '../analytics/recent-batches';
import {
  average,
  freshKey,
  NORTH,
  type Person,
  placeState,
  startApi,
  type TestApi,
} from '../api/api.support';
import { fileDeadLetters } from '../dead-letters/letters';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import {
  BY_ID,
  FORMER,
  type Former,
  type Guest,
  GUESTS,
  OF_BUILDING,
  type Place,
  RANGE,
  RANKS,
  type SpaceRank,
} from './space-rights';

/** What tells the places apart: nothing else in the world has these numbers. */
const VALUES = { own: 21.125, neighbour: 22.625, building: 23.875 };

describe('isolation of spaces', () => {
  let api: TestApi;
  let coldStores: ColdStores;
  let own: Place;
  let neighbour: Place;
  let unknown: Place;
  let level: string;
  let owner: Person;
  const people = {} as Record<SpaceRank | Guest | Former | 'STRANGER' | 'OF_HUMIDITY', Person>;
  beforeAll(async () => {
    coldStores = await startColdStores();
    const cold = await coldStores.next();
    api = await startApi({ questions: cold.questions, minimumSpaces: 1 });
    owner = await api.person('owner', NORTH, 'OWNER');
    const made = await api.registry.createBuilding(
      owner.scope,
      {
        tenantId: NORTH,
        name: 'Building 25',
        timeZone: 'Europe/Berlin',
        spaces: [
          { name: 'Level 1', kind: 'LEVEL', parent: null },
          { name: 'Room 101', kind: 'ROOM', parent: 0 },
          { name: 'Level 2', kind: 'LEVEL', parent: null },
          { name: 'Room 201', kind: 'ROOM', parent: 2 },
        ],
      },
      freshKey(),
    );
    if (!made.ok) throw new Error(made.refusal.message);
    const { building, spaces } = made.value;
    const [levelId, room, , other] = spaces.map(({ id }) => id) as [string, string, string, string];
    level = levelId;
    own = await place(building.id, room, VALUES.own, 0);
    neighbour = await place(building.id, other, VALUES.neighbour, 1);
    await fileDeadLetters(api.cosmos, NORTH, building.id, own.device);
    await createRaiser(api.cosmos).raise({ tenantId: NORTH, buildingId: building.id });
    unknown = {
      ...own,
      space: newId('spc'),
      device: newId('dev'),
      deviceToSuspend: newId('dev'),
      alert: alertIdOf({ id: newId('alt'), buildingId: building.id }),
    };
    const rooms = [{ buildingId: building.id, spaceIds: [room] }];
    const levels = [{ buildingId: building.id, spaceIds: [level, room] }];
    people.RESIDENT = await api.person('resident', NORTH, 'VIEWER', rooms);
    people.ROOM_ANALYST = await api.person('room analyst', NORTH, 'ANALYST', rooms);
    people.ROOM_TECHNICIAN = await api.person('room technician', NORTH, 'TECHNICIAN', rooms);
    people.ROOM_MANAGER = await api.person('room manager', NORTH, 'MANAGER', rooms);
    people.LEVEL_VIEWER = await api.person('level viewer', NORTH, 'VIEWER', levels);
    people.LEVEL_ANALYST = await api.person('level analyst', NORTH, 'ANALYST', levels);

    /** Shares the room, or with null all of the building. */
    const share = async (
      role: GrantedRole,
      spaceId: string | null,
      who: Person,
      { tenantId = null, ...more }: { tenantId?: string | null; until?: number; quantities?: QuantityName[] },
    ) => {
      const offered = await api.registry.offerGrant(
        owner.scope,
        {
          ...{ buildingId: building.id, spaceId, role, quantities: null, until: null, note: null },
          ...{ to: tenantId === null ? ('PERSON' as const) : ('TENANT' as const), expiresInMs: 3_600_000 },
          ...more,
        },
        freshKey(),
      );
      if (!offered.ok) throw new Error(offered.refusal.message);
      const { grant, code } = offered.value;
      const accepted = await api.registry.acceptGrant(who.scope, { code: code!, tenantId }, freshKey());
      if (!accepted.ok) throw new Error(accepted.refusal.message);
      return grant.id;
    };
    const stranger = async (name: string): Promise<Person> => api.person(name, 'ten_elsewhere', 'VIEWER');
    const [room1, house1, house2] = ['ten_room', 'ten_house', 'ten_keepers'];
    people.GUEST_ANALYST = await stranger('guest analyst');
    await share('ANALYST', room, people.GUEST_ANALYST, {});
    people.GUEST_TECHNICIAN = await api.person('guest technician', room1!, 'TECHNICIAN');
    await share('MANAGER', room, await api.person('room owner', room1!, 'OWNER'), { tenantId: room1! });
    people.ANALYST_AT_HOME = await api.person('analyst at home', house1!, 'ANALYST');
    await share('MANAGER', null, await api.person('house owner', house1!, 'OWNER'), { tenantId: house1! });
    people.OWNER_AT_HOME = await api.person('owner at home', house2!, 'OWNER');
    await share('TECHNICIAN', null, people.OWNER_AT_HOME, { tenantId: house2! });
    people.VIEWER_HERE = await stranger('viewer here');
    await share('VIEWER', null, people.VIEWER_HERE, {});
    people.OF_HUMIDITY = await stranger('of humidity');
    await share('ANALYST', null, people.OF_HUMIDITY, { quantities: ['RELATIVE_HUMIDITY'] });
    people.STRANGER = await stranger('stranger');
    people.EXPIRED = await stranger('expired');
    const expired = await share('MANAGER', null, people.EXPIRED, { until: Date.now() + 3_600_000 });
    const key = `person:${people.EXPIRED.scope.principal.id}`;
    const grant = await api.cosmos.read<ReceivedGrantDocument>('directory', key, expired);
    const over: ReceivedGrantDocument = { ...grant!, until: Date.now() - 1 };
    await api.cosmos.bulkUpsert('directory', [over]);
    people.REVOKED = await stranger('revoked');
    await api.registry.revokeGrant(owner.scope, await share('MANAGER', null, people.REVOKED, {}));
    people.LEFT = await stranger('left');
    await api.registry.revokeGrant(people.LEFT.scope, await share('MANAGER', room, people.LEFT, {}));

    async function place(buildingId: string, spaceId: string, value: number, sequence: number) {
      const provisioned = await api.registry.provisionDevices(
        owner.scope,
        {
          buildingId,
          devices: ['Stays', 'Is suspended'].map((name) => ({
            name: `${name} in ${spaceId}`,
            model: 'thermometer',
            spaceId,
            serialNumber: null,
          })),
        },
        freshKey(),
      );
      if (!provisioned.ok) throw new Error(provisioned.refusal.message);
      const [device, second] = provisioned.value.map((each) => each.device);
      await hear(cold, device!, value, sequence);
      const { alert } = await createRaiser(api.cosmos).raise({ tenantId: NORTH, buildingId, spaceId });
      const of = { id: buildingId, tenantId: NORTH };
      await api.publish({ ...average(of, { mean: value }), spaceId });
      await api.publishStates(placeState(of, { spaceId, active: value * 1_000 }));
      return {
        building: buildingId,
        space: spaceId,
        device: device!.id,
        deviceToSuspend: second!.id,
        alert: alertIdOf(alert),
        value,
      };
    }

    const of = { id: building.id, tenantId: NORTH };
    const minute = Math.floor(Date.now() / 60_000);
    await createAveragesWriter({ cosmos: api.cosmos }).write(building.id, [
      average(of, { windowEnd: minute * 60, mean: VALUES.building }),
    ]);
    await api.publishStates(placeState(of));
    await api.publish(average(of, { mean: VALUES.building }));
    await eventually(async () => {
      const { data } = await api.ask<{ building: { averages: unknown[]; states: unknown[] } }, object>(
        owner,
        'query ($id: ID!) { building(id: $id) { averages { mean } states { active } } }',
        { id: building.id },
      );
      expect([data!.building.averages.length, data!.building.states.length]).toEqual([1, 1]);
    });
  });
  afterAll(async () => {
    await api.stop();
    await coldStores.stop();
  });

  /** A reading of the device's point, landed and recent. */
  async function hear(
    cold: Awaited<ReturnType<ColdStores['next']>>,
    device: DeviceDocument,
    value: number,
    sequence: number,
  ): Promise<void> {
    const { buildingId, assignments } = device;
    const now = Date.now();
    const readings = assignments.map(({ quantity, ...point }) =>
      buildReading({
        ...point,
        deviceId: device.id,
        quantity: quantityNamed(quantity).code,
        observedAt: now - 60_000,
        value,
      }),
    );
    const arrival = { incarnation: '1700000000000-8', sequence, enqueuedAt: now, readings };
    await cold.land([{ ...arrival, partition: partitionOf(buildingId, 8) }]);
    const writer = createRecentWriter({ cosmos: api.cosmos });
    for (const batch of recentBatches([{ ...arrival, partition: 0 }])) await writer.write(batch);
  }

  async function answer(rank: keyof typeof people, document: string, variables: object) {
    api.storeCalls();
    const body = document.startsWith('subscription')
      ? await firstOf(people[rank], document, variables)
      : await api.ask<Record<string, unknown>, object>(people[rank], document, variables);
    return { data: body.data ?? null, errors: body.errors, storeCalls: api.storeCalls() };
  }

  async function firstOf(who: Person, query: string, variables: object) {
    const client = api.subscriber(who);
    try {
      const results = client.iterate<Record<string, unknown>>({ query, variables: { ...variables } });
      const { value } = await results.next();
      await results.return?.();
      return { data: value.data ?? null, errors: value.errors as never };
    } catch (errors) {
      return { data: null, errors: errors as never };
    } finally {
      await client.dispose();
    }
  }

  /** Whether an answer tells of what is in a place. */
  const tellsOf = (body: unknown, { space, device, deviceToSuspend, alert, value }: Place): boolean =>
    [space, device, deviceToSuspend, alert, String(value), String(value * 1_000)].some((each) =>
      JSON.stringify(body).includes(each),
    );

  function verdictOf(at: string, { data, errors }: { data: unknown; errors: unknown }): string {
    const refusal = (errors as { extensions: { code: string } }[] | undefined)?.[0]?.extensions.code;
    let value: unknown = data;
    for (const name of at.split('.')) value = (value as Record<string, unknown> | null)?.[name] ?? null;
    if (value === null && refusal !== undefined) return refusal;
    if (value === null || (Array.isArray(value) && value.length === 0)) return 'nothing';
    return (value as { code?: string }).code ?? 'seen';
  }

  const masked = (body: unknown, { space, device, deviceToSuspend, alert }: Place): string =>
    [space, device, deviceToSuspend, alert].reduce(
      (text, id, i) => text.replaceAll(id, `id ${i}`),
      JSON.stringify(body)
        .replace(/"requestId":"[^"]*"/g, '"requestId":"*"')
        .replace(/"currentlyAvailable":\d+/g, '"currentlyAvailable":"*"'),
    );

  describe.each(BY_ID)('$name', ({ document, variables, at, seen, refused, refusedOwn, otherwise }) => {
    it.each(RANKS)('for a %s', async (rank) => {
      const mine = await answer(rank, document, variables(own, freshKey()));
      const theirs = await answer(rank, document, variables(neighbour, freshKey()));
      const nowhere = await answer(rank, document, variables(unknown, freshKey()));
      const otherVerdict = refused?.includes(rank) ? 'FORBIDDEN' : otherwise;
      const ownVerdict = refusedOwn?.includes(rank) ? 'FORBIDDEN' : otherVerdict;
      expect(verdictOf(at, mine)).toBe(seen.includes(rank) ? 'seen' : ownVerdict);
      if (seen.includes(rank)) expect(tellsOf(mine.data, own)).toBe(true);
      expect(verdictOf(at, theirs)).toBe(otherVerdict);
      expect(masked(theirs, neighbour)).toBe(masked(nowhere, unknown));
    });
  });

  describe.each(OF_BUILDING)('$name', ({ document, variables, at, own: mine, whole = [], refused }) => {
    it.each(RANKS)('for a %s', async (rank) => {
      const { data, errors } = await answer(rank, document, variables(neighbour, freshKey()));
      const told = mine.includes(rank) || whole.includes(rank);
      expect(verdictOf(at, { data, errors })).toBe(
        told ? 'seen' : refused.includes(rank) ? 'FORBIDDEN' : 'nothing',
      );
      expect(tellsOf(data, own)).toBe(mine.includes(rank));
      expect(tellsOf(data, neighbour)).toBe(false);
    });
  });

  describe.each(OF_BUILDING)('$name', ({ document, variables, at, guests, shownNothing = [] }) => {
    it.each(GUESTS)('shared as a whole, for an %s', async (rank) => {
      const { data, errors } = await answer(rank, document, variables(neighbour, freshKey()));
      const otherwise = shownNothing.includes(rank) ? 'nothing' : 'FORBIDDEN';
      expect(verdictOf(at, { data, errors })).toBe(guests.includes(rank) ? 'seen' : otherwise);
    });
  });

  it.each(FORMER)('tells somebody whose grant is over (%s) what it tells a stranger', async (rank) => {
    for (const { document, variables } of [...BY_ID, ...OF_BUILDING]) {
      const key = freshKey();
      const former = await answer(rank, document, variables(own, key));
      const stranger = await answer('STRANGER', document, variables(own, key));
      expect(masked(former, own)).toBe(masked(stranger, own));
    }
  });

  it('tells nothing of other quantities than are shared', async () => {
    const { from, to } = RANGE();
    const ask = async (selection: string): Promise<string> => {
      const { data, errors } = await answer(
        'OF_HUMIDITY',
        `query ($id: ID!) { building(id: $id) { ${selection} } }`,
        { id: own.building },
      );
      return verdictOf(`building.${selection.split(/\W/)[0]}`, { data, errors }) + tellsOf(data, own);
    };
    const range = `from: "${from}", to: "${to}"`;
    const step = `${range}, step: "PT2H"`;
    for (const [selection, verdict] of [
      ['averages { mean }', 'nothingfalse'],
      [`averageHistory(quantity: AIR_TEMPERATURE, ${range}) { nodes { mean } }`, 'FORBIDDENfalse'],
      [`history(quantity: AIR_TEMPERATURE, ${step}) { average }`, 'FORBIDDENfalse'],
      [`history(quantity: RELATIVE_HUMIDITY, ${step}) { average }`, 'seenfalse'],
      [`readings(quantity: AIR_TEMPERATURE, ${range}) { nodes { value } }`, 'FORBIDDENfalse'],
      [`readings(${range}) { nodes { value } }`, 'seenfalse'],
      ['latestReadings { nodes { value } }', 'seenfalse'],
      ['states { active }', 'nothingfalse'],
    ] as const) {
      expect([selection, await ask(selection)]).toEqual([selection, verdict]);
    }
  });

  it('lets only an analyst export the readings of a space of their own', async () => {
    for (const rank of RANKS) {
      const { data } = await answer(
        rank,
        `mutation ($input: ExportReadingsInput!) { exportReadings(input: $input) {
          ... on ExportReadingsSuccess { export { id } } ... on UserError { code } } }`,
        {
          input: {
            buildingId: own.building,
            spaces: [own.space],
            ...RANGE(),
            format: 'CSV',
            idempotencyKey: freshKey(),
          },
        },
      );
      const { export: made, code } = data!['exportReadings'] as { export?: { id: string }; code?: string };
      const may = ['ROOM_ANALYST', 'ROOM_MANAGER', 'LEVEL_ANALYST', 'GUEST_ANALYST'].includes(rank);
      expect([rank, code ?? 'made']).toEqual([rank, may ? 'made' : 'FORBIDDEN']);
      if (made === undefined) continue;
      const { data: found } = await answer(rank, 'query ($id: ID!) { export(id: $id) { id } }', made);
      expect(found).toEqual({ export: { id: made.id } });
      const other = await answer('RESIDENT', 'query ($id: ID!) { export(id: $id) { id } }', made);
      expect(other.data).toEqual({ export: null });
    }
  });

  it('tells nobody with a part of a tenant how many jobs and exports it has', async () => {
    for (const rank of [...RANKS, ...GUESTS, ...FORMER]) {
      const nothing = { nodes: [], pageInfo: { hasNextPage: false } };
      const { data } = await answer(
        rank,
        `query ($id: ID!) { tenant(id: $id) {
          jobs(first: 1) { nodes { id } pageInfo { hasNextPage } }
          exports(first: 1) { nodes { id } pageInfo { hasNextPage } } } }`,
        { id: NORTH },
      );
      const sees = !(FORMER as readonly string[]).includes(rank);
      expect([rank, data]).toEqual([rank, { tenant: sees ? { jobs: nothing, exports: nothing } : null }]);
    }
  });

  it('lists the building to everybody who has a right to a space of it, and names their tenant', async () => {
    for (const rank of RANKS) {
      const { data } = await answer(
        rank,
        '{ buildings { nodes { id } } viewer { tenants { role tenant { id } } } }',
        {},
      );
      expect(data).toEqual({
        buildings: { nodes: [{ id: own.building }] },
        // What is shared makes nobody a member.
        viewer: {
          tenants: [
            {
              role: expect.anything(),
              tenant: { id: rank.startsWith('GUEST') ? expect.not.stringMatching(NORTH) : NORTH },
            },
          ],
        },
      });
    }
  });

  it('tells two people with different spaces of the same building apart, live', async () => {
    const other = await api.person('other technician', NORTH, 'TECHNICIAN', [
      { buildingId: own.building, spaceIds: [neighbour.space] },
    ]);
    const told = [people.ROOM_TECHNICIAN, other].map((who) => {
      const devices = new Set<string>();
      const client = api.subscriber(who);
      client.subscribe<{ deviceStatus: { deviceId: string } }>(
        {
          query: 'subscription ($id: ID!) { deviceStatus(building: $id) { deviceId } }',
          variables: { id: own.building },
        },
        {
          next: ({ data }) => data && devices.add(data.deviceStatus.deviceId),
          error: () => undefined,
          complete: () => undefined,
        },
      );
      return devices;
    });
    await eventually(() => {
      expect([...told[0]!].sort()).toEqual([own.device, own.deviceToSuspend].sort());
      expect([...told[1]!].sort()).toEqual([neighbour.device, neighbour.deviceToSuspend].sort());
    });
    // A device that comes to a space later is told of there, and only there.
    const added: string[] = [];
    for (const { space } of [neighbour, own]) {
      const made = await api.registry.provisionDevices(
        owner.scope,
        {
          buildingId: own.building,
          devices: [{ name: 'New', model: 'thermometer', spaceId: space, serialNumber: null }],
        },
        freshKey(),
      );
      if (!made.ok) throw new Error(made.refusal.message);
      added.push(made.value[0]!.device.id);
    }
    await eventually(() => {
      expect([told[0]!.has(added[1]!), told[1]!.has(added[0]!)]).toEqual([true, true]);
    });
    expect([told[0]!.has(added[0]!), told[1]!.has(added[1]!)]).toEqual([false, false]);
  });

  it('tells of alerts as they happen in one’s own space, and of no others', async () => {
    const told: string[] = [];
    let caughtUp = false;
    api.subscriber(people.ROOM_TECHNICIAN).subscribe<{
      alerts: { __typename: string; alert?: { id: string } };
    }>(
      {
        query: `subscription ($id: ID!) { alerts(buildingIds: [$id]) { __typename
          ... on ActiveAlert { alert { id } } ... on AlertChanged { alert { id } } } }`,
        variables: { id: own.building },
      },
      {
        next: ({ data }) => {
          if (data?.alerts.__typename === 'AlertsCaughtUp') caughtUp = true;
          if (data?.alerts.alert) told.push(data.alerts.alert.id);
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
    await eventually(() => expect(caughtUp).toBe(true));
    expect(told).toEqual([own.alert]);
    const raiser = createRaiser(api.cosmos);
    const at = { tenantId: NORTH, buildingId: own.building };
    await raiser.raise({ ...at, spaceId: neighbour.space });
    const mine = await raiser.raise({ ...at, spaceId: own.space });
    await eventually(() => expect(told).toEqual([own.alert, alertIdOf(mine.alert)]));
  });
});
