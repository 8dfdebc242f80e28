import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, parse, validate } from 'graphql';
import { DEFAULT_LIMITS } from '../../src/api/limits';

const root = join(__dirname, '..', '..');
const guide = readFileSync(join(root, 'docs', 'graphql.md'), 'utf8');

describe('the page for integrators', () => {
  it('shows documents that fit the schema', () => {
    const schema = buildSchema(readFileSync(join(root, 'schema', 'schema.graphql'), 'utf8'));
    const documents = [...guide.matchAll(/```graphql\n([^]*?)```/g)].map(([, document]) => document!);
    expect(documents.length).toBeGreaterThanOrEqual(3);
    for (const document of documents) expect(validate(schema, parse(document))).toEqual([]);
  });

  it('names the limits that hold', () => {
    const { depth, aliases, tokens, objects } = DEFAULT_LIMITS;
    const said = `${depth} fields deep, hold ${aliases} aliases and ${tokens.toLocaleString('en')} tokens, and ask for at most ${objects.toLocaleString('en')} objects`;
    expect(guide.replaceAll(/\s+/g, ' ')).toContain(said);
  });
});
