import * as fc from 'fast-check';
import {
  execute,
  type ExecutionResult,
  GraphQLBoolean,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  parse,
  validate,
} from 'graphql';
import { createExecution } from '../../src/api/execution/execution';

/** How a field gives its value: at once or later, and what goes wrong. */
type How = 'value' | 'promise' | 'null' | 'later null' | 'throws' | 'rejects' | 'error' | 'wrong';

/** What a run answers of each field that is asked, in the order in which it is asked by anybody; then again from the start. */
interface World {
  hows: readonly How[];
  /** By `Type.field`: so that both executions see the same, whatever they resolve first. */
  of(field: string): How;
}

const wrongOf = (how: How): unknown => {
  if (how === 'null') return null;
  if (how === 'later null') return Promise.resolve(null);
  if (how === 'rejects') return Promise.reject(new Error('rejected'));
  if (how === 'error') return new Error('given');
  if (how === 'wrong') return 17;
  throw new Error('thrown');
};
const given = (world: World, field: string, value: () => unknown): unknown => {
  const how = world.of(field);
  if (how === 'value') return value();
  if (how === 'promise') return Promise.resolve().then(value);
  return wrongOf(how);
};

/** Objects, lists and leaves, each nullable and not, plain fields and resolved ones, an interface and a union. */
function schemaOf(): GraphQLSchema {
  const field = (type: GraphQLOutputType, name: string, value: () => unknown, args = {}) => ({
    type,
    args,
    resolve: (_source: unknown, _args: unknown, world: World) => given(world, name, value),
  });
  const required = <T extends GraphQLOutputType>(type: T): GraphQLOutputType =>
    new GraphQLNonNull(type as never);
  const named = new GraphQLInterfaceType({
    name: 'Named',
    fields: { name: { type: GraphQLString } },
    resolveType: (value: { kind: string }, world: World) => given(world, 'Named', () => value.kind) as string,
  });
  const fields = (prefix: string) => () => ({
    name: { type: GraphQLString },
    shout: {
      type: GraphQLString,
      args: { times: { type: GraphQLInt, defaultValue: 1 }, loud: { type: GraphQLBoolean } },
      resolve: (source: { name: string }, { times, loud }: { times: number; loud?: boolean }) =>
        `${source.name.repeat(times)}${loud ? '!' : ''}`,
    },
    leaf: field(GraphQLString, `${prefix}.leaf`, () => 'leaf'),
    leafAlways: field(required(GraphQLString), `${prefix}.leafAlways`, () => 'always'),
    one: field(thing, `${prefix}.one`, () => ({ kind: 'Thing', name: 'one' })),
    oneAlways: field(required(thing), `${prefix}.oneAlways`, () => ({ kind: 'Thing', name: 'always' })),
    many: field(new GraphQLList(thing), `${prefix}.many`, () => [
      { kind: 'Thing', name: 'a' },
      Promise.resolve({ kind: 'Thing', name: 'b' }),
      null,
    ]),
    manyAlways: field(required(new GraphQLList(required(other))), `${prefix}.manyAlways`, () => [
      { kind: 'Other', name: 'a' },
      { kind: 'Other', name: 'b' },
    ]),
    nested: field(new GraphQLList(new GraphQLList(required(GraphQLInt))), `${prefix}.nested`, () => [
      [1, 2],
      [3, null],
      null,
      [Promise.resolve(4)],
    ]),
    any: field(named, `${prefix}.any`, () => ({ kind: 'Other', name: 'any' })),
    either: field(required(either), `${prefix}.either`, () => ({ kind: 'Thing', name: 'either' })),
  });
  const is = (name: string) => (value: unknown, world: World) =>
    given(world, `${name}.is`, () => (value as { kind?: string }).kind === name) as boolean;
  const thing: GraphQLObjectType = new GraphQLObjectType({
    name: 'Thing',
    interfaces: [named],
    isTypeOf: is('Thing'),
    fields: fields('Thing'),
  });
  const other: GraphQLObjectType = new GraphQLObjectType({
    name: 'Other',
    interfaces: [named],
    fields: fields('Other'),
  });
  const either: GraphQLUnionType = new GraphQLUnionType({
    name: 'Either',
    types: [thing, other],
    resolveType: (value: { kind: string }) => value.kind,
  });
  const query = new GraphQLObjectType({ name: 'Query', fields: fields('Query') });
  return new GraphQLSchema({ query, types: [thing, other] });
}

