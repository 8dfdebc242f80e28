import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Schema, Type } from 'avsc';

/** Loads one of `schema/telemetry/*.avsc`, found upward from this file, so that sources and builds share them. */
export function loadSchema(name: string): Type {
  let folder = __dirname;
  for (;;) {
    const path = join(folder, 'schema', 'telemetry', `${name}.avsc`);
    try {
      return Type.forSchema(JSON.parse(readFileSync(path, 'utf8')) as Schema);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const parent = dirname(folder);
      if (parent === folder)
        throw new Error(`schema/telemetry/${name}.avsc is missing from this installation`);
      folder = parent;
    }
  }
}
