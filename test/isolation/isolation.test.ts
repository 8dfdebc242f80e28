import { ruleOf, schemaFields } from '../../src/api/rules';
import { createSchema } from '../../src/resolvers/schema';
import { type OwnWorld, startWorld } from './in-process';
import { expected, observe, observeDownload, transportsOf } from './judging';
import { CASES, DOWNLOADS, ROLES, WITHOUT_TARGET } from './rights';
import { buildTenants, type Tenants } from './tenants';

describe('isolation of tenants', () => {
  let world: OwnWorld;
  let tenants: Tenants;
  beforeAll(async () => {
    world = await startWorld();
    tenants = await buildTenants(world);
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
