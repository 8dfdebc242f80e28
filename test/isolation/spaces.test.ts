import { alertIdOf } from '../../src/store/alerts/alert-id';
import { createRaiser } from '../alerts/alerts.support';
import { freshKey, type Person } from '../api/api.support';
import { eventually } from '../support/eventually';
import { type OwnWorld, startWorld } from './in-process';
import { transportsOf } from './judging';
import { buildPlaces, type Places } from './places';
import { answerTo, maskedPlace, spaceVerdictOf, tellsOf } from './space-judging';
import { BY_ID, FORMER, GUESTS, OF_BUILDING, type Place, RANGE, RANKS } from './space-rights';

describe('isolation of spaces', () => {
  let world: OwnWorld;
  let places: Places;
  let own: Place;
  let neighbour: Place;
  let unknown: Place;
  let owner: Person;
  let people: Places['people'];
  beforeAll(async () => {
    world = await startWorld();
    places = await buildPlaces(world);
    ({ own, neighbour, unknown, owner, people } = places);
  });
  afterAll(() => world?.stop());

  const answer = (rank: keyof Places['people'], document: string, variables: object) =>
    answerTo(world, places, rank, document, variables, transportsOf({ document })[0]!);

  describe.each(BY_ID)('$name', ({ document, variables, at, seen, refused, refusedOwn, otherwise }) => {
    it.each(RANKS)('for a %s', async (rank) => {
      const mine = await answer(rank, document, variables(own, freshKey()));
      const theirs = await answer(rank, document, variables(neighbour, freshKey()));
      const nowhere = await answer(rank, document, variables(unknown, freshKey()));
      const otherVerdict = refused?.includes(rank) ? 'FORBIDDEN' : otherwise;
      const ownVerdict = refusedOwn?.includes(rank) ? 'FORBIDDEN' : otherVerdict;
      expect(spaceVerdictOf(at, mine)).toBe(seen.includes(rank) ? 'seen' : ownVerdict);
      if (seen.includes(rank)) expect(tellsOf(mine.data, own)).toBe(true);
      expect(spaceVerdictOf(at, theirs)).toBe(otherVerdict);
      expect(maskedPlace(theirs, neighbour)).toBe(maskedPlace(nowhere, unknown));
    });
  });

  describe.each(OF_BUILDING)('$name', ({ document, variables, at, own: mine, whole = [], refused }) => {
    it.each(RANKS)('for a %s', async (rank) => {
      const { data, errors } = await answer(rank, document, variables(neighbour, freshKey()));
      const told = mine.includes(rank) || whole.includes(rank);
      expect(spaceVerdictOf(at, { data, errors })).toBe(
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
      expect(spaceVerdictOf(at, { data, errors })).toBe(guests.includes(rank) ? 'seen' : otherwise);
    });
  });

  it.each(FORMER)('tells somebody whose grant is over (%s) what it tells a stranger', async (rank) => {
    for (const { document, variables } of [...BY_ID, ...OF_BUILDING]) {
      const key = freshKey();
      const former = await answer(rank, document, variables(own, key));
      const stranger = await answer('STRANGER', document, variables(own, key));
      expect(maskedPlace(former, own)).toBe(maskedPlace(stranger, own));
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
      return spaceVerdictOf(`building.${selection.split(/\W/)[0]}`, { data, errors }) + tellsOf(data, own);
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
        { id: world.north },
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
              tenant: {
                id: rank.startsWith('GUEST')
                  ? expect.not.stringMatching(new RegExp(`^${world.north}$`))
                  : world.north,
              },
            },
          ],
        },
      });
    }
  });

  it('tells two people with different spaces of the same building apart, live', async () => {
    const other = await world.person('other technician', world.north, 'TECHNICIAN', [
      { buildingId: own.building, spaceIds: [neighbour.space] },
    ]);
    const told = [people.ROOM_TECHNICIAN, other].map((who) => {
      const devices = new Set<string>();
      const client = world.subscriber(who);
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
      const made = await world.registry.provisionDevices(
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
    world.subscriber(people.ROOM_TECHNICIAN).subscribe<{
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
    const raiser = createRaiser(world.cosmos);
    const at = { tenantId: world.north, buildingId: own.building };
    await raiser.raise({ ...at, spaceId: neighbour.space });
    const mine = await raiser.raise({ ...at, spaceId: own.space });
    await eventually(() => expect(told).toEqual([own.alert, alertIdOf(mine.alert)]));
  });
});
