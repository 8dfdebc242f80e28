import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Schema, Type, types } from 'avsc';

/** The inner parts of avsc 5.7.9 that reading an array needs. */
interface Tap {
  buf: Buffer;
  pos: number;
  readLong(): number;
  skipLong(): void;
}
interface Readable {
  _read(tap: Tap): unknown;
}
type ForSchemaOptions = NonNullable<Parameters<typeof Type.forSchema>[1]>;

/** Loads one of `schema/telemetry/*.avsc`, found upward from this file, so that sources and builds share them. */
export function loadSchema(name: string): Type {
  let folder = __dirname;
  for (;;) {
    const path = join(folder, 'schema', 'telemetry', `${name}.avsc`);
    try {
      return Type.forSchema(JSON.parse(readFileSync(path, 'utf8')) as Schema, { typeHook: boundArrays });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      const parent = dirname(folder);
      if (parent === folder)
        throw new Error(`schema/telemetry/${name}.avsc is missing from this installation`);
      folder = parent;
    }
  }
}

/**
 * An array's length stands before its items, and avsc believes it: a few damaged bytes would have it make a billion items
 * and the process die of it, again at every start. Every item of ours takes a byte at least, so that a count beyond the
 * bytes that are left is refused before anything is made.
 */
class BoundedArrayType extends types.ArrayType {
  protected _read(tap: Tap): unknown[] {
    const items = this.itemsType as unknown as Readable;
    const read: unknown[] = [];
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) {
        // A negative count is followed by the block's size in bytes (Avro 1.11, "Arrays").
        count = -count;
        tap.skipLong();
      }
      if (!(count <= tap.buf.length - tap.pos)) {
        throw new RangeError(`an array of ${count} items in ${tap.buf.length - tap.pos} bytes`);
      }
      while (count-- > 0) read.push(items._read(tap));
    }
    return read;
  }
}

const boundArrays: ForSchemaOptions['typeHook'] = (schema, options) =>
  typeof schema === 'object' && 'type' in schema && schema.type === 'array'
    ? new BoundedArrayType(schema, options)
    : undefined;
