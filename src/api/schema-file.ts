import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';

/** The folder `schema/` of this installation, found upward from this file, so that sources and builds share it. */
export function schemaFolder(): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'schema');
    if (existsSync(join(path, 'operations'))) return path;
    if (dirname(folder) === folder) throw new Error('the folder schema/ is missing from this installation');
  }
}

/** The schema as it is published and committed: sorted, so that its order tells of nothing and a diff of everything. */
export function schemaText(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
