import { buildSchema, getIntrospectionQuery, getOperationAST, type GraphQLObjectType, parse } from 'graphql';
import { createIntrospection } from '../../src/api/introspection';

const schema = buildSchema('type Query { "What you are." you: String } type Other { no: Int }');

function resolved(type: string): () => number {
  let times = 0;
  const { name } = schema.getType(type) as GraphQLObjectType;
  Object.defineProperty(schema.getType(type), 'name', { get: () => (times++, name) });
  return () => times;
}

describe('questions about the schema', () => {
  const asked = (text: string, variables: object = {}, of = createIntrospection(schema)) => {
    const document = parse(text);
    return of.answer(document, getOperationAST(document)!, { ...variables });
  };

  it('are answered as by execution', () => {
    const { data } = asked(getIntrospectionQuery())!;
    expect(JSON.stringify(data)).toContain('What you are.');
    expect(asked('query ($of: String!) { __type(name: $of) { name } __typename }', { of: 'Other' })).toEqual({
      data: { __type: { name: 'Other' }, __typename: 'Query' },
    });
  });

  it('are resolved once for the same text and variables', () => {
    const times = resolved('Other');
    const introspection = createIntrospection(schema);
    const document = parse('query ($of: String!) { __type(name: $of) { name } }');
    const operation = getOperationAST(document)!;
    const first = introspection.answer(document, operation, { of: 'Other' });
    const after = times();
    expect(after).toBeGreaterThan(0);
    expect(introspection.answer(document, operation, { of: 'Other' })).toBe(first);
    expect(times()).toBe(after);
    expect(introspection.answer(document, operation, { of: 'Query' })).toEqual({
      data: { __type: { name: 'Query' } },
    });
  });

  it('are made into text once they are asked for again, with what else stands in their answer', () => {
    const introspection = createIntrospection(schema);
    const document = parse('{ __type(name: "Other") { name } }');
    const operation = getOperationAST(document)!;
    let serialised = 0;
    for (let times = 1; times <= 4; times++) {
      const result = introspection.answer(document, operation, {})!;
      if (times === 1) {
        const type = result.data!['__type'] as { name: string };
        Object.defineProperty(type, 'toJSON', { value: () => (serialised++, { name: 'Other' }) });
      }
      const extensions = times === 3 ? {} : { extensions: { times } };
      const text = introspection.textOf({ ...result, ...extensions });
      expect(JSON.parse(text)).toEqual({ data: { __type: { name: 'Other' } }, ...extensions });
    }
    expect(serialised).toBe(2);
    expect(introspection.textOf({ errors: [], data: null })).toBe('{"errors":[],"data":null}');
  });

  it('are left to execution where anything else is asked for with them', () => {
    expect(asked('{ you }')).toBeUndefined();
    expect(asked('{ __typename ...F } fragment F on Query { you }')).toBeUndefined();
    expect(asked('{ __schema { types { name } } you }')).toBeUndefined();
  });
});
