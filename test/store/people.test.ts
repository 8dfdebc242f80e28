import fc from 'fast-check';
import { PLATFORM_TENANT } from '../../src/auth/platform';
import { type Principal, type Role, type TenantScope, tenantScope } from '../../src/auth/scope';
import { personId } from '../../src/domain/id';
import { type Cosmos } from '../../src/store/cosmos';
import { type MemberDocument, type MembershipDocument, membersOf } from '../../src/store/documents';
import { ERASURES } from '../../src/store/erasure/documents';
import { createMemberships } from '../../src/store/memberships';
import { type InvitationDocument, PENDING, type RosterDocument } from '../../src/store/people/documents';
import { type NewInvitation } from '../../src/store/people/people';
import { createRegistry, type Outcome, type Registry } from '../../src/store/registry';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { freshKey, logger, principal, startStore, type Store, tapped, valueOf } from './store.support';

describe('people of a tenant', () => {
  let store: Store;
  let operator: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    valueOf(await store.registry.setOperator({ issuer: 'https://identity.test', subject: 'operator' }, true));
    operator = await scopeOf('operator');
  });
  afterAll(() => store.stop());

  /** As another process, which remembers nobody. */
  const another = (cosmos: Cosmos = store.cosmos): Registry =>
    createRegistry({ cosmos, keyring: store.keyring });
  async function scopeOf(name: string): Promise<TenantScope> {
    return tenantScope(
      { ...principal(name), email: `${name}@example.org` } as Principal,
      await another().memberships(principal(name).id),
    );
  }
  const codeOf = (outcome: Outcome<unknown>): string =>
    outcome.ok ? 'done' : `${outcome.refusal.code} ${outcome.refusal.path ?? ''}`.trim();
  const page = { first: 100, after: null };

  let tenants = 0;
  /** A tenant of its own, with such members. */
  async function tenantOf(people: Record<string, Role>) {
    const tenantId = `ten_p${++tenants}`;
    const scopes: Record<string, TenantScope> = {};
    for (const [name, role] of Object.entries(people)) {
      scopes[name] = await store.member(`${name} ${tenantId}`, tenantId, role);
    }
    const idOf = (name: string): string => scopes[name]!.principal.id;
    return { tenantId, scopes, idOf };
  }
  const wanted = (tenantId: string, parts: Partial<NewInvitation> = {}): NewInvitation => ({
    ...{ tenantId, role: 'VIEWER', spaces: null, note: null, expiresInMs: 3_600_000 },
    ...parts,
  });
  async function invite(scope: TenantScope, tenantId: string, parts: Partial<NewInvitation> = {}) {
    const made = valueOf(await store.registry.inviteMember(scope, wanted(tenantId, parts), freshKey()));
    return { invitation: made.invitation, code: made.code! };
  }
  const accept = async (name: string, code: string, registry = store.registry, key = freshKey()) =>
    registry.acceptInvitation(await scopeOf(name), code, key);
  const actions = async (scope: TenantScope, tenantId: string) =>
    (await store.registry.auditLog(scope, { tenantId }, page)).items.map(({ action }) => action).reverse();

  /** What stands of a tenant's people in each of the three places; they must say the same. */
  async function standing(tenantId: string): Promise<Record<string, string>> {
    const key = membersOf(tenantId);
    const entries = await store.cosmos.query<MemberDocument>(
      'directory',
      key,
      "SELECT * FROM c WHERE c.kind = 'member'",
    );
    const found: Record<string, string> = {};
    for (const { id, role, resident, version } of entries) {
      const membership = await store.cosmos.read<MembershipDocument>('directory', `person:${id}`, tenantId);
      expect([membership?.role, membership?.resident, membership?.version]).toEqual([
        role,
        resident,
        version,
      ]);
      const is = role ?? resident?.role;
      if (is != null) found[id] = is;
    }
    const roster = await store.cosmos.read<RosterDocument>('directory', key, 'roster');
    if (roster) {
      const owners = Object.keys(found).filter((id) => found[id] === 'OWNER');
      expect([[...roster.owners].sort(), roster.members]).toEqual([owners.sort(), Object.keys(found).length]);
    }
    return found;
  }

  it('begin with an owner whom an operator’s code lets in, and the operator sees nothing of it', async () => {
    const key = freshKey();
    const input = { name: 'East Wharf', note: 'Ms Ost', expiresInMs: 3_600_000 };
    const made = valueOf(await store.registry.createTenant(operator, input, key));
    const again = valueOf(await store.registry.createTenant(operator, input, key));
    expect([again.tenant.tenantId, again.code]).toEqual([made.tenant.tenantId, null]);
    expect(codeOf(await store.registry.createTenant(operator, { ...input, name: 'Other' }, key))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    const { tenantId } = made.tenant;
    expect(codeOf(await accept('east owner', made.code!))).toBe('done');
    const owner = await scopeOf('east owner');
    expect(owner.entitlements).toEqual([
      { tenantId, buildingId: null, quantities: null, until: null, role: 'OWNER' },
    ]);
    expect(await actions(owner, tenantId)).toEqual(
      expect.arrayContaining(['tenant.create', 'invitation.create', 'member.join']),
    );
    expect(await store.registry.tenant(operator, tenantId)).toBeNull();
    expect((await store.registry.members(operator, tenantId, page)).items).toEqual([]);
    expect((await store.registry.auditLog(operator, { tenantId }, page)).items).toEqual([]);
  });

  it('begin by operators of the platform alone, whatever somebody is elsewhere', async () => {
    const input = { name: 'West', note: null, expiresInMs: 3_600_000 };
    const { scopes } = await tenantOf({ owner: 'OWNER', operator: 'OPERATOR' });
    for (const scope of [...Object.values(scopes), await scopeOf('a stranger')]) {
      expect(codeOf(await store.registry.createTenant(scope, input, freshKey()))).toBe('FORBIDDEN');
    }
    const wrong = { ...input, name: ' ' };
    expect(codeOf(await store.registry.createTenant(operator, wrong, freshKey()))).toBe('INVALID_INPUT name');
  });

  it('have another first invitation where the first was lost, until somebody has come', async () => {
    const input = { name: 'South Pier', note: null, expiresInMs: 3_600_000 };
    const { tenant, code } = valueOf(await store.registry.createTenant(operator, input, freshKey()));
    const { tenantId } = tenant;
    const more = (parts: Partial<NewInvitation> = {}) =>
      store.registry.inviteMember(operator, wanted(tenantId, { role: 'OWNER', ...parts }), freshKey());
    expect(codeOf(await more({ role: 'VIEWER' }))).toBe('NOT_FOUND tenantId');
    expect(codeOf(await more({ tenantId: PLATFORM_TENANT }))).toBe('NOT_FOUND tenantId');
    const second = valueOf(await more());
    expect(codeOf(await accept('pier owner', second.code!))).toBe('done');
    expect(codeOf(await more())).toBe('NOT_FOUND tenantId');
    // The first is still good: revoking it is the owner's.
    const owner = await scopeOf('pier owner');
    const [first] = (await store.registry.invitations(owner, tenantId, page)).items.slice(-1);
    expect(valueOf(await store.registry.revokeInvitation(owner, first!.id)).endedAt).not.toBeNull();
    expect(codeOf(await accept('another', code!))).toBe('NOT_FOUND invitationCode');
  });

  it('come once by a code that is shown once, and every other code gets the same answer', async () => {
    const { tenantId, scopes } = await tenantOf({ owner: 'OWNER' });
    const key = freshKey();
    const input = wanted(tenantId, { role: 'ANALYST', note: 'the bookkeeper' });
    const first = valueOf(await store.registry.inviteMember(scopes.owner!, input, key));
    const again = valueOf(await store.registry.inviteMember(scopes.owner!, input, key));
    expect(first.code).toMatch(/^[0-9A-Z-]{26,}$/);
    expect([again.invitation.id, again.code]).toEqual([first.invitation.id, null]);
    const stored = await store.cosmos.query('directory', membersOf(tenantId), 'SELECT * FROM c');
    expect(JSON.stringify(stored)).not.toContain(first.code!);
    expect(codeOf(await store.registry.inviteMember(scopes.owner!, { ...input, role: 'VIEWER' }, key))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );

    const typed = first.code!.toLowerCase().replaceAll('-', ' ');
    const two = await Promise.all([accept(`ann ${tenantId}`, typed), accept(`bob ${tenantId}`, typed)]);
    expect(two.map(codeOf).sort()).toEqual(['NOT_FOUND invitationCode', 'done']);
    const [winner, loser] = two[0]!.ok ? ['ann', 'bob'] : ['bob', 'ann'];
    expect(codeOf(await accept(`${winner} ${tenantId}`, typed))).toBe('done');
    const wrong = await accept(`${loser} ${tenantId}`, 'NO-SUCH-CODE');
    expect(await accept(`${loser} ${tenantId}`, typed)).toEqual(wrong);
    const revoked = await invite(scopes.owner!, tenantId);
    valueOf(await store.registry.revokeInvitation(scopes.owner!, revoked.invitation.id));
    expect(await accept(`${loser} ${tenantId}`, revoked.code)).toEqual(wrong);
    const old = await invite(scopes.owner!, tenantId);
    const over: InvitationDocument = { ...old.invitation, expiresAt: Date.now() - 1 };
    await store.cosmos.bulkUpsert('directory', [over]);
    expect(await accept(`${loser} ${tenantId}`, old.code)).toEqual(wrong);
    expect(Object.values(await standing(tenantId)).sort()).toEqual(['ANALYST', 'OWNER']);
  });

  it('cannot come twice, nor back by a code that they came by before', async () => {
    const { tenantId, scopes } = await tenantOf({ owner: 'OWNER' });
    const person = `carl ${tenantId}`;
    const first = await invite(scopes.owner!, tenantId);
    const second = await invite(scopes.owner!, tenantId, { role: 'OWNER' });
    expect(codeOf(await accept(person, first.code))).toBe('done');
    expect(codeOf(await accept(person, second.code))).toBe('WRONG_STATE');
    const who = { tenantId, personId: principal(person).id };
    expect(codeOf(await store.registry.removeMember(scopes.owner!, who))).toBe('done');
    expect(codeOf(await accept(person, first.code))).toBe('NOT_FOUND invitationCode');
    expect(codeOf(await accept(person, second.code))).toBe('done');
    expect((await standing(tenantId))[who.personId]).toBe('OWNER');
  });

  it('do not come to a tenant that is being erased', async () => {
    const { tenantId, scopes } = await tenantOf({ owner: 'OWNER' });
    const { code } = await invite(scopes.owner!, tenantId);
    await store.cosmos.bulkUpsert('directory', [
      { id: tenantId, key: ERASURES, kind: 'erasure', tenantId, at: Date.now() },
    ] as never);
    expect(codeOf(await accept(`dora ${tenantId}`, code))).toBe('NOT_FOUND invitationCode');
  });

  it('are invited, changed and removed by owners alone, and told so where they are seen', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({
      owner: 'OWNER',
      manager: 'MANAGER',
      viewer: 'VIEWER',
    });
    const { scopes: others } = await tenantOf({ owner: 'OWNER' });
    const tried = async (scope: TenantScope, id = tenantId) => {
      const who = { tenantId: id, personId: idOf('viewer') };
      return [
        codeOf(await store.registry.inviteMember(scope, wanted(id), freshKey())),
        codeOf(await store.registry.changeMemberRole(scope, { ...who, role: 'ANALYST', spaces: null })),
        codeOf(await store.registry.removeMember(scope, who)),
      ];
    };
    expect(await tried(scopes.manager!)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
    const nowhere = ['NOT_FOUND tenantId', 'NOT_FOUND tenantId', 'NOT_FOUND tenantId'];
    expect(await tried(others.owner!)).toEqual(nowhere);
    expect(await tried(scopes.owner!, 'ten_nowhere')).toEqual(nowhere);
    const { invitation } = await invite(scopes.owner!, tenantId);
    for (const scope of [scopes.manager!, others.owner!]) {
      expect(codeOf(await store.registry.revokeInvitation(scope, invitation.id))).toBe(
        'NOT_FOUND invitationId',
      );
      expect((await store.registry.members(scope, tenantId, page)).items).toEqual([]);
      expect((await store.registry.invitations(scope, tenantId, page)).items).toEqual([]);
    }
    const stranger = { tenantId, personId: principal('nobody at all').id };
    expect(codeOf(await store.registry.removeMember(scopes.owner!, stranger))).toBe('NOT_FOUND personId');
    const change = { ...stranger, role: 'OWNER' as const, spaces: null };
    expect(codeOf(await store.registry.changeMemberRole(scopes.owner!, change))).toBe('NOT_FOUND personId');
    // Whoever asks for themselves where they are nobody.
    const self = { tenantId, personId: others.owner!.principal.id };
    expect(codeOf(await store.registry.removeMember(others.owner!, self))).toBe('NOT_FOUND personId');
    expect(await tried(scopes.owner!)).toEqual(['done', 'done', 'done']);
    expect(await actions(scopes.owner!, tenantId)).toEqual([
      'invitation.create',
      'invitation.create',
      'member.change',
      'member.remove',
    ]);
  });

  it('are told of to owners, with what they are called and where they live', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({ owner: 'OWNER', manager: 'MANAGER' });
    const spaces = await houseOf(tenantId, scopes.owner!);
    const { code } = await invite(scopes.owner!, tenantId, {
      spaces: [{ buildingId: spaces.buildingId, spaceIds: [spaces.level] }],
    });
    const resident = `erna ${tenantId}`;
    valueOf(await accept(resident, code));
    valueOf(await store.registry.removeMember(scopes.manager!, { tenantId, personId: idOf('manager') }));
    const found: unknown[] = [];
    for (let after: string | null = null; ;) {
      const { items, next } = await store.registry.members(scopes.owner!, tenantId, { first: 1, after });
      found.push(
        ...items.map(({ personId: id, role, resident: lives, displayName }) => [
          id,
          role,
          lives,
          displayName,
        ]),
      );
      if ((after = next) === null) break;
    }
    const lives = {
      role: 'VIEWER',
      spaces: [{ buildingId: spaces.buildingId, spaceIds: [spaces.level, spaces.room] }],
    };
    expect(found).toHaveLength(2);
    expect(found).toContainEqual([idOf('owner'), 'OWNER', undefined, null]);
    expect(found).toContainEqual([principal(resident).id, null, lives, `${resident}@example.org`]);
    const access = await store.registry.accessTo(
      scopes.owner!,
      { tenantId, buildingId: spaces.buildingId },
      page,
    );
    expect(access.items.map((each) => 'member' in each && each.member.key).sort()).toEqual(
      [`person:${idOf('owner')}`, `person:${principal(resident).id}`].sort(),
    );
    const [invitation] = (await store.registry.invitations(scopes.owner!, tenantId, page)).items;
    expect(invitation).toMatchObject({ acceptedBy: principal(resident).id, role: 'VIEWER' });
    // They see their rooms alone, and may go.
    const scope = await scopeOf(resident);
    expect(scope.entitlements).toMatchObject([{ tenantId, buildingId: spaces.buildingId, role: 'VIEWER' }]);
    expect(
      codeOf(await store.registry.removeMember(scope, { tenantId, personId: principal(resident).id })),
    ).toBe('done');
    expect((await scopeOf(resident)).entitlements).toEqual([]);
    expect((await store.registry.members(scopes.owner!, tenantId, page)).items).toHaveLength(1);
    const gone = await store.cosmos.query(
      'directory',
      membersOf(tenantId),
      "SELECT * FROM c WHERE c.kind = 'member'",
    );
    expect(JSON.stringify(gone)).not.toContain('@example.org');
  });

  it('become residents and members again, in spaces that are the tenant’s alone', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({ owner: 'OWNER', viewer: 'VIEWER' });
    const { tenantId: otherId, scopes: others } = await tenantOf({ owner: 'OWNER' });
    const mine = await houseOf(tenantId, scopes.owner!);
    const theirs = await houseOf(otherId, others.owner!);
    const who = { tenantId, personId: idOf('viewer') };
    const change = async (role: string, spaces: NewInvitation['spaces']) =>
      codeOf(await store.registry.changeMemberRole(scopes.owner!, { ...who, role: role as never, spaces }));
    const { buildingId, room } = mine;
    expect(await change('VIEWER', [{ buildingId, spaceIds: [room] }])).toBe('done');
    expect((await scopeOf(`viewer ${tenantId}`)).entitlements).toMatchObject([
      { buildingId, spaceIds: [room], role: 'VIEWER' },
    ]);
    expect(await change('VIEWER', [{ buildingId, spaceIds: [room] }])).toBe('done');
    expect(await change('ANALYST', null)).toBe('done');
    expect((await standing(tenantId))[who.personId]).toBe('ANALYST');
    expect(await change('MANAGER', [{ buildingId, spaceIds: [room] }])).toBe('INVALID_INPUT role');
    expect(await change('OPERATOR', null)).toBe('INVALID_INPUT role');
    expect(await change('VIEWER', [])).toBe('INVALID_INPUT spaces');
    expect(await change('VIEWER', [{ buildingId, spaceIds: [] }])).toBe('INVALID_INPUT spaces.0.spaceIds');
    expect(await change('VIEWER', [{ buildingId, spaceIds: [theirs.room] }])).toBe(
      'NOT_FOUND spaces.0.spaceIds',
    );
    for (const foreign of [theirs.buildingId, 'bld_nowhere']) {
      const spaces = [{ buildingId: foreign, spaceIds: [theirs.room] }];
      expect(await change('VIEWER', spaces)).toBe('NOT_FOUND spaces.0.buildingId');
    }
    expect(await actions(scopes.owner!, tenantId)).toEqual(['member.change', 'member.change']);
  });

  it('always keep an owner, whoever goes or becomes less at the same time', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({ owner: 'OWNER', viewer: 'VIEWER' });
    const self = { tenantId, personId: idOf('owner') };
    const last = 'WRONG_STATE personId';
    expect(codeOf(await store.registry.removeMember(scopes.owner!, self))).toBe(last);
    const less = { ...self, role: 'MANAGER' as const, spaces: null };
    expect(codeOf(await store.registry.changeMemberRole(scopes.owner!, less))).toBe(last);
    const more = { tenantId, personId: idOf('viewer'), role: 'OWNER' as const, spaces: null };
    expect(codeOf(await store.registry.changeMemberRole(scopes.owner!, more))).toBe('done');
    expect(codeOf(await store.registry.changeMemberRole(scopes.owner!, less))).toBe('done');
    const viewer = { tenantId, personId: idOf('viewer') };
    expect(codeOf(await store.registry.removeMember(await scopeOf(`viewer ${tenantId}`), viewer))).toBe(last);
    expect(Object.values(await standing(tenantId)).sort()).toEqual(['MANAGER', 'OWNER']);
  });

  it('can do nothing once they are removed, also by a right of a moment ago', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({ stays: 'OWNER', goes: 'OWNER', friend: 'VIEWER' });
    const before = await invite(scopes.goes!, tenantId);
    const key = freshKey();
    const again = wanted(tenantId, { role: 'OWNER' });
    const shown = valueOf(await store.registry.inviteMember(scopes.goes!, again, key));
    const { registry } = store;
    valueOf(await registry.removeMember(scopes.stays!, { tenantId, personId: idOf('goes') }));
    // Their scope is as it was.
    const tried = [
      await registry.inviteMember(scopes.goes!, wanted(tenantId, { role: 'OWNER' }), freshKey()),
      await registry.revokeInvitation(scopes.goes!, before.invitation.id),
      await registry.removeMember(scopes.goes!, { tenantId, personId: idOf('friend') }),
      await registry.changeMemberRole(scopes.goes!, {
        ...{ tenantId, personId: idOf('friend'), role: 'OWNER', spaces: null },
      }),
    ];
    expect(tried.map(codeOf)).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
    expect(Object.values(await standing(tenantId)).sort()).toEqual(['OWNER', 'VIEWER']);
    // What they invited to before stands until it is revoked, and is listed.
    const open = (await registry.invitations(scopes.stays!, tenantId, page)).items.map(({ id }) => id);
    expect(open).toContain(shown.invitation.id);
  });

  it.each([
    ['removes the other', (mine: string, theirs: string) => [mine, theirs], 'FORBIDDEN'],
    ['goes', (mine: string) => [mine, mine], 'WRONG_STATE personId'],
  ] as const)(
    'always keep an owner where each of two %s, wherever the one falls into the other',
    async (_what, who, refusal) => {
      const remove = (registry: Registry, by: TenantScope, tenantId: string, id: string) =>
        registry.removeMember(by, { tenantId, personId: id });
      const { length: calls } = await callsOf(async (registry) => {
        const { tenantId, scopes, idOf } = await tenantOf({ one: 'OWNER', two: 'OWNER' });
        valueOf(await remove(registry, scopes.one!, tenantId, idOf('two')));
      });
      expect(calls).toBeGreaterThan(8);
      for (let at = 1; at <= calls; at++) {
        const { tenantId, scopes, idOf } = await tenantOf({ one: 'OWNER', two: 'OWNER' });
        const [one, two] = [idOf('one'), idOf('two')];
        let meanwhile: Outcome<unknown> | undefined;
        const between = pausing(store.cosmos, at, async () => {
          meanwhile = await remove(another(), scopes.two!, tenantId, who(two, one)[1]!);
        });
        const mine = await remove(another(between), scopes.one!, tenantId, who(one, two)[1]!);
        // Whoever is decided first has done it, and the other has not.
        expect([at, [mine, meanwhile!].map(codeOf).sort()]).toEqual([at, [refusal, 'done']]);
        expect([at, Object.values(await standing(tenantId))]).toEqual([at, ['OWNER']]);
      }
    },
  );

  it('always keep an owner and never two opinions, whatever several processes do at once', async () => {
    const names = ['a', 'b', 'c'];
    const step = fc.record({
      by: fc.constantFrom(...names),
      of: fc.constantFrom(...names),
      what: fc.constantFrom('remove', 'OWNER', 'VIEWER', 'invite'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        const { tenantId, scopes, idOf } = await tenantOf({ a: 'OWNER', b: 'OWNER', c: 'VIEWER' });
        const codes = await Promise.all(
          names.map(() => invite(scopes.a!, tenantId, { role: 'OWNER' }).then(({ code }) => code)),
        );
        await Promise.all(
          steps.map(async ({ by, of, what }) => {
            const registry = another();
            const who = { tenantId, personId: idOf(of) };
            if (what === 'remove') return registry.removeMember(scopes[by]!, who);
            if (what === 'invite') {
              return registry.acceptInvitation(scopes[of]!, codes[names.indexOf(by)]!, freshKey());
            }
            const change = { ...who, role: what as 'OWNER' | 'VIEWER', spaces: null };
            return registry.changeMemberRole(scopes[by]!, change);
          }),
        );
        expect(Object.values(await standing(tenantId))).toContain('OWNER');
      }),
      { numRuns: 6 },
    );
    expect(await store.cosmos.query('directory', PENDING, 'SELECT * FROM c')).toEqual([]);
  });

  it('are what was decided wherever an acceptance, a change and a removal break off, once somebody goes on', async () => {
    const life = async (
      registry: Registry,
      tenantId: string,
      owner: TenantScope,
      person: string,
      code: string,
    ) => {
      const who = { tenantId, personId: principal(person).id };
      valueOf(await registry.acceptInvitation(await scopeOf(person), code, `life ${tenantId}`));
      valueOf(await registry.changeMemberRole(owner, { ...who, role: 'MANAGER', spaces: null }));
      valueOf(await registry.removeMember(owner, who));
    };
    const begin = async () => {
      const { tenantId, scopes } = await tenantOf({ owner: 'OWNER' });
      const { code } = await invite(scopes.owner!, tenantId);
      return { tenantId, owner: scopes.owner!, person: `fred ${tenantId}`, code };
    };
    const calls = await callsOf(async (registry) => {
      const { tenantId, owner, person, code } = await begin();
      await life(registry, tenantId, owner, person, code);
    });
    // What dies at a read leaves what the write before it has left.
    const writes = calls.flatMap((name, i) => (/^(batch|bulk)/.test(name) ? [i + 1] : []));
    expect(writes.length).toBeGreaterThan(10);
    for (const broken of writes) {
      const { tenantId, owner, person, code } = await begin();
      const cosmos = tapped(store.cosmos, {
        after: (call) => {
          if (call === broken) throw new Error('the process dies');
        },
      });
      await life(another(cosmos), tenantId, owner, person, code).catch(() => undefined);
      // The sweep brings the right to what was decided, without anybody's asking.
      const swept = await store.registry.settleMemberships({ olderThanMs: -1_000, limit: 100 });
      expect([broken, swept.failed]).toEqual([broken, []]);
      await standing(tenantId);
      // Whoever repeats the calls ends where they would have.
      const who = { tenantId, personId: principal(person).id };
      await store.registry.acceptInvitation(await scopeOf(person), code, `life ${tenantId}`);
      valueOf(await store.registry.removeMember(owner, who));
      expect([broken, await standing(tenantId)]).toEqual([broken, { [owner.principal.id]: 'OWNER' }]);
      expect((await actions(owner, tenantId)).filter((each) => each === 'member.join')).toHaveLength(1);
    }
    // Word of what broke off a moment ago stays, for what may be decided only now; later it goes.
    const left = await store.cosmos.query<{ id: string }>('directory', PENDING, 'SELECT * FROM c');
    expect(left.length).toBeGreaterThan(0);
    await store.cosmos.bulkUpsert(
      'directory',
      left.map((each) => ({ ...each, at: Date.now() - 120_000 })),
    );
    await store.registry.settleMemberships({ olderThanMs: 60_000, limit: 1_000 });
    expect(await store.cosmos.query('directory', PENDING, 'SELECT * FROM c')).toEqual([]);
  });

  it('are created with their tenant once, wherever its creation breaks off', async () => {
    const input = { name: 'Broken', note: null, expiresInMs: 3_600_000 };
    const { length: calls } = await callsOf(async (registry) => {
      valueOf(await registry.createTenant(operator, input, freshKey()));
    });
    for (let broken = 1; broken <= calls; broken++) {
      const key = freshKey();
      const cosmos = tapped(store.cosmos, {
        after: (call) => {
          if (call === broken) throw new Error('the process dies');
        },
      });
      await another(cosmos)
        .createTenant(operator, input, key)
        .catch(() => undefined);
      const { tenant, code } = valueOf(await store.registry.createTenant(operator, input, key));
      // Where the code was lost with the answer, another invitation is made.
      const good =
        code ??
        valueOf(
          await store.registry.inviteMember(operator, wanted(tenant.tenantId, { role: 'OWNER' }), freshKey()),
        ).code!;
      expect([broken, codeOf(await accept(`grete ${broken}`, good))]).toEqual([broken, 'done']);
      const log = await actions(await scopeOf(`grete ${broken}`), tenant.tenantId);
      expect(log.filter((each) => each === 'tenant.create')).toHaveLength(1);
    }
  });

  it('of an earlier release, which wrote memberships alone, keep an owner and can be changed', async () => {
    const tenantId = 'ten_earlier';
    const people = { owner: 'OWNER', viewer: 'VIEWER' } as const;
    const idOf = (name: string): string => personId('https://identity.test', `${name} earlier`);
    for (const [name, role] of Object.entries(people)) {
      await store.cosmos.bulkUpsert('directory', [
        { id: tenantId, key: `person:${idOf(name)}`, kind: 'membership', tenantId, role },
        { id: idOf(name), key: membersOf(tenantId), kind: 'member', tenantId },
      ] as never);
    }
    const owner = await scopeOf('owner earlier');
    expect((await store.registry.members(owner, tenantId, page)).items).toHaveLength(2);
    const self = { tenantId, personId: idOf('owner') };
    expect(codeOf(await store.registry.removeMember(owner, self))).toBe('WRONG_STATE personId');
    const change = { tenantId, personId: idOf('viewer'), role: 'OWNER' as const, spaces: null };
    expect(codeOf(await store.registry.changeMemberRole(owner, change))).toBe('done');
    expect(codeOf(await store.registry.removeMember(owner, self))).toBe('done');
    expect((await scopeOf('owner earlier')).entitlements).toEqual([]);
    expect((await scopeOf('viewer earlier')).entitlements).toMatchObject([{ role: 'OWNER' }]);
  });

  it('who run the platform belong to no tenant, and have what is shared with them for a week at most', async () => {
    const { tenantId, scopes } = await tenantOf({ owner: 'OWNER' });
    const { code } = await invite(scopes.owner!, tenantId);
    expect(codeOf(await accept('operator', code))).toBe('FORBIDDEN');
    const issuer = 'https://identity.test';
    const make = async (subject: string, is = true) =>
      codeOf(await store.registry.setOperator({ issuer, subject }, is));
    expect(await make(`owner ${tenantId}`)).toBe('WRONG_STATE');

    const { buildingId } = await houseOf(tenantId, scopes.owner!);
    const offer = async (until: number | null) => {
      const shared = {
        ...({ buildingId, spaceId: null, quantities: null, role: 'ANALYST', to: 'PERSON' } as const),
        ...{ until, note: null, expiresInMs: 3_600_000 },
      };
      return valueOf(await store.registry.offerGrant(scopes.owner!, shared, freshKey())).code!;
    };
    const take = async (name: string, grantCode: string) =>
      codeOf(
        await store.registry.acceptGrant(
          await scopeOf(name),
          { code: grantCode, tenantId: null },
          freshKey(),
        ),
      );
    const day = 86_400_000;
    const endless = await offer(null);
    expect(await take('operator', endless)).toBe('INVALID_INPUT grantCode');
    expect(await take('operator', await offer(Date.now() + 8 * day))).toBe('INVALID_INPUT grantCode');
    expect(await take('operator', await offer(Date.now() + 6 * day))).toBe('done');
    expect(await actions(scopes.owner!, tenantId)).toContain('grant.accept');
    expect(await take(`hans ${tenantId}`, endless)).toBe('done');
    expect(await make(`hans ${tenantId}`)).toBe('WRONG_STATE');

    expect(await make('second operator')).toBe('done');
    expect(await make('second operator')).toBe('done');
    expect((await scopeOf('second operator')).entitlements).toMatchObject([
      { tenantId: PLATFORM_TENANT, role: 'OPERATOR' },
    ]);
    expect(await make('second operator', false)).toBe('done');
    expect((await scopeOf('second operator')).entitlements).toEqual([]);
  });

  it('lose their rights in every replica within two seconds', async () => {
    const { tenantId, scopes, idOf } = await tenantOf({ owner: 'OWNER', gone: 'MANAGER', less: 'MANAGER' });
    const replicas = [1, 2].map(() => createMemberships({ cosmos: store.anotherCosmos(), logger }));
    for (const each of replicas) await each.start();
    try {
      const rolesIn = async (name: string, replica: (typeof replicas)[number]) =>
        (await replica.of(idOf(name))).map(({ role }) => role);
      for (const each of replicas) {
        expect([await rolesIn('gone', each), await rolesIn('less', each)]).toEqual([
          ['MANAGER'],
          ['MANAGER'],
        ]);
      }
      const taken = startOwnTime();
      valueOf(await store.registry.removeMember(scopes.owner!, { tenantId, personId: idOf('gone') }));
      const change = { tenantId, personId: idOf('less'), role: 'VIEWER' as const, spaces: null };
      valueOf(await store.registry.changeMemberRole(scopes.owner!, change));
      for (const each of replicas) {
        await eventually(
          async () =>
            expect([await rolesIn('gone', each), await rolesIn('less', each)]).toEqual([[], ['VIEWER']]),
          { every: 10 },
        );
      }
      expect(taken()).toBeLessThan(2_000);
    } finally {
      for (const each of replicas) await each.stop();
    }
  });

  /** The store calls that some work makes. */
  async function callsOf(work: (registry: Registry) => Promise<void>): Promise<string[]> {
    const calls: string[] = [];
    await work(another(tapped(store.cosmos, { before: (_, name) => void calls.push(name) })));
    return calls;
  }

  async function houseOf(tenantId: string, owner: TenantScope) {
    const { building, spaces } = valueOf(
      await store.registry.createBuilding(
        owner,
        {
          ...{ tenantId, name: 'House', timeZone: 'UTC' },
          spaces: [
            { name: 'Level', kind: 'LEVEL', parent: null },
            { name: 'Room', kind: 'ROOM', parent: 0 },
            { name: 'Elsewhere', kind: 'LEVEL', parent: null },
          ],
        },
        freshKey(),
      ),
    );
    return { buildingId: building.id, level: spaces[0]!.id, room: spaces[1]!.id };
  }
});

/** The store, in which somebody else does something before the call of that number. */
function pausing(cosmos: Cosmos, at: number, meanwhile: () => Promise<void>): Cosmos {
  let calls = 0;
  const wait =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (++calls === at) await meanwhile();
      return method(...args);
    };
  return {
    ...cosmos,
    read: wait(cosmos.read) as Cosmos['read'],
    readMany: wait(cosmos.readMany) as Cosmos['readMany'],
    query: wait(cosmos.query.bind(cosmos)) as Cosmos['query'],
    batch: wait(cosmos.batch),
    bulkUpsert: wait(cosmos.bulkUpsert),
    bulkCreate: wait(cosmos.bulkCreate),
  };
}
