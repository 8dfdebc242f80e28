import 'reflect-metadata';
import {
  AcceptGrantDocument,
  BuildingAccessDocument,
  GrantsDocument,
  OfferGrantDocument,
  type OfferGrantInput,
  RevokeGrantDocument,
  SharedWithMeDocument,
} from '../../simulator/generated/graphql';
import { payerOf } from '../../src/api/cost';
import { tenantScope } from '../../src/auth/scope';
import { type ReceivedGrantDocument } from '../../src/store/grants/documents';
import { eventually } from '../support/eventually';
import {
  average,
  buildBuilding,
  freshKey,
  NORTH,
  type Person,
  SOUTH,
  startApi,
  type TestApi,
} from './api.support';

describe('sharing across tenants', () => {
  let api: TestApi;
  let owner: Person;
  let guest: Person;
  let friend: Person;
  let house: Awaited<ReturnType<typeof buildBuilding>>;
  let theirs: Awaited<ReturnType<typeof buildBuilding>>;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    guest = await api.person('guest', SOUTH, 'OWNER');
    friend = await api.person('friend', 'ten_nowhere', 'VIEWER');
    house = await buildBuilding(api, owner, NORTH);
    theirs = await buildBuilding(api, guest, SOUTH);
  });
  afterAll(() => api.stop());

  async function share(who: Person, tenantId: string | null, parts: Partial<OfferGrantInput> = {}) {
    const offered = await api.ask(owner, OfferGrantDocument, {
      input: {
        buildingId: house.building.id,
        role: 'VIEWER',
        to: tenantId === null ? 'PERSON' : 'TENANT',
        expiresInHours: 1,
        idempotencyKey: freshKey(),
        ...parts,
      },
    });
    const offer = offered.data!.offerGrant;
    if (offer.__typename !== 'OfferGrantSuccess') throw new Error(JSON.stringify(offer));
    const accepted = await api.ask(who, AcceptGrantDocument, {
      input: { grantCode: offer.grantCode!, tenantId, idempotencyKey: freshKey() },
    });
    expect(accepted.data!.acceptGrant).toMatchObject({
      __typename: 'AcceptGrantSuccess',
      grant: { id: offer.grant.id, ownerName: `Tenant ${NORTH}`, buildingId: house.building.id },
    });
    return offer.grant.id;
  }
  const revoke = (grantId: string) => api.ask(owner, RevokeGrantDocument, { input: { grantId } });

  function follow(who: Person, building: string) {
    const told: number[] = [];
    const outcome = { completed: false, closed: false };
    const client = api.subscriber(who);
    client.on('closed', () => (outcome.closed = true));
    const open = (id: string, into: number[], end: () => void): void => {
      client.subscribe<{ buildingAverage: { mean: number } }>(
        { query: 'subscription ($id: ID!) { buildingAverage(building: $id) { mean } }', variables: { id } },
        { next: ({ data }) => data && into.push(data.buildingAverage.mean), error: end, complete: end },
      );
    };
    open(building, told, () => (outcome.completed = true));
    return { told, outcome, open };
  }

  it('goes by an offer, is seen from both sides, and ends when it is revoked', async () => {
    const seen = 'query ($id: ID!) { building(id: $id) { name tenant { name } } }';
    const grantId = await share(guest, SOUTH, { note: 'the cleaners' });
    await eventually(async () => {
      const { data } = await api.ask<object, object>(guest, seen, { id: house.building.id });
      expect(data).toEqual({ building: { name: 'Building 25', tenant: { name: `Tenant ${NORTH}` } } });
    });
    const given = await api.ask(owner, GrantsDocument, { tenant: NORTH, direction: 'GIVEN', first: 10 });
    expect(given.data!.tenant!.grants!.nodes).toMatchObject([
      {
        id: grantId,
        state: 'ACTIVE',
        granteeId: SOUTH,
        granteeName: `Tenant ${SOUTH}`,
        note: 'the cleaners',
      },
    ]);
    const received = await api.ask(guest, GrantsDocument, {
      tenant: SOUTH,
      direction: 'RECEIVED',
      first: 10,
    });
    expect(received.data!.tenant!.grants!.nodes).toMatchObject([
      { id: grantId, state: 'ACTIVE', ownerName: `Tenant ${NORTH}`, note: null },
    ]);
    const access = await api.ask(owner, BuildingAccessDocument, { building: house.building.id, first: 10 });
    expect(access.data!.building!.access!.nodes).toMatchObject([
      { role: 'OWNER', grant: null },
      { personId: null, grant: { id: grantId, role: 'VIEWER', granteeId: SOUTH } },
    ]);
    const { data } = await revoke(grantId);
    expect(data!.revokeGrant).toMatchObject({ grant: { id: grantId, state: 'ENDED' } });
    await eventually(async () => {
      expect((await api.ask<object, object>(guest, seen, { id: house.building.id })).data).toEqual({
        building: null,
      });
    });
  });

  it('shows a person what is shared with them, and lets them give it back', async () => {
    const grantId = await share(friend, null, { spaceId: house.spaceId });
    const { data } = await api.ask(friend, SharedWithMeDocument);
    expect(data!.viewer.grants).toMatchObject([{ id: grantId, spaceId: house.spaceId, role: 'VIEWER' }]);
    await eventually(async () => {
      const answer = await api.ask<object, object>(
        friend,
        'query ($id: ID!) { building(id: $id) { spaces { id parent { id } } } }',
        { id: house.building.id },
      );
      expect(answer.data).toEqual({ building: { spaces: [{ id: house.spaceId, parent: null }] } });
    });
    await api.ask(friend, RevokeGrantDocument, { input: { grantId } });
    expect((await api.ask(friend, SharedWithMeDocument)).data!.viewer.grants).toEqual([]);
  });

  it('is paid by whoever asks and the tenants they belong to, and not by whoever shares', () => {
    const right = { buildingId: null, quantities: null, role: 'VIEWER', until: null } as const;
    const scope = tenantScope(guest.scope.principal, [
      { ...right, tenantId: SOUTH },
      { ...right, tenantId: NORTH, buildingId: house.building.id, grantId: 'gra_1' },
    ]);
    expect(payerOf(scope)).toEqual({ client: guest.scope.principal.id, tenants: [SOUTH] });
  });

  it('completes the subscriptions that a lost grant allowed, and these alone', async () => {
    await api.publish(average(house.building, { mean: 1 }), average(theirs.building, { mean: 2 }));
    const lasting = await share(guest, SOUTH);
    const ending = await share(friend, null);
    await eventually(async () => {
      for (const who of [guest, friend]) {
        const { data } = await api.ask<{ building: unknown }, object>(
          who,
          'query ($id: ID!) { building(id: $id) { averages { mean } } }',
          { id: house.building.id },
        );
        expect(data!.building).toMatchObject({ averages: [{ mean: 1 }] });
      }
    });
    const shared = follow(guest, house.building.id);
    const own: number[] = [];
    let ownEnded = false;
    shared.open(theirs.building.id, own, () => (ownEnded = true));
    const dated = follow(friend, house.building.id);
    await eventually(() => expect([shared.told, own, dated.told]).toEqual([[1], [2], [1]]));
    await revoke(lasting);
    const person = `person:${friend.scope.principal.id}`;
    const grant = await api.cosmos.read<ReceivedGrantDocument>('directory', person, ending);
    const dying: ReceivedGrantDocument = { ...grant!, until: Date.now() + 200 };
    await api.cosmos.bulkUpsert('directory', [dying]);
    await eventually(() => expect([shared.outcome.completed, dated.outcome.completed]).toEqual([true, true]));
    await api.publish(
      average(house.building, { mean: 3, windowEnd: Math.floor(Date.now() / 1_000) + 1 }),
      average(theirs.building, { mean: 4, windowEnd: Math.floor(Date.now() / 1_000) + 1 }),
    );
    await eventually(() => expect(own).toEqual([2, 4]));
    expect([shared.told, dated.told]).toEqual([[1], [1]]);
    expect([ownEnded, shared.outcome.closed]).toEqual([false, false]);
  });
});
