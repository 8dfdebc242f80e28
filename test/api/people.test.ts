import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AcceptInvitationDocument,
  BuildingAccessDocument,
  ChangeMemberRoleDocument,
  type ChangeMemberRoleInput,
  CreateTenantDocument,
  InvitationsDocument,
  InviteMemberDocument,
  type InviteMemberInput,
  MembersDocument,
  RemoveMemberDocument,
  RevokeInvitationDocument,
} from '../../simulator/generated/graphql';
import { PLATFORM_TENANT } from '../../src/auth/platform';
import { eventually } from '../support/eventually';
import { average, buildBuilding, freshKey, NORTH, type Person, startApi, type TestApi } from './api.support';

describe('administration of tenants and people', () => {
  let api: TestApi;
  let owner: Person;
  let house: Awaited<ReturnType<typeof buildBuilding>>;
  beforeAll(async () => {
    api = await startApi();
    owner = await api.person('owner', NORTH, 'OWNER');
    house = await buildBuilding(api, owner, NORTH);
  });
  afterAll(() => api.stop());

  /** Somebody who belongs nowhere yet. */
  const somebody = async (subject: string) => ({
    token: await api.token(subject, { email: `${subject}@example.org` }),
  });
  async function invite(parts: Partial<InviteMemberInput> = {}) {
    const { data } = await api.ask(owner, InviteMemberDocument, {
      input: { tenantId: NORTH, role: 'VIEWER', expiresInHours: 1, idempotencyKey: freshKey(), ...parts },
    });
    const invited = data!.inviteMember;
    if (invited.__typename !== 'InviteMemberSuccess') throw new Error(JSON.stringify(invited));
    return { id: invited.invitation.id, code: invited.invitationCode! };
  }
  const accept = async (who: { token: string }, invitationCode: string) =>
    (await api.ask(who, AcceptInvitationDocument, { input: { invitationCode, idempotencyKey: freshKey() } }))
      .data!.acceptInvitation;
  const members = async (who: { token: string } = owner) => {
    const { data, errors } = await api.ask(who, MembersDocument, { tenant: NORTH, first: 100 });
    return { nodes: data?.tenant?.members?.nodes, code: errors?.[0]?.extensions['code'] };
  };
  const idOf = async (name: string): Promise<string> =>
    (await members()).nodes!.find(({ displayName }) => displayName === `${name}@example.org`)!.personId;

  it('goes from an operator who creates a tenant to its first owner, and shows the operator nothing', async () => {
    const operator = await api.person('operator', PLATFORM_TENANT, 'OPERATOR');
    const input = { name: 'East Wharf', ownerNote: 'Ms Ost', expiresInHours: 1, idempotencyKey: freshKey() };
    const refused = await api.ask(owner, CreateTenantDocument, { input });
    expect(refused.data!.createTenant).toMatchObject({ __typename: 'ForbiddenError' });
    const { data } = await api.ask(operator, CreateTenantDocument, { input });
    const created = data!.createTenant;
    if (created.__typename !== 'CreateTenantSuccess') throw new Error(JSON.stringify(created));
    expect(created).toMatchObject({ tenant: { name: 'East Wharf' }, secretsAlreadyShown: false });
    const again = await api.ask(operator, CreateTenantDocument, { input });
    expect(again.data!.createTenant).toMatchObject({ invitationCode: null, secretsAlreadyShown: true });

    const first = await somebody('ost');
    const { id } = created.tenant;
    expect(await accept(first, created.invitationCode!)).toMatchObject({
      ...{ tenantId: id, tenantName: 'East Wharf', role: 'OWNER', spaces: null },
    });
    const seen =
      'query ($id: ID!) { tenant(id: $id) { name members { nodes { displayName } } invitations { nodes { note state } } auditLog { nodes { action } } } }';
    await eventually(async () => {
      const { data: mine } = await api.ask<{ tenant: object | null }, object>(first, seen, { id });
      expect(mine!.tenant).toMatchObject({
        name: 'East Wharf',
        members: { nodes: [{ displayName: 'ost@example.org' }] },
        invitations: { nodes: [{ note: 'Ms Ost', state: 'ACCEPTED' }] },
      });
      expect(JSON.stringify(mine)).toContain('tenant.create');
    });
    for (const asked of [id, NORTH]) {
      const theirs = await api.ask<object, object>(operator, seen, { id: asked });
      expect(theirs.data).toEqual({ tenant: null });
    }
  });

  it('lets people in by a code, tells owners of them, and nobody else', async () => {
    const { code, id } = await invite({ role: 'ANALYST', note: 'the bookkeeper' });
    const ann = await somebody('ann');
    expect(await accept(ann, 'NO-SUCH-CODE')).toMatchObject({ code: 'NOT_FOUND' });
    expect(await accept(ann, code)).toMatchObject({ tenantId: NORTH, role: 'ANALYST' });
    const another = await invite();
    expect(await accept(ann, another.code)).toMatchObject({ __typename: 'WrongStateError' });
    const { data } = await api.ask(owner, RevokeInvitationDocument, { input: { invitationId: another.id } });
    expect(data!.revokeInvitation).toMatchObject({ invitation: { id: another.id, state: 'REVOKED' } });
    expect((await members()).nodes).toContainEqual(
      expect.objectContaining({ role: 'ANALYST', displayName: 'ann@example.org', spaces: null }),
    );
    await eventually(async () => expect((await members(ann)).code).toBe('FORBIDDEN'));
    const invited = await api.ask(owner, InvitationsDocument, { tenant: NORTH, first: 10 });
    expect(invited.data!.tenant!.invitations!.nodes).toContainEqual(
      expect.objectContaining({
        id,
        state: 'ACCEPTED',
        note: 'the bookkeeper',
        acceptedBy: await idOf('ann'),
      }),
    );
  });

  it('closes the connections of who is removed, and completes what a resident may see no longer', async () => {
    const rooms = [{ buildingId: house.building.id, spaceIds: [house.spaceId] }];
    const gone = await somebody('gone');
    const less = await somebody('less');
    expect(await accept(gone, (await invite()).code)).toMatchObject({ role: 'VIEWER' });
    expect(await accept(less, (await invite({ role: 'MANAGER' })).code)).toMatchObject({ role: 'MANAGER' });
    await api.publish(average(house.building, { mean: 2 }));
    await eventually(async () => {
      for (const who of [gone, less]) {
        const { data } = await api.ask<object, object>(
          who,
          'query ($id: ID!) { building(id: $id) { averages { mean } } }',
          { id: house.building.id },
        );
        expect(data).toEqual({ building: { averages: [{ mean: 2 }] } });
      }
    });
    const follow = (who: { token: string }, query: string, variables: Record<string, string>) => {
      const outcome = { told: 0, completed: false, closed: 0 };
      const client = api.subscriber(who);
      client.on('closed', (event) => (outcome.closed = (event as { code: number }).code));
      client.subscribe(
        { query, variables },
        {
          next: ({ data }) => (outcome.told += Number(data != null)),
          error: () => (outcome.completed = true),
          complete: () => (outcome.completed = true),
        },
      );
      return outcome;
    };
    const building = 'subscription ($id: ID!) { buildingAverage(building: $id) { mean } }';
    const statuses = 'subscription ($id: ID!) { deviceStatus(deviceIds: [$id]) { state } }';
    const ofGone = follow(gone, building, { id: house.building.id });
    const ofLess = follow(less, building, { id: house.building.id });
    const devicesOfLess = follow(less, statuses, { id: house.deviceId });
    await eventually(() => expect([ofGone.told, ofLess.told, devicesOfLess.told > 0]).toEqual([1, 1, true]));
    expect(devicesOfLess.completed).toBe(false);

    const removed = await api.ask(owner, RemoveMemberDocument, {
      input: { tenantId: NORTH, personId: await idOf('gone') },
    });
    expect(removed.data!.removeMember).toMatchObject({ __typename: 'RemoveMemberSuccess' });
    const lessId = await idOf('less');
    const change = async (parts: Pick<ChangeMemberRoleInput, 'role' | 'spaces'>) =>
      (
        await api.ask(owner, ChangeMemberRoleDocument, {
          input: { tenantId: NORTH, personId: lessId, ...parts },
        })
      ).data!.changeMemberRole;
    expect(await change({ role: 'ANALYST' })).toMatchObject({ member: { role: 'ANALYST', spaces: null } });
    await eventually(() => expect(ofGone.closed).toBe(4401));
    await eventually(() => expect(devicesOfLess.completed).toBe(true));
    expect([ofLess.completed, ofLess.closed]).toEqual([false, 0]);
    const resident = await change({ role: 'VIEWER', spaces: rooms });
    expect(resident).toMatchObject({ member: { role: 'VIEWER', spaces: rooms } });
    // The average of so few rooms would tell of a neighbour's.
    await eventually(() => expect(ofLess.completed).toBe(true));

    const access = await api.ask(owner, BuildingAccessDocument, { building: house.building.id, first: 100 });
    const seen = access.data!.building!.access!.nodes;
    expect(seen).toContainEqual(expect.objectContaining({ personId: lessId, spaceIds: [house.spaceId] }));
    expect(JSON.stringify(await members())).not.toContain('gone@example.org');
    // A resident goes by themselves.
    const left = await api.ask(less, RemoveMemberDocument, { input: { tenantId: NORTH, personId: lessId } });
    expect(left.data!.removeMember).toMatchObject({ __typename: 'RemoveMemberSuccess' });
  });

  it('goes as the page for integrators shows it', async () => {
    const page = readFileSync(join(__dirname, '..', '..', 'docs', 'graphql.md'), 'utf8');
    const section = /^## Members$([^]*?)^## /m.exec(page)![1]!;
    const documents = [...section.matchAll(/```graphql\n([^]*?)```/g)].map(([, document]) => document!);
    const [inviting, coming, asking, removing] = documents;
    const ask = async (who: { token: string }, document: string, variables: object) =>
      (await api.ask<Record<string, Record<string, never>>, object>(who, document, variables)).data!;
    const tenant = NORTH;
    const { inviteMember } = await ask(owner, inviting!, {
      ...{ tenant, building: house.building.id, room: house.spaceId, key: freshKey() },
    });
    const lodger = await somebody('lodger');
    const code = inviteMember!['invitationCode'];
    const { acceptInvitation } = await ask(lodger, coming!, { code, key: freshKey() });
    expect(acceptInvitation).toEqual({ tenantId: NORTH, tenantName: `Tenant ${NORTH}`, role: 'VIEWER' });
    const told = JSON.stringify(await ask(owner, asking!, { tenant }));
    expect(told).toContain('lodger@example.org');
    expect(told).toContain('Flat 12');
    const person = await idOf('lodger');
    expect(await ask(owner, removing!, { tenant, person })).toEqual({ removeMember: { personId: person } });
  });

  it('keeps the last owner', async () => {
    const personId = owner.scope.principal.id;
    const left = await api.ask(owner, RemoveMemberDocument, { input: { tenantId: NORTH, personId } });
    expect(left.data!.removeMember).toMatchObject({ code: 'WRONG_STATE', path: ['input', 'personId'] });
  });
});
