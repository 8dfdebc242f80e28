import { type GraphQLSchema, type GraphQLObjectType, getOperationAST, parse } from 'graphql';
import { enforceRules } from '../../src/api/rules';
import { isShareable, sharingKey, startVariables } from '../../src/api/sharing';
import { createSchema } from '../../src/resolvers/schema';
import { eventually } from '../support/eventually';
import { ASKED, buildFanOut, DIFFERENT, entitled, type KeyParts } from './sharing.support';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Two subscribers that differ in one part: each must get what they would get alone. */
async function differsFor(part: keyof typeof DIFFERENT, keyOf: (parts: KeyParts) => string): Promise<void> {
  const alone: string[][] = [];
  for (const asked of [ASKED, DIFFERENT[part]]) {
    const house = buildFanOut(() => 'one');
    const { results } = await house.subscribe('per_alone', asked);
    await settled();
    house.tell(20);
    await eventually(() => expect(results.length).toBe(expectedOf(asked)), { every: 1 });
    alone.push(results);
  }
  const house = buildFanOut(keyOf);
  const together = [await house.subscribe('per_a', ASKED), await house.subscribe('per_b', DIFFERENT[part])];
  await settled();
  house.tell(20);
  await eventually(() => expect(together[0]!.results.length).toBe(2), { every: 1 });
  await settled();
  expect(together.map(({ results }) => results)).toEqual(alone);
}
const expectedOf = ({ quantity, quantities }: typeof ASKED): number =>
  quantity === undefined && quantities === null ? 2 : 1;

describe('a shared execution', () => {
  it('serves all who ask the same with the same rights, whoever they are, from one group and one listening', async () => {
    const house = buildFanOut(sharingKey);
    const all = await Promise.all(['a', 'b', 'c'].map((name) => house.subscribe(`per_${name}`, ASKED)));
    await settled();
    expect(house.fanOut.counts()).toEqual({ subscribers: 3, groups: 1 });
    expect(house.listening()).toBe(1);
    house.tell(20);
    await eventually(() =>
      expect(all.map(({ results }) => results)).toEqual(
        Array(3).fill([
          '{"data":{"buildingAverage":{"quantity":"AIR_TEMPERATURE","mean":20}}}',
          '{"data":{"buildingAverage":{"quantity":"CO2_LEVEL","mean":420}}}',
        ]),
      ),
    );
    for (const { leave } of all) leave();
    expect(house.fanOut.counts()).toEqual({ subscribers: 0, groups: 0 });
    await eventually(() => expect(house.listening()).toBe(0));
  });

  describe.each(Object.keys(DIFFERENT) as (keyof typeof DIFFERENT)[])('by another %s', (part) => {
    it('is another one', () => differsFor(part, sharingKey));

    it('would be noticed if it were the same', async () => {
      const leftOut = (parts: KeyParts): string => {
        const { operation } = parts;
        return sharingKey({
          ...parts,
          ...(part === 'source' ? { source: '' } : {}),
          ...(part === 'operation' ? { operation: { ...operation, name: undefined! } } : {}),
          ...(part === 'variables' ? { variables: {} } : {}),
          // The quantities that are asked for are part of the rights' text too.
          ...(part === 'rights' || part === 'variables' ? { rights: '' } : {}),
        });
      };
      await expect(differsFor(part, leftOut)).rejects.toThrow('toEqual');
    });
  });

  it('gives who comes later what was told before, once, and then what changes', async () => {
    const house = buildFanOut(sharingKey);
    const first = await house.subscribe('per_a', { ...ASKED, quantity: 'CO2_LEVEL' });
    await settled();
    house.tell(20);
    await eventually(() => expect(first.results).toHaveLength(1));
    const second = await house.subscribe('per_b', { ...ASKED, quantity: 'CO2_LEVEL' });
    await eventually(() => expect(second.results).toEqual(first.results));
    house.tell(21);
    await eventually(() => expect(first.results).toHaveLength(2));
    expect(second.results).toEqual(first.results);
  });

  it('holds one text a quantity for a reader that takes nothing, the latest', async () => {
    const house = buildFanOut(sharingKey);
    const slow = await house.subscribe('per_slow', { ...ASKED, quantity: 'CO2_LEVEL' });
    const quick = await house.subscribe('per_quick', { ...ASKED, quantity: 'CO2_LEVEL' });
    slow.held = [];
    await settled();
    for (let mean = 1; mean <= 50; mean++) {
      house.tell(mean);
      await eventually(() => expect(quick.results).toHaveLength(mean), { every: 1 });
    }
    expect(slow.results).toEqual(quick.results.slice(0, 1));
    slow.held.splice(0).forEach((sent) => sent());
    expect(slow.results).toEqual([quick.results[0], quick.results[49]]);
  });

  it('is delivered less often, and ends for nobody, where the budget of deliveries is spent', async () => {
    const house = buildFanOut(sharingKey, { deliveriesPerSecond: 20 });
    const asked = { ...ASKED, quantity: 'CO2_LEVEL' as const };
    const all = await Promise.all(Array.from({ length: 10 }, (_, n) => house.subscribe(`per_${n}`, asked)));
    await settled();
    const from = Date.now();
    // Ten deliveries take half a second of the budget.
    for (let mean = 1; Date.now() - from < 1_000; mean++) {
      house.tell(mean);
      await settled();
    }
    house.tell(-1);
    await eventually(
      () => {
        for (const { results } of all) expect(results.at(-1)).toContain('"mean":399');
      },
      { every: 20 },
    );
    const allowed = 2 + Math.ceil((Date.now() - from) / 500);
    for (const { results, completed } of all) {
      expect(results.length).toBeLessThanOrEqual(allowed);
      expect(completed).toBe(false);
    }
  });

  it('loses who loses a right before the next delivery, and only them', async () => {
    const house = buildFanOut(sharingKey);
    const stays = await house.subscribe('per_stays', ASKED);
    const narrowed = await house.subscribe('per_narrowed', ASKED);
    const gone = await house.subscribe('per_gone', ASKED);
    await settled();
    house.tell(20);
    await eventually(() => expect(gone.results).toHaveLength(2));
    house.setRights('per_narrowed', [entitled(['CO2_LEVEL'])]);
    house.setRights('per_gone', []);
    house.tell(21);
    await eventually(() => expect(stays.results).toHaveLength(4));
    await eventually(() => expect(narrowed.results).toHaveLength(3));
    await settled();
    expect(narrowed.results[2]).toContain('"mean":421');
    expect([gone.results.length, gone.completed, stays.completed, narrowed.completed]).toEqual([
      2,
      true,
      false,
      false,
    ]);
    expect(house.fanOut.counts()).toEqual({ subscribers: 2, groups: 2 });
  });

  it('drops what waits for a slow reader when the right to it is lost', async () => {
    const house = buildFanOut(sharingKey);
    const slow = await house.subscribe('per_slow', ASKED);
    slow.held = [];
    await settled();
    house.tell(20);
    await eventually(() => expect(slow.results).toHaveLength(1));
    await settled();
    house.setRights('per_slow', [entitled(['AIR_TEMPERATURE'])]);
    slow.held.splice(0).forEach((sent) => sent());
    await settled();
    expect(slow.results.join()).not.toContain('CO2_LEVEL');
  });

  it('ends for whom a right ends by its date', async () => {
    const house = buildFanOut(sharingKey);
    const guest = await house.subscribe('per_guest', ASKED);
    await settled();
    house.setRights('per_guest', [entitled(null, Date.now() + 50)]);
    await eventually(() => expect(guest.completed).toBe(true), { every: 5 });
  });
});

