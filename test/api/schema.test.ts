import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema, type GraphQLObjectType } from 'graphql';
import { enforceRules } from '../../src/api/rules';
import { refusedChanges } from '../../src/api/schema-changes';
import { checkSchema } from '../../src/api/schema-check';
import { schemaFolder } from '../../src/api/schema-file';
import { createSchema } from '../../src/resolvers/schema';

describe('the schema', () => {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-schema-'));
  beforeEach(() => cpSync(schemaFolder(), folder, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const check = (options: { write?: boolean } = {}) =>
    checkSchema({ folder, write: options.write ?? false, release: false });

  it('is the committed one, described, ruled, unbroken, and fits every documented operation', () => {
    expect(check()).toEqual([]);
  });

  it('is refused at the start where a field names no rule', () => {
    const schema = createSchema();
    const field = (schema.getType('Device') as GraphQLObjectType).getFields()['serialNumber']!;
    field.extensions = {};
    expect(() => enforceRules(schema)).toThrow(/Device\.serialNumber/);
  });

  it('is refused where the committed file is not what the resolvers emit, until it is written', () => {
    const path = join(folder, 'schema.graphql');
    writeFileSync(path, `${readFileSync(path, 'utf8')}\ntype Stray { id: ID }\n`);
    expect(check()).toEqual([expect.stringContaining('is not what the resolvers emit')]);
    expect(check({ write: true })).toEqual([]);
    expect(check()).toEqual([]);
  });

  it('is refused where a documented operation does not fit', () => {
    writeFileSync(join(folder, 'operations', 'Stray.graphql'), 'query Stray { viewer { shoeSize } }');
    expect(check()).toEqual([expect.stringContaining('Stray.graphql: Cannot query field "shoeSize"')]);
    rmSync(join(folder, 'operations', 'Stray.graphql'));
  });

  it('is refused where it breaks what was released, naming what', () => {
    const path = join(folder, 'released.graphql');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('type Viewer {', 'type Viewer {\n  shoeSize: Int\n'),
    );
    expect(check()).toEqual([expect.stringContaining('Viewer.shoeSize was removed')]);
  });

  it('may lose what was released as deprecated, and nothing else', () => {
    const released = buildSchema(`
      type Query { old(x: Int @deprecated, y: Int): Int @deprecated(reason: "2026-01-01") kept(x: Int @deprecated, y: Int): Size }
      enum Size { SMALL LARGE @deprecated HUGE }
      input Filter { old: Int @deprecated kept: Int }
    `);
    const without = (text: string) =>
      refusedChanges(released, buildSchema(text)).map(({ description }) => description);
    const filter = 'input Filter { kept: Int }';
    expect(without(`type Query { kept(y: Int): Size } enum Size { SMALL HUGE } ${filter}`)).toEqual([]);
    expect(
      without(`type Query { kept(x: Int): Size } enum Size { SMALL } input Filter { old: Int }`),
    ).toEqual([
      'Query.kept arg y was removed.',
      'HUGE was removed from enum type Size.',
      'Filter.kept was removed.',
    ]);
  });
});
