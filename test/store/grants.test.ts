import { allows, type Entitlement, type TenantScope } from '../../src/auth/scope';
import { type Cosmos } from '../../src/store/cosmos';
import { type NewGrant } from '../../src/store/grants/grants';
import {
  codeKeyOf,
  type GivenGrantDocument,
  type GrantCodeDocument,
  grantsOf,
  receivedOf,
} from '../../src/store/grants/documents';
import { createMemberships } from '../../src/store/memberships';
import { createRegistry, type Registry } from '../../src/store/registry';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import {
  createBuilding,
  freshKey,
  logger,
  principal,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

describe('grants', () => {
  let store: Store;
  let owner: TenantScope;
  let manager: TenantScope;
  let guest: TenantScope;
  let house: { buildingId: string; spaceIds: string[] };
  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', 'ten_a', 'OWNER');
    manager = await store.member('manager', 'ten_a', 'MANAGER');
    guest = await store.member('guest owner', 'ten_b', 'OWNER');
    house = await createBuilding(store.registry, owner);
  });
  afterAll(() => store.stop());

  const wanted = (parts: Partial<NewGrant> = {}): NewGrant => ({
    buildingId: house.buildingId,
    spaceId: null,
    quantities: null,
    role: 'ANALYST',
    until: null,
    to: 'TENANT',
    note: null,
    expiresInMs: 3_600_000,
    ...parts,
  });
  const offer = async (parts: Partial<NewGrant> = {}) => {
    const { grant, code } = valueOf(await store.registry.offerGrant(owner, wanted(parts), freshKey()));
    return { grant, code: code! };
  };
  const accept = (code: string, tenantId: string | null = 'ten_b', scope = guest) =>
    store.registry.acceptGrant(scope, { code, tenantId }, freshKey());
  const shared = async (parts: Partial<NewGrant> = {}) => {
    const { code } = await offer(parts);
    return valueOf(await accept(code, parts.to === 'PERSON' ? null : 'ten_b'));
  };
  const rightsOf = async (person: string): Promise<Entitlement[]> => {
    // As another process, which remembers nobody.
    const { registry } = another(store.cosmos);
    const rights = await registry.memberships(principal(person).id);
    return rights.filter(({ grantId }) => grantId !== undefined);
  };
  const another = (cosmos: Cosmos): { registry: Registry } => ({
    registry: createRegistry({ cosmos, keyring: store.keyring }),
  });
  const actions = async (scope: TenantScope, tenantId: string, subject: string) =>
    (await store.registry.auditLog(scope, { tenantId }, { first: 50, after: null, subject })).items.map(
      ({ action }) => action,
    );

  it('show their code once, whoever repeats the call, and refuse the key for anything else', async () => {
    const key = freshKey();
    const first = valueOf(await store.registry.offerGrant(owner, wanted(), key));
    const again = valueOf(await store.registry.offerGrant(owner, wanted(), key));
    expect(first.code).toMatch(/^[0-9A-Z-]{26,}$/);
    expect([again.grant.id, again.code]).toEqual([first.grant.id, null]);
    expect(JSON.stringify(again)).not.toContain(first.code!);
    const other = await store.registry.offerGrant(owner, wanted({ role: 'VIEWER' }), key);
    expect(other).toMatchObject({ refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('are offered only by who administers access, only of what is there, and only in what can be shared', async () => {
    const refusal = async (scope: TenantScope, parts: object) => {
      const outcome = await store.registry.offerGrant(scope, { ...wanted(), ...parts }, freshKey());
      return outcome.ok ? 'made' : `${outcome.refusal.code} ${outcome.refusal.path ?? ''}`.trim();
    };
    expect(await refusal(manager, {})).toBe('FORBIDDEN');
    expect(await refusal(guest, {})).toBe('NOT_FOUND buildingId');
    expect(await refusal(guest, { buildingId: 'bld_nowhere' })).toBe('NOT_FOUND buildingId');
    expect(await refusal(owner, { spaceId: 'spc_nowhere' })).toBe('NOT_FOUND spaceId');
    expect(await refusal(owner, { role: 'OWNER' })).toBe('INVALID_INPUT role');
    expect(await refusal(owner, { role: 'OPERATOR' })).toBe('INVALID_INPUT role');
    expect(await refusal(owner, { quantities: [] })).toBe('INVALID_INPUT quantities');
    expect(await refusal(owner, { quantities: ['CO2_LEVEL'], role: 'TECHNICIAN' })).toBe(
      'INVALID_INPUT quantities',
    );
    expect(await refusal(owner, { until: Date.now() - 1 })).toBe('INVALID_INPUT until');
    expect(await refusal(owner, { expiresInMs: 1_000 })).toBe('INVALID_INPUT expiresInHours');
  });

  it('give a tenant’s members the lesser of the granted and their own role, and its residents nothing', async () => {
    await store.member('guest technician', 'ten_b', 'TECHNICIAN');
    await store.member('guest analyst', 'ten_b', 'ANALYST');
    await store.registry.seedTenants({
      tenants: [],
      members: [
        {
          issuer: 'https://identity.test',
          subject: 'guest resident',
          tenantId: 'ten_b',
          role: 'VIEWER',
          spaces: [{ buildingId: 'bld_b', spaceIds: ['spc_b'] }],
        },
      ],
    });
    const grant = await shared({
      role: 'ANALYST',
      quantities: ['AIR_TEMPERATURE'],
      until: Date.now() + 60_000,
    });
    const roleOf = async (person: string) =>
      (await rightsOf(person)).flatMap((each) => (each.grantId === grant.id ? [each.role] : []));
    expect(await roleOf('guest owner')).toEqual(['ANALYST']);
    expect(await roleOf('guest analyst')).toEqual(['ANALYST']);
    expect(await roleOf('guest technician')).toEqual(['VIEWER']);
    expect(await roleOf('guest resident')).toEqual([]);
    expect((await rightsOf('guest owner')).find((each) => each.grantId === grant.id)).toEqual({
      tenantId: 'ten_a',
      buildingId: house.buildingId,
      spaceIds: null,
      quantities: ['AIR_TEMPERATURE'],
      role: 'ANALYST',
      until: grant.until,
      grantId: grant.id,
    });
  });

  it('of a space hold what lies in it', async () => {
    const made = valueOf(
      await store.registry.createBuilding(
        owner,
        {
          tenantId: 'ten_a',
          name: 'Deep',
          timeZone: 'UTC',
          spaces: [
            { name: 'Level 1', kind: 'LEVEL', parent: null },
            { name: 'Room 101', kind: 'ROOM', parent: 0 },
            { name: 'Zone', kind: 'ZONE', parent: 1 },
            { name: 'Level 2', kind: 'LEVEL', parent: null },
          ],
        },
        freshKey(),
      ),
    );
    const [level, room, zone] = made.spaces.map(({ id }) => id);
    const grant = await shared({ buildingId: made.building.id, spaceId: level!, to: 'PERSON' });
    expect([...grant.spaceIds!].sort()).toEqual([level, room, zone].sort());
    const [right] = (await rightsOf('guest owner')).filter((each) => each.grantId === grant.id);
    expect(right).toMatchObject({ spaceIds: grant.spaceIds, role: 'ANALYST' });
  });

  it('are accepted once, by one, and every other code gets the same answer', async () => {
    const { code, grant } = await offer();
    const other = await store.member('third owner', 'ten_c', 'OWNER');
    const outcomes = await Promise.all([accept(code), accept(code, 'ten_c', other)]);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    const late = outcomes[0]!.ok ? await accept(code, 'ten_c', other) : await accept(code);
    const wrong = await accept('NO-SUCH-CODE');
    expect(late).toEqual(wrong);
    const { grant: revoked, code: dead } = await offer();
    valueOf(await store.registry.revokeGrant(owner, revoked.id));
    expect(await accept(dead)).toEqual(wrong);
    const { code: late2, grant: old } = await offer();
    const expired: GivenGrantDocument = { ...old, offerExpiresAt: Date.now() - 1 };
    await store.cosmos.bulkUpsert('directory', [expired]);
    expect(await accept(late2)).toEqual(wrong);
    await store.registry.revokeGrant(owner, grant.id);
  });

  it('may be typed as they are read, and accepting again changes nothing', async () => {
    const { code } = await offer();
    const typed = code.toLowerCase().replaceAll('-', ' ');
    const first = valueOf(await accept(typed));
    expect(valueOf(await accept(code)).id).toBe(first.id);
    const rights = await rightsOf('guest owner');
    expect(rights.filter(({ grantId }) => grantId === first.id)).toHaveLength(1);
  });

  it('are for whom they were offered to, and never for the owner’s own tenant', async () => {
    const toTenant = await offer();
    expect(await accept(toTenant.code, null)).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
    expect(await accept(toTenant.code, 'ten_a', owner)).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
    expect(await accept(toTenant.code, 'ten_a', guest)).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    const analyst = await store.member('guest analyst', 'ten_b', 'ANALYST');
    expect(await accept(toTenant.code, 'ten_b', analyst)).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    const toPerson = await offer({ to: 'PERSON' });
    expect(await accept(toPerson.code)).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
  });

  it('do not pass on: whoever was given something can offer none of it', async () => {
    const grant = await shared({ role: 'MANAGER' });
    const { registry } = another(store.cosmos);
    const scope = { ...guest, entitlements: await registry.memberships(guest.principal.id) } as TenantScope;
    const place = { tenantId: 'ten_a', buildingId: house.buildingId };
    expect(allows(scope, 'device.configure', place)).toBe(true);
    const again = await registry.offerGrant(scope, wanted(), freshKey());
    expect(again).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    expect((await registry.accessTo(scope, place, { first: 10, after: null })).items).toEqual([]);
    await store.registry.revokeGrant(guest, grant.id);
  });

  it('are ended from either side, told in both logs, and stay ended', async () => {
    for (const ender of [owner, guest]) {
      const grant = await shared();
      expect(valueOf(await store.registry.revokeGrant(ender, grant.id)).endedAt).not.toBeNull();
      expect(valueOf(await store.registry.revokeGrant(ender, grant.id)).endedAt).not.toBeNull();
      expect((await rightsOf('guest owner')).some(({ grantId }) => grantId === grant.id)).toBe(false);
      expect(await actions(owner, 'ten_a', grant.id)).toEqual([
        'grant.revoke',
        'grant.accept',
        'grant.offer',
      ]);
      expect(await actions(guest, 'ten_b', grant.id)).toEqual(['grant.end', 'grant.receive']);
    }
    const third = await store.member('third owner', 'ten_c', 'OWNER');
    const { grant } = await offer();
    expect(await store.registry.revokeGrant(third, grant.id)).toEqual({
      ok: false,
      refusal: expect.objectContaining({ code: 'NOT_FOUND' }),
    });
    expect(await store.registry.revokeGrant(manager, grant.id)).toMatchObject({
      refusal: { code: 'NOT_FOUND' },
    });
  });

  it('leave no right behind wherever an acceptance and a revocation break off', async () => {
    const { length: calls } = await callsOf(async (registry) => {
      const { code } = await offer();
      const grant = valueOf(await registry.acceptGrant(guest, { code, tenantId: 'ten_b' }, freshKey()));
      valueOf(await registry.revokeGrant(owner, grant.id));
    });
    for (let broken = 1; broken <= calls; broken++) {
      const { code, grant } = await offer();
      const cosmos = tapped(store.cosmos, {
        before: (call) => {
          if (call === broken) throw new Error('the process dies');
        },
      });
      const { registry } = another(cosmos);
      const key = freshKey();
      await registry
        .acceptGrant(guest, { code, tenantId: 'ten_b' }, key)
        .then(() => registry.revokeGrant(owner, grant.id))
        .catch(() => undefined);
      // Whoever repeats the revocation ends it, whatever stands.
      valueOf(await store.registry.revokeGrant(owner, grant.id));
      const late = await store.registry.acceptGrant(guest, { code, tenantId: 'ten_b' }, key);
      expect([broken, late.ok]).toEqual([broken, false]);
      const rights = await rightsOf('guest owner');
      expect([broken, rights.some(({ grantId }) => grantId === grant.id)]).toEqual([broken, false]);
    }
  });

  it('leave no right behind where one is revoked while its right is being made', async () => {
    const { code, grant } = await offer();
    const cosmos: Cosmos = {
      ...store.cosmos,
      async batch(container, partition, changes) {
        if (partition === receivedOf('ten_b')) valueOf(await store.registry.revokeGrant(owner, grant.id));
        return store.cosmos.batch(container, partition, changes);
      },
    };
    const { registry } = another(cosmos);
    const accepted = await registry.acceptGrant(guest, { code, tenantId: 'ten_b' }, freshKey());
    expect(accepted).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    expect((await rightsOf('guest owner')).some(({ grantId }) => grantId === grant.id)).toBe(false);
  });

  it('are accepted by the code that was shown and by none that leads to them otherwise', async () => {
    const { grant } = await offer();
    const other: GrantCodeDocument = {
      id: 'code',
      key: codeKeyOf('ANOTHER'),
      tenantId: 'ten_a',
      grantId: grant.id,
      ttl: 3_600,
    };
    await store.cosmos.bulkUpsert('directory', [other]);
    expect(await accept('ANOTHER')).toEqual(await accept('NO-SUCH-CODE'));
  });

  /** The store calls that some work makes. */
  async function callsOf(work: (registry: Registry) => Promise<void>): Promise<string[]> {
    const calls: string[] = [];
    await work(another(tapped(store.cosmos, { before: (_, name) => void calls.push(name) })).registry);
    return calls;
  }

  it('are listed to both sides, and in whoever can see the building', async () => {
    const page = { first: 100, after: null };
    const grant = await shared({ note: 'the cleaners' });
    const given = await store.registry.grants(owner, 'ten_a', { ...page, direction: 'GIVEN' });
    expect(given.items[0]).toMatchObject({
      id: grant.id,
      grantee: 'ten_b',
      granteeName: 'ten_b',
      note: 'the cleaners',
    });
    const received = await store.registry.grants(guest, 'ten_b', { ...page, direction: 'RECEIVED' });
    expect(received.items[0]).toMatchObject({ id: grant.id, ownerId: 'ten_a', ownerName: 'ten_a' });
    expect(JSON.stringify(received.items)).not.toContain('the cleaners');
    for (const [scope, tenantId] of [
      [guest, 'ten_a'],
      [manager, 'ten_a'],
      [owner, 'ten_b'],
    ] as const) {
      expect((await store.registry.grants(scope, tenantId, { ...page, direction: 'GIVEN' })).items).toEqual(
        [],
      );
    }
    const place = { tenantId: 'ten_a', buildingId: house.buildingId };
    const resident = { issuer: 'https://identity.test', tenantId: 'ten_a', role: 'VIEWER' as const };
    await store.registry.seedTenants({
      tenants: [],
      members: [
        {
          ...resident,
          subject: 'lodger',
          spaces: [{ buildingId: house.buildingId, spaceIds: [house.spaceIds[0]!] }],
        },
        { ...resident, subject: 'neighbour', spaces: [{ buildingId: 'bld_other', spaceIds: ['spc_other'] }] },
      ],
    });
    const found: string[] = [];
    for (let after: string | null = null; ;) {
      const { items, next } = await store.registry.accessTo(owner, place, { first: 2, after });
      found.push(
        ...items.map((each) =>
          'grant' in each
            ? each.grant.id
            : 'apiKey' in each
              ? each.apiKey.record.id
              : `${each.member.key} ${each.member.role ?? each.member.resident?.role}`,
        ),
      );
      if ((after = next) === null) break;
    }
    expect(found).toContain(`person:${principal('owner').id} OWNER`);
    expect(found).toContain(`person:${principal('manager').id} MANAGER`);
    expect(found).toContain(grant.id);
    expect(found).toContain(`person:${principal('lodger').id} VIEWER`);
    expect(found).not.toContain(`person:${principal('neighbour').id} VIEWER`);
    expect(new Set(found).size).toBe(found.length);
    expect((await store.registry.accessTo(manager, place, page)).items).toEqual([]);
    expect(await store.cosmos.query('directory', grantsOf('ten_z'), 'SELECT * FROM c')).toEqual([]);
    expect(await store.cosmos.query('directory', receivedOf('ten_z'), 'SELECT * FROM c')).toEqual([]);
  });

  it('begin and end in every replica within two seconds, for members of the tenant and for persons', async () => {
    const replicas = [1, 2].map(() => createMemberships({ cosmos: store.anotherCosmos(), logger }));
    for (const each of replicas) await each.start();
    try {
      const newcomer = principal('newcomer').id;
      const people = [principal('guest owner').id, newcomer];
      const grantsIn = async (person: string, replica: (typeof replicas)[number]) =>
        (await replica.of(person)).flatMap(({ grantId }) => grantId ?? []);
      for (const each of replicas) for (const person of people) await each.of(person);
      const told: string[][] = [];
      replicas[0]!.watch(principal('guest owner').id, (entitlements) =>
        told.push(entitlements!.flatMap(({ grantId }) => grantId ?? [])),
      );
      const toTenant = await shared();
      const toPerson = await shared({ to: 'PERSON' });
      // Somebody who comes to the tenant afterwards has what is shared with it.
      await store.member('newcomer', 'ten_b', 'VIEWER');
      for (const each of replicas) {
        await eventually(async () => {
          const mine = await grantsIn(principal('guest owner').id, each);
          expect(mine).toEqual(expect.arrayContaining([toTenant.id, toPerson.id]));
          expect(await grantsIn(newcomer, each)).toContain(toTenant.id);
        });
      }
      const taken = startOwnTime();
      valueOf(await store.registry.revokeGrant(owner, toTenant.id));
      valueOf(await store.registry.revokeGrant(owner, toPerson.id));
      for (const each of replicas) {
        await eventually(
          async () => {
            const mine = await grantsIn(principal('guest owner').id, each);
            expect(mine).not.toContain(toTenant.id);
            expect(mine).not.toContain(toPerson.id);
            expect(await grantsIn(newcomer, each)).not.toContain(toTenant.id);
          },
          { every: 10 },
        );
      }
      expect(taken()).toBeLessThan(2_000);
      expect(told.at(-1)).not.toContain(toTenant.id);
    } finally {
      for (const each of replicas) await each.stop();
    }
  });
});
