import { setImmediate } from 'node:timers/promises';
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
  type RecordBatch as WebAssemblyBatch,
  Table as ParquetTable,
  transformParquetStream,
  writeParquet,
  type WriterProperties,
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

export type TextType = Dictionary<Utf8, Int32>;

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
  // Both arguments are handed over to the WebAssembly module, which frees them.
  return asBuffer(
    writeParquet(
      inWebAssembly(columns, rows, schemaOf(columns)),
      propertiesOf(columns, metadata, rowGroupRows),
    ),
  );
}

/**
 * The same file, and never more than a piece of its columns in memory besides what is encoded already. Gives way to
 * whatever else waits between pieces.
 *
 * @param columnsOf the columns of so many rows from there on. Those of all pieces have the same names and the very same
 * types: dictionaries are made once (`dictionaryOf`).
 */
export async function encodeParquetInPieces(
  columnsOf: (from: number, rows: number) => readonly ParquetColumn[],
  rows: number,
  metadata: Record<string, string>,
  pieceRows: number,
): Promise<Buffer> {
  const columns = columnsOf(0, Math.min(rows, pieceRows));
  const schema = schemaOf(columns);
  let next = 0;
  const pieces = new ReadableStream<WebAssemblyBatch>(
    {
      async pull(controller) {
        if (next > 0) await setImmediate();
        const length = Math.min(rows - next, pieceRows);
        const table = inWebAssembly(next === 0 ? columns : columnsOf(next, length), length, schema);
        controller.enqueue(table.recordBatch(0)!);
        table.free();
        next += length;
        if (next >= rows) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  const encoded = (await transformParquetStream(
    pieces,
    propertiesOf(columns, metadata),
  )) as ReadableStream<Uint8Array>;
  const parts: Uint8Array[] = [];
  for await (const part of encoded) parts.push(part);
  return Buffer.concat(parts);
}

function schemaOf(columns: readonly ParquetColumn[]): Schema {
  return new Schema(
    columns.map(({ name, data, nullable }) => new Field(name, data.type as DataType, nullable)),
  );
}

function inWebAssembly(columns: readonly ParquetColumn[], rows: number, schema: Schema): ParquetTable {
  const children = columns.map(({ data }) => data);
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children });
  return ParquetTable.fromIPCStream(
    tableToIPC(new Table(schema, [new RecordBatch(schema, struct)]), 'stream'),
  );
}

function propertiesOf(
  columns: readonly ParquetColumn[],
  metadata: Record<string, string>,
  rowGroupRows?: number,
): WriterProperties {
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
  return properties.build();
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
  return dictionaryOf(texts)(indexes);
}

/** The same for several pieces of a column: a dictionary that was made once has one type. */
export function dictionaryOf(texts: readonly string[]): (indexes: Int32Array) => Data {
  const type = textType();
  const vector = vectorFromArray(texts.length === 0 ? [''] : texts, new Utf8());
  return (indexes) =>
    makeData({ type, length: indexes.length, nullCount: 0, data: indexes, dictionary: vector });
}

/** Of sparse texts, for all pieces of a column. */
export function textType(): TextType {
  return new Dictionary(new Utf8(), new Int32());
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
  /** Of texts, where the column comes in pieces. */
  texts = textType(),
): Data {
  const nulls = { length: rows, ...validity(rows, values.keys()) };
  if (type === 'text') {
    const distinct = [...new Set(values.values())] as string[];
    const numbers = new Map(distinct.map((text, i) => [text, i]));
    const indexes = new Int32Array(rows);
    for (const [row, value] of values) indexes[row] = numbers.get(value as string)!;
    return makeData({
      type: texts,
      data: indexes,
      dictionary: vectorFromArray(distinct.length === 0 ? [''] : distinct, new Utf8()),
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
