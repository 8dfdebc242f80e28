import { ruleOf, schemaFields } from '../../src/api/rules';
import { createCursors } from '../../src/resolvers/cursor';
import { createSchema } from '../../src/resolvers/schema';
import { type Person } from '../api/api.support';
import { judgeCursors, NOT_PAGED, PAGED } from './cursors';
import { type OwnWorld, startWorld } from './in-process';
import { ask, expected, observe, observeDownload, transportsOf } from './judging';
import { FOR_KEYS, PERMISSIONS, REACHED } from './key-rights';
import { createKeys, type Keys, minimalKeys } from './keys';
import { CASES, DOWNLOADS, type Rank, ROLES, WITHOUT_TARGET } from './rights';
import { buildTenants, type Tenants } from './tenants';

const UNSERVED: readonly Rank[] = ['VIEWER', 'ANALYST', 'OPERATOR', 'STRANGER'];
const NOT_SEEN: readonly string[] = ['nothing', 'NOT_FOUND', 'FORBIDDEN'];

describe('isolation of tenants', () => {
  let world: OwnWorld;
  let tenants: Tenants;
  let keys: Keys;
  beforeAll(async () => {
    world = await startWorld();
    tenants = await buildTenants(world);
    keys = createKeys(world, tenants.people.OWNER);
  });
  afterAll(() => world?.stop());

  describe.each(CASES)('$name', (each) => {
    it.each(ROLES)('for %s', async (rank) => {
      for (const transport of transportsOf(each)) {
        const of = (things: Tenants['north']) => observe(world, tenants, each, rank, things, transport);
        const own = await of(tenants.north);
        const foreign = await of(tenants.south);
        const absent = await of(tenants.unknown);
        expect({ own: own.verdict, foreign: foreign.verdict }).toEqual(expected(each, rank));
        expect(foreign.observed).toEqual(absent.observed);
      }
    });
  });

  describe.each(DOWNLOADS)('$name', (each) => {
    it.each(ROLES)('for %s', async (rank) => {
      const own = await observeDownload(world, tenants, each, rank, tenants.north);
      const foreign = await observeDownload(world, tenants, each, rank, tenants.south);
      const absent = await observeDownload(world, tenants, each, rank, tenants.unknown);
      expect([own.verdict, foreign.verdict]).toEqual([
        each.seen.includes(rank) ? 'seen' : 'NOT_FOUND',
        'NOT_FOUND',
      ]);
      expect(foreign.observed).toEqual(absent.observed);
    });
  });

  it.each(PAGED)('takes the cursors of $list from nobody but whom they were given to', async (each) => {
    expect((await judgeCursors(world, tenants, each)).differences).toEqual([]);
  });

  it('lets nobody go on with alerts from where somebody else was told', async () => {
    const after = async (who: Person, cursor: string | null) =>
      ask(
        world,
        who,
        `subscription ($id: ID!, $after: String) { alerts(buildingIds: [$id], after: $after) {
          __typename ... on AlertsCaughtUp { cursor } } }`,
        { id: tenants.north.building, after: cursor },
        'SSE',
      );
    const binding = { list: 'Subscription.alerts', arguments: [] };
    const cursors = createCursors({ key: Buffer.alloc(32, 3) });
    const of = (who: Person) => cursors.seal({ principalId: who.scope.principal.id, ...binding }, '');
    const { OWNER } = tenants.people;
    expect((await after(OWNER, of(OWNER))).errors).toBeUndefined();
    for (const other of [tenants.deputy, tenants.southOwner]) {
      const { errors } = await after(OWNER, of(other));
      expect(errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
    }
  });

  it('asks for every list that goes by cursors', () => {
    const lists = schemaFields(createSchema())
      .filter(({ field }) => field.args.some(({ name }) => name === 'after'))
      .map(({ name }) => name);
    expect([...PAGED.map(({ list }) => list), ...NOT_PAGED].sort()).toEqual(lists.sort());
  });

  describe.each(CASES)('$name', (each) => {
    it('for programs with keys', async () => {
      const groups = FOR_KEYS[each.name];
      const judge = (who: Person, rank: Rank, things: Tenants['north']) =>
        observe(
          world,
          { north: tenants.north, people: { ...tenants.people, [rank]: who } },
          each,
          rank,
          things,
        );
      const enough = groups === undefined ? [] : minimalKeys(groups);
      for (const [i, permissions] of enough.entries()) {
        // What those who may not have left of what can be had once by each role.
        const rank = UNSERVED[i % UNSERVED.length]!;
        const { verdict } = await judge(await keys.holding(permissions), rank, tenants.north);
        expect([permissions, verdict, REACHED]).toEqual([
          permissions,
          verdict,
          expect.arrayContaining([verdict]),
        ]);
      }
      const lacking = groups === undefined ? [[]] : groups;
      for (const left of lacking) {
        const rest = PERMISSIONS.filter((name) => !left.includes(name));
        const { verdict } = await judge(await keys.holding(rest), 'OWNER', tenants.north);
        expect([rest, verdict, NOT_SEEN]).toEqual([rest, verdict, expect.arrayContaining([verdict])]);
      }
      const all = await keys.holding(PERMISSIONS);
      const [foreign, absent] = [
        await judge(all, 'OPERATOR', tenants.south),
        await judge(all, 'OPERATOR', tenants.unknown),
      ];
      expect(NOT_SEEN).toContain(foreign.verdict);
      expect(foreign.observed).toEqual(absent.observed);
    });
  });

  it('shows a program nothing of what is shared with its tenant or its maker', async () => {
    const ask = (who: { token: string }) =>
      world.ask<{ buildings: { nodes: { tenant: { id: string } }[] } }, object>(
        who,
        '{ buildings(first: 200) { nodes { tenant { id } } } }',
      );
    const { data } = await ask(await keys.holding(PERMISSIONS));
    expect(new Set(data!.buildings.nodes.map(({ tenant }) => tenant.id))).toEqual(new Set([world.north]));
  });

  it('has a case for every operation and every field that needs a permission', () => {
    const covered = new Set([...CASES.flatMap(({ covers }) => covers), ...WITHOUT_TARGET]);
    const needing = schemaFields(createSchema())
      .filter(
        ({ name, field }) =>
          /^(Query|Mutation|Subscription)\./.test(name) || typeof ruleOf(field) === 'object',
      )
      .map(({ name }) => name);
    expect(needing.filter((name) => !covered.has(name))).toEqual([]);
    expect([...covered].filter((name) => !needing.includes(name))).toEqual([]);
  });

  it('asks for every kind of node by its id', () => {
    const schema = createSchema();
    const kinds = schema.getPossibleTypes(schema.getType('Node') as never).map(({ name }) => name);
    const asked = CASES.filter(({ covers }) => covers.includes('Query.node')).map(({ document }) => document);
    expect(kinds.filter((kind) => !asked.some((document) => document.includes(`... on ${kind} `)))).toEqual(
      [],
    );
  });

  it('lists to nobody what is not theirs', async () => {
    for (const rank of ROLES) {
      const { data } = await world.ask<{ buildings: { nodes: { tenant: { id: string } }[] } }, object>(
        tenants.people[rank],
        '{ buildings(first: 200) { nodes { tenant { id } } } }',
      );
      const owners = new Set(data!.buildings.nodes.map(({ tenant }) => tenant.id));
      // Beside their own what is shared with their tenant.
      const seen = ['OPERATOR', 'STRANGER'].includes(rank) ? [] : [world.north, `${world.north}_west`];
      expect([rank, [...owners].sort()]).toEqual([rank, seen]);
    }
  });
});
