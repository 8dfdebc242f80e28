import {
  Binary,
  type Data,
  DataType,
  Dictionary,
  Int32,
  makeData,
  tableFromIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import { readParquet } from 'parquet-wasm';
import { encodeParquet, type ParquetColumn, validity } from '../parquet';

/** Columns that are best kept as differences from row to row, in files of the landing. */
const DELTA = new Set(['sequence', 'row', 'enqueued_at', 'observed_at', 'received_at']);
/** Of the dead letters: these are not sorted, and may be missing. */
const SPARSE_IN_DEAD_LETTERS = new Set(['observed_at', 'received_at']);
/** Greater than any file of the landing: its rows then arrive in one piece. */
const WHOLE = 4_000_000;

/**
 * A landing file, or its dead letters, without the rows of some tenants; null where it holds none of theirs. The other
 * rows stay as they were, each with its sequence and its place in its event, so that they are the same readings as before.
 * The texts that only the rows left out had are in no dictionary any more.
 *
 * @param metadata for inside the file, by how many rows are left.
 * @throws where it is no Parquet file with a column `tenant_id`.
 */
export function withoutTenants(
  content: Uint8Array,
  isErased: (tenantId: string) => boolean,
  metadata: (rows: number) => Record<string, string>,
): { content: Buffer; rows: number; removed: number } | null {
  const owners = tableFromIPC(
    readParquet(content, { columns: ['tenant_id'], batchSize: WHOLE }).intoIPCStream(),
  );
  const owner = owners.getChild('tenant_id') as Vector | null;
  if (owner === null) throw new Error('it has no column tenant_id');
  const kept = keptRows(owner, isErased);
  if (kept.length === owners.numRows) return null;
  const table = tableFromIPC(readParquet(content, { batchSize: WHOLE }).intoIPCStream());
  const isDeadLetters = table.getChild('code') !== null;
  const columns = table.schema.fields.map(({ name, nullable }): ParquetColumn => {
    const delta = DELTA.has(name) && !(isDeadLetters && SPARSE_IN_DEAD_LETTERS.has(name));
    return { name, nullable, delta, data: pick(table.getChild(name)!, kept) };
  });
  return {
    content: encodeParquet(columns, kept.length, metadata(kept.length)),
    rows: kept.length,
    removed: table.numRows - kept.length,
  };
}

function keptRows(owner: Vector, isErased: (tenantId: string) => boolean): Int32Array {
  const kept = new Int32Array(owner.length);
  const judged = new Map<string, boolean>();
  let count = 0;
  for (let row = 0; row < owner.length; row++) {
    const tenantId = owner.get(row) as string;
    let erased = judged.get(tenantId);
    if (erased === undefined) judged.set(tenantId, (erased = isErased(tenantId)));
    if (!erased) kept[count++] = row;
  }
  return kept.subarray(0, count);
}

/** The column with these rows alone. */
function pick(column: Vector, kept: Int32Array): Data {
  const { type } = column;
  const nulls = nullsOf(column, kept);
  if (DataType.isDictionary(type) || DataType.isUtf8(type)) {
    const values = Array.from(kept, (row) => column.get(row) as string | null);
    // Texts of which each may be another, as dead letters', are no dictionary.
    if (DataType.isUtf8(type)) return vectorFromArray(values, new Utf8()).data[0]!;
    const texts = [...new Set(values.filter((each) => each !== null))];
    const numbers = new Map(texts.map((text, index) => [text, index]));
    return makeData({
      type: new Dictionary(new Utf8(), new Int32()),
      length: kept.length,
      ...nulls,
      data: Int32Array.from(values, (each) => (each === null ? 0 : numbers.get(each)!)),
      dictionary: vectorFromArray(texts.length === 0 ? [''] : texts, new Utf8()),
    });
  }
  if (DataType.isBinary(type)) {
    const values = Array.from(kept, (row) => column.get(row) as Uint8Array | null);
    return vectorFromArray(values, new Binary()).data[0]!;
  }
  const values = makeValues(column, kept.length);
  let chunk = 0;
  let begin = 0;
  for (let i = 0; i < kept.length; i++) {
    while (kept[i]! >= begin + column.data[chunk]!.length) begin += column.data[chunk++]!.length;
    values[i] = (column.data[chunk]!.values as typeof values)[kept[i]! - begin]!;
  }
  return makeData({ type, length: kept.length, ...nulls, data: values } as never);
}

type Values = BigInt64Array | Float64Array | Int32Array;

/** Of the kind that the column's own have, so that whole numbers of 64 bits are copied as they are. */
function makeValues(column: Vector, length: number): Values {
  const own = (column.data[0]?.values ?? new Float64Array(0)) as Values;
  return new (own.constructor as new (length: number) => Values)(length);
}

function nullsOf(column: Vector, kept: Int32Array): { nullCount: number; nullBitmap?: Uint8Array } {
  if (column.nullCount === 0) return { nullCount: 0 };
  const present: number[] = [];
  for (let i = 0; i < kept.length; i++) if (column.isValid(kept[i]!)) present.push(i);
  return validity(kept.length, present);
}