const HOWS: How[] = ['value', 'promise', 'null', 'later null', 'throws', 'rejects', 'error', 'wrong'];
const OBJECTS = ['one', 'oneAlways', 'many', 'manyAlways', 'any', 'either'];

/** Selections that may overlap, by name and through fragments, and such as `@skip` and `@include` decide on. */
const selection = (depth: number): fc.Arbitrary<string> => {
  const leaf = fc.constantFrom(
    'leaf',
    'leafAlways',
    'nested',
    '__typename',
    'again: leaf',
    'shout',
    'loudly: shout(times: 2, loud: $flag)',
    'leaf @include(if: $flag)',
    'leafAlways @skip(if: $flag)',
    '...Common',
  );
  if (depth === 0) return leaf;
  const object = fc
    .record({
      name: fc.constantFrom(...OBJECTS),
      inner: fc.array(selection(depth - 1), { minLength: 1, maxLength: 3 }),
    })
    .map(({ name, inner }) => {
      const asked = inner.join(' ');
      return name === 'any' || name === 'either'
        ? `${name} { __typename ... on Thing { ${asked} } ... on Named { name } ... on Other { ${asked} } }`
        : `${name} { ${asked} }`;
    });
  return fc.oneof(leaf, object, object);
};

/** What a schema that contradicts itself is told, in fewer words than those of graphql-js. */
const textOf = (message: string): string =>
  /^(Abstract type "\w+"|Expected value of type "\w+"|Expected `\w+\.serialize)/.exec(message)?.[0] ??
  message;

/**
 * What is answered, and of the errors which nulls they explain: what went wrong below a null that spread upwards may be told
 * or not, and of several only the first. An error at the very value that is null is told by both, word for word.
 */
function comparable({ data, errors = [] }: ExecutionResult) {
  const told = errors.map(({ message, path = [], locations }) => {
    let at: unknown = data;
    const reached: (string | number)[] = [];
    for (const key of path) {
      if (at === null || at === undefined) break;
      reached.push(key);
      at = (at as Record<string | number, unknown>)[key];
    }
    return {
      at: reached.join('.'),
      exact: reached.length === path.length,
      message: textOf(message),
      locations,
    };
  });
  return {
    data: JSON.stringify(data),
    explained: [...new Set(told.map(({ at }) => at))].sort(),
    exact: told
      .filter(({ exact }) => exact)
      .map((each) => JSON.stringify(each))
      .sort(),
  };
}

describe('a compiled query', () => {
  const schema = schemaOf();
  const worldOf = (hows: readonly How[]): World => ({
    hows,
    of: (field) => hows[[...field].reduce((sum, each) => sum * 31 + each.charCodeAt(0), 7) % hows.length]!,
  });
  const compiled = async (query: string, world: World, variableValues = {}): Promise<ExecutionResult> => {
    const { executeCompiled } = createExecution({ schema });
    const args = { schema, document: parse(query), contextValue: world, variableValues };
    // The first time a document is only noted.
    expect(executeCompiled(args)).toBeUndefined();
    return (await executeCompiled(args))!;
  };

  it('answers as graphql-js does whatever fields give, and says the same of what goes wrong', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(selection(3), { minLength: 1, maxLength: 4 }),
        fc.array(
          fc.oneof(
            { weight: 3, arbitrary: fc.constantFrom<How>('value', 'promise') },
            fc.constantFrom(...HOWS),
          ),
          {
            minLength: 1,
            maxLength: 12,
          },
        ),
        fc.boolean(),
        async (asked, hows, flag) => {
          const query = `query Q($flag: Boolean!) { ${asked.join(' ')} }
            fragment Common on Named { name ... on Thing { leaf } }`;
          const document = parse(query);
          if (validate(schema, document).length > 0) return;
          compared++;
          const world = worldOf(hows);
          const variableValues = { flag };
          const expected = await execute({ schema, document, contextValue: world, variableValues });
          const found = await compiled(query, world, variableValues);
          expect(comparable(found)).toEqual(comparable(expected));
        },
      ),
      { numRuns: 100 },
    );
    expect(compared).toBeGreaterThan(30);
  });
});
