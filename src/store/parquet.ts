import {
  type Data,
  Dictionary,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  TimestampMillisecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import {
  Compression,
  Encoding,
  Table as ParquetTable,
  writeParquet,
  WriterPropertiesBuilder,
  WriterVersion,
} from 'parquet-wasm';

/** One column of a file: its Arrow data, and whether it is best kept as differences from row to row. */
export interface ParquetColumn {
  name: string;
  data: Data;
  nullable?: boolean;
  delta?: boolean;
}

// Room for the ids of a file in one dictionary; behind the default of 1 MB a column falls back to whole strings.
const DICTIONARY_BYTES = 16 * 1024 * 1024;

/**
 * Encodes columns as one Parquet file: zstd, and what other engines read since Spark 3.5 and Hive 4: data pages of
 * version 1, dictionaries, plain values and differences (DELTA_BINARY_PACKED) as the only encodings, instants as INT64
 * milliseconds with UTC.
 *
 * @param rowGroupRows the most rows of a row group; a million when left out.
 */
export function encodeParquet(
  columns: readonly ParquetColumn[],
  rows: number,
  metadata: Record<string, string>,
  rowGroupRows?: number,
): Buffer {
  const fields = columns.map(({ name, data, nullable }) => new Field(name, data.type as DataType, nullable));
  const children = columns.map(({ data }) => data);
  const schema = new Schema(fields);
  const struct = makeData({ type: new Struct(fields), length: rows, nullCount: 0, children });
  const stream = tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'stream');
  let properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setWriterVersion(WriterVersion.V1)
    .setDictionaryPageSizeLimit(DICTIONARY_BYTES)
    .setCreatedBy('atrium')
    .setKeyValueMetadata(new Map(Object.entries(metadata)) as never);
  if (rowGroupRows !== undefined) properties = properties.setMaxRowGroupSize(rowGroupRows);
  for (const { name } of columns.filter(({ delta }) => delta)) {
    properties = properties
      .setColumnDictionaryEnabled(name, false)
      .setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
  }
  // Both arguments are handed over to the WebAssembly module, which frees them.
  return asBuffer(writeParquet(ParquetTable.fromIPCStream(stream), properties.build()));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whole numbers as INT64. */
export function int64(values: Float64Array): Data {
  return makeData({ type: new Int64(), length: values.length, nullCount: 0, data: toInt64(values) });
}

export function int32(values: Int32Array): Data {
  return makeData({ type: new Int32(), length: values.length, nullCount: 0, data: values });
}

export function float64(values: Float64Array): Data {
  return makeData({ type: new Float64(), length: values.length, nullCount: 0, data: values });
}

/** Milliseconds since 1970, with UTC. */
export function instants(values: Float64Array): Data {
  const type = new TimestampMillisecond('UTC');
  return makeData({ type, length: values.length, nullCount: 0, data: toInt64(values) });
}

/** Few distinct texts, by index. */
export function dictionary(texts: readonly string[], indexes: Int32Array): Data {
  return makeData({
    type: new Dictionary(new Utf8(), new Int32()),
    length: indexes.length,
    nullCount: 0,
    data: indexes,
    dictionary: vectorFromArray(texts.length === 0 ? [''] : texts, new Utf8()),
  });
}

/** Which rows of a sparse column hold a value. */
export function validity(
  rows: number,
  present: Iterable<number>,
): { nullCount: number; nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array(Math.ceil(rows / 64) * 8);
  let nullCount = rows;
  for (const row of present) {
    nullBitmap[row >> 3]! |= 1 << (row & 7);
    nullCount--;
  }
  return { nullCount, nullBitmap };
}

/** Values of some rows; null in the others. */
export function sparse(
  type: 'float64' | 'int32' | 'instant' | 'text',
  rows: number,
  values: ReadonlyMap<number, number | string>,
): Data {
  const nulls = { length: rows, ...validity(rows, values.keys()) };
  if (type === 'text') {
    const texts = [...new Set(values.values())] as string[];
    const numbers = new Map(texts.map((text, i) => [text, i]));
    const indexes = new Int32Array(rows);
    for (const [row, value] of values) indexes[row] = numbers.get(value as string)!;
    return makeData({
      type: new Dictionary(new Utf8(), new Int32()),
      data: indexes,
      dictionary: vectorFromArray(texts.length === 0 ? [''] : texts, new Utf8()),
      ...nulls,
    });
  }
  const dense = new Float64Array(rows);
  for (const [row, value] of values) dense[row] = value as number;
  if (type === 'float64') return makeData({ type: new Float64(), data: dense, ...nulls });
  if (type === 'int32') return makeData({ type: new Int32(), data: Int32Array.from(dense), ...nulls });
  return makeData({ type: new TimestampMillisecond('UTC'), data: toInt64(dense), ...nulls });
}

/** Exact for whole numbers; about ten times as fast as making a BigInt of each. */
function toInt64(values: Float64Array): BigInt64Array {
  const words = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const high = Math.floor(value / 0x1_0000_0000);
    words[2 * i] = value - high * 0x1_0000_0000;
    words[2 * i + 1] = high;
  }
  return new BigInt64Array(words.buffer);
}
