import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema, type GraphQLObjectType } from 'graphql';
import { enforceRules } from '../../src/api/rules';
import { deprecationProblems, refusedChanges } from '../../src/api/schema-changes';
import { checkSchema } from '../../src/api/schema-check';
import { schemaFolder } from '../../src/api/schema-file';
import { createSchema } from '../../src/resolvers/schema';

describe('the schema', () => {
  const folder = mkdtempSync(join(tmpdir(), 'atrium-schema-'));
  beforeEach(() => cpSync(schemaFolder(), folder, { recursive: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const check = (options: { write?: boolean } = {}) =>
    checkSchema({ folder, write: options.write ?? false, release: false, today: '2026-06-01' });

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

  const OVER = '@deprecated(reason: "Use kept. Removed after 2026-05-31.")';
  const NOT_OVER = '@deprecated(reason: "Use kept. Removed after 2026-06-01.")';
  const refused = (released: string, current: string): string[] =>
    refusedChanges(buildSchema(released), buildSchema(current), '2026-06-01').map(
      ({ description }) => description,
    );

  it('may lose what was released as deprecated once its day is past, and nothing else', () => {
    const released = `
      type Query { old(x: Int, y: Int): Int ${OVER} kept(x: Int ${OVER}, y: Int): Size }
      enum Size { SMALL LARGE ${OVER} HUGE }
      input Filter { old: Int ${OVER} kept: Int }
    `;
    const filter = 'input Filter { kept: Int }';
    expect(refused(released, `type Query { kept(y: Int): Size } enum Size { SMALL HUGE } ${filter}`)).toEqual(
      [],
    );
    expect(
      refused(released, `type Query { kept(x: Int): Size } enum Size { SMALL } input Filter { old: Int }`),
    ).toEqual([
      'Query.kept arg y was removed.',
      'HUGE was removed from enum type Size.',
      'Filter.kept was removed.',
    ]);
    const waiting = released.replaceAll(OVER, NOT_OVER);
    expect(refused(waiting, `type Query { kept(y: Int): Size } enum Size { SMALL HUGE } ${filter}`)).toEqual([
      'Query.old was removed.',
      'Query.kept arg x was removed.',
      'LARGE was removed from enum type Size.',
      'Filter.old was removed.',
    ]);
    // A reason without a day promises nothing that could be over.
    expect(refused('type Query { a: Int @deprecated b: Int }', 'type Query { b: Int }')).toEqual([
      'Query.a was removed.',
    ]);
  });

  it('may lose a type with all that leads to it', () => {
    const released = `type Query { a: Old ${OVER} kept: Int } type Old { id: ID old: Old ${OVER} }`;
    expect(refused(released, 'type Query { kept: Int }')).toEqual([]);
    const reached = `type Query { a: Old ${OVER} b: Old kept: Int } type Old { id: ID }`;
    expect(refused(reached, 'type Query { kept: Int }')).toEqual([
      'Old was removed.',
      'Query.b was removed.',
    ]);
    const member = `type Query { a: Old ${OVER} kept: Any } type Old { id: ID } type New { id: ID } union Any = Old | New`;
    expect(refused(member, 'type Query { kept: Any } type New { id: ID } union Any = New')).toEqual([
      'Old was removed.',
      'Old was removed from union type Any.',
    ]);
  });

  it('says of each deprecation what to use and until when, and takes no day back', () => {
    const problems = (reason: string, before?: string) =>
      deprecationProblems(
        before === undefined ? null : buildSchema(`type Query { a: Int @deprecated(reason: "${before}") }`),
        buildSchema(`type Query { a(x: Int): Int @deprecated(reason: "${reason}") }`),
      );
    expect(problems('Use b. Removed after 2027-06-01.')).toEqual([]);
    expect(problems('Use b.')).toEqual([
      "the deprecation of Query.a must say what to use instead and end with 'Removed after YYYY-MM-DD.'",
    ]);
    expect(problems('Use b. Removed after 2027-02-30.')[0]).toBe(
      'the deprecation of Query.a 2027-02-30 is no day',
    );
    expect(problems('Use b. Removed after 2027-06-01.', 'Use b. Removed after 2027-05-01.')).toEqual([]);
    expect(problems('Use b. Removed after 2027-06-01.', 'Use b. Removed after 2027-07-01.')).toEqual([
      'Query.a was released as served until 2027-07-01: its last day may not come earlier',
    ]);
  });
});
