import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildSchema,
  type GraphQLSchema,
  isInputObjectType,
  isIntrospectionType,
  isSpecifiedScalarType,
  parse,
  validate,
} from 'graphql';
import { createSchema } from '../resolvers/schema';
import { fieldsWithoutRule, schemaFields } from './rules';
import { deprecationProblems, refusedChanges } from './schema-changes';
import { schemaFolder, schemaText } from './schema-file';

/**
 * `npm run schema:check`: the committed schema is the one the resolvers emit, every field names its rule and describes
 * itself, every documented operation fits, every deprecation has its day, and nothing that was released is broken before. With `--write` the committed schema is
 * written; with `--release` it becomes the released one (at a version of the changelog).
 *
 * Needs no running service.
 */
export function checkSchema(options: {
  folder: string;
  write: boolean;
  release: boolean;
  /** `YYYY-MM-DD`, UTC. */
  today: string;
}): string[] {
  const schema = createSchema();
  const text = schemaText(schema);
  const path = join(options.folder, 'schema.graphql');
  const releasedPath = join(options.folder, 'released.graphql');
  const faults = [
    ...fieldsWithoutRule(schema).map((field) => `${field} names no rule: add @Visible(...)`),
    ...undescribed(schema).map((name) => `${name} has no description`),
    ...unfitOperations(schema, join(options.folder, 'operations')),
  ];
  const released = existsSync(releasedPath) ? buildSchema(readFileSync(releasedPath, 'utf8')) : null;
  const current = buildSchema(text);
  faults.push(...deprecationProblems(released, current));
  if (released !== null) {
    faults.push(
      ...refusedChanges(released, current, options.today).map(
        ({ description }) =>
          `breaks clients of the released schema: ${description} Release it as deprecated first, and wait for its day.`,
      ),
    );
  }
  if (options.write) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    faults.push('schema/schema.graphql is not what the resolvers emit: run npm run schema:check -- --write');
  }
  if (options.release && faults.length === 0) writeFileSync(releasedPath, text);
  return faults;
}

function undescribed(schema: GraphQLSchema): string[] {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) =>
      !isIntrospectionType(type) &&
      !isSpecifiedScalarType(type) &&
      !['Query', 'Mutation', 'Subscription'].includes(type.name),
  );
  return [
    ...types.filter((type) => !type.description).map((type) => type.name),
    ...types.filter(isInputObjectType).flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => !field.description)
        .map((field) => `${type.name}.${field.name}`),
    ),
    ...schemaFields(schema).flatMap(({ name, field }) => [
      ...(field.description ? [] : [name]),
      ...field.args.filter((each) => !each.description).map((each) => `${name}(${each.name})`),
    ]),
  ];
}

function unfitOperations(schema: GraphQLSchema, folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .flatMap((file) =>
      validate(schema, parse(readFileSync(join(folder, file), 'utf8'))).map(
        (error) => `schema/operations/${file}: ${error.message}`,
      ),
    );
}

if (require.main === module) {
  const faults = checkSchema({
    folder: schemaFolder(),
    write: process.argv.includes('--write'),
    release: process.argv.includes('--release'),
    today: new Date().toISOString().slice(0, 10),
  });
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