describe('a variable that says where one subscriber begins', () => {
  const startOf = (source: string): string[] => {
    const document = parse(source);
    return startVariables(document, getOperationAST(document)!, ['after']);
  };

  it('is no part of what others share, unless it says something else too', () => {
    expect(
      startOf('subscription ($id: ID!, $c: String) { buildingAverage(building: $id, after: $c) { mean } }'),
    ).toEqual(['c']);
    expect(startOf('subscription ($c: String) { x(after: $c, name: $c) { mean } }')).toEqual([]);
    expect(
      startOf('subscription ($c: String) { x(after: $c) { ...F } } fragment F on T { of(name: $c) }'),
    ).toEqual([]);
    expect(startOf('subscription { x(after: "c") { mean } }')).toEqual([]);
  });
});

describe('only what is marked as independent of the principal', () => {
  const shareable = (schema: GraphQLSchema, source: string): boolean => {
    const document = parse(source);
    return isShareable(schema, document, getOperationAST(document)!);
  };
  const withFragments = `subscription ($id: ID!) { a: buildingAverage(building: $id) { __typename ...F ... { unit } } }
    fragment F on BuildingAverage { mean position { ...P } } fragment P on StreamPosition { sequence }`;

  it('is shared', () => {
    const schema = createSchema();
    expect(shareable(schema, withFragments)).toBe(true);
    expect(shareable(schema, '{ viewer { id } }')).toBe(false);
    for (const [type, field] of [
      ['Subscription', 'buildingAverage'],
      ['BuildingAverage', 'mean'],
      ['StreamPosition', 'sequence'],
    ] as const) {
      const unmarked = createSchema();
      const object = unmarked.getType(type) as GraphQLObjectType;
      object.getFields()[field]!.extensions = {};
      expect([field, shareable(unmarked, withFragments)]).toEqual([field, false]);
    }
  });

  it('has a rule that is so, or the API does not start', () => {
    const schema = createSchema();
    const fields = (schema.getType('Building') as GraphQLObjectType).getFields();
    fields['devices']!.extensions = { ...fields['devices']!.extensions, independent: true };
    expect(() => enforceRules(schema)).toThrow('Building.devices');
  });
});
