import { type Container } from '@azure/cosmos';
import fc from 'fast-check';
import { answer, type Filter, type Json, type ModelDocument, type ModelQuery, textOf } from './query-model';
import { buildEmulator } from './emulator';

const NAMES = ['a', 'b', 'c'];
const PATHS = [['a'], ['b'], ['c'], ['n', 'a'], ['n', 'b'], ['id'], ['none']];

/** Few values, so that documents and filters often meet; of every type, and texts that sort differently by UTF-16. */
const scalar: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    2.5,
    1e300,
    '',
    '1',
    'a',
    'A',
    'ab',
    'b',
    '\u{1F3E0}',
    '\uFF5E',
    'd1',
  ),
  fc.integer({ min: -3, max: 3 }),
);
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('x', 'y'), scalar, { maxKeys: 2 }) },
);

const content = fc.record(
  {
    ...(Object.fromEntries(NAMES.map((name) => [name, value])) as Record<string, fc.Arbitrary<Json>>),
    n: fc.oneof(value, fc.record({ a: value, b: value }, { requiredKeys: [] })),
  },
  { requiredKeys: [] },
);
const documents: fc.Arbitrary<ModelDocument[]> = fc
  .array(content, { maxLength: 25 })
  .map((list) => list.map((each, i) => ({ ...each, id: `d${i}` }) as ModelDocument));

const path = fc.constantFrom(...PATHS);
const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      is: fc.constant('compare' as const),
      path,
      operator: fc.constantFrom(
        '=' as const,
        '!=' as const,
        '<' as const,
        '<=' as const,
        '>' as const,
        '>=' as const,
      ),
      value,
      flipped: fc.boolean(),
    }),
    fc.record({
      is: fc.constant('in' as const),
      path,
      values: fc.array(value, { minLength: 1, maxLength: 4 }),
      not: fc.boolean(),
    }),
    fc.record({ is: fc.constant('between' as const), path, low: scalar, high: scalar, not: fc.boolean() }),
    fc.record({
      is: fc.constantFrom('defined' as const, 'null' as const, 'string' as const, 'number' as const),
      path,
    }),
    fc.record({
      is: fc.constant('starts' as const),
      path,
      prefix: fc.constantFrom('', 'a', 'A', 'd', 'd1', '\u{1F3E0}'),
    }),
    fc.record({ is: fc.constant('contains' as const), path, value }),
    fc.record({
      is: fc.constant('paths' as const),
      left: path,
      operator: fc.constantFrom('=' as const, '<' as const),
      right: path,
    }),
    fc.record({
      is: fc.constantFrom('and' as const, 'or' as const),
      left: tie('filter'),
      right: tie('filter'),
    }),
    fc.record({ is: fc.constant('not' as const), inner: tie('filter') }),
  ),
})).filter;

const query: fc.Arbitrary<ModelQuery> = fc.record(
  {
    filter,
    order: fc.record({ path, descending: fc.boolean() }),
    top: fc.integer({ min: 0, max: 8 }),
  },
  { requiredKeys: [] },
);

describe("The Cosmos stand-in's queries", () => {
  let container: Container;
  let stop: () => Promise<void>;
  let partitions = 0;
  beforeAll(async () => {
    ({ container, stop } = await buildEmulator());
  });
  afterAll(() => stop());

  /** Puts documents into a partition of their own; every second one is written twice, so that indexes see changes. */
  async function fill(list: ModelDocument[]): Promise<string> {
    partitions += 1;
    const pk = `run-${partitions}`;
    if (list.length > 0) {
      const { code } = await container.items.batch(
        [
          ...list.map((each, i) => ({
            operationType: 'Upsert' as const,
            resourceBody: {
              ...(i % 2 === 0 ? each : { id: each.id, a: 'before', n: { a: i } }),
              pk,
            } as never,
          })),
          ...list.flatMap((each, i) =>
            i % 2 === 0 ? [] : [{ operationType: 'Upsert' as const, resourceBody: { ...each, pk } as never }],
          ),
        ],
        pk,
      );
      expect(code).toBe(200);
    }
    return pk;
  }

  async function run(pk: string, asked: ModelQuery, maxItemCount: number): Promise<string[]> {
    const found: string[] = [];
    let continuationToken: string | undefined;
    do {
      const page = await container.items
        .query<string>(textOf(asked), { partitionKey: pk, maxItemCount, continuationToken })
        .fetchNext();
      found.push(...page.resources);
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
    return found;
  }

  test('equal a plain model, whatever the documents, filters, orders and pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.array(query, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 10 }),
        async (list, queries, size) => {
          const pk = await fill(list);
          for (const asked of queries) {
            const expected = answer(list, asked);
            const found = await run(pk, asked, size);
            if (asked.order) expect(found).toEqual(expected);
            else if (asked.top === undefined) expect(found.toSorted()).toEqual(expected.toSorted());
            else {
              // Without an order any of the matches may be the first.
              const whole = answer(list, { filter: asked.filter });
              expect(found).toHaveLength(Math.min(asked.top, whole.length));
              expect(new Set(found).size).toBe(found.length);
              expect(whole).toEqual(expect.arrayContaining(found));
            }
            const { resources } = await container.items
              .query<number>(
                {
                  ...textOf({ filter: asked.filter }),
                  query: textOf({ filter: asked.filter }).query.replace('VALUE c.id', 'VALUE COUNT(1)'),
                },
                { partitionKey: pk },
              )
              .fetchAll();
            expect(resources).toEqual([answer(list, { filter: asked.filter }).length]);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
