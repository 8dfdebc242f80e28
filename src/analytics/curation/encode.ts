import { CURATED_SCHEMA } from '../../domain/curated';
import {
  dictionary,
  encodeParquet,
  float64,
  instants,
  int32,
  int64,
  type ParquetColumn,
  sparse,
} from '../../store/parquet';
import { type Place, type Places } from './places';
import { type Rows } from './rows';

/** Small ones are skipped finely and cost more each; DuckDB's own measure. */
export const ROW_GROUP_ROWS = 122_880;

export interface EncodedFile {
  content: Buffer;
  rowGroups: number;
}

/** Encodes sorted rows as a curated file: `CURATED_COLUMNS`. */
export function encodeCurated(rows: Rows, places: Places, metadata: Record<string, string>): EncodedFile {
  const { length } = rows;
  const { local, used } = localNumbers(rows.place, length);
  const text = (name: keyof Place): ParquetColumn['data'] => {
    const texts: string[] = [];
    const numbers = new Map<number, number>();
    const ofPlace = Int32Array.from(used, (place) => {
      const number = places.place(place)[name];
      let found = numbers.get(number);
      if (found === undefined) {
        found = texts.push(places.texts.textOf(number)) - 1;
        numbers.set(number, found);
      }
      return found;
    });
    const indexes = new Int32Array(length);
    for (let row = 0; row < length; row++) indexes[row] = ofPlace[local[row]!]!;
    return dictionary(texts, indexes);
  };
  const { extras } = rows;
  const extra = (
    type: 'float64' | 'int32' | 'text',
    value: (row: NonNullable<NonNullable<Rows['extras']>[number]>) => number | string | null,
  ): ParquetColumn['data'] => {
    const values = new Map<number, number | string>();
    extras?.forEach((each, row) => {
      const found = each && value(each);
      if (found !== null) values.set(row, found);
    });
    return sparse(type, length, values);
  };
  const timeSource = new Int32Array(length);
  extras?.forEach((each, row) => {
    if (each?.undated) timeSource[row] = 1;
  });
  const origins = places.sources();
  const incarnations = [...new Set(origins.map(({ incarnation }) => incarnation))];
  const incarnationOf = origins.map(({ incarnation }) => incarnations.indexOf(incarnation));
  const incarnation = new Int32Array(length);
  const partition = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    incarnation[row] = incarnationOf[rows.source[row]!]!;
    partition[row] = origins[rows.source[row]!]!.partition;
  }
  const cut = (column: Float64Array): Float64Array => column.subarray(0, length);
  const columns: ParquetColumn[] = [
    { name: 'tenant_id', data: text('tenant') },
    { name: 'building_id', data: text('building') },
    { name: 'quantity', data: text('quantity') },
    { name: 'point_id', data: text('point') },
    { name: 'observed_at', data: instants(cut(rows.observedAt)), delta: true },
    { name: 'value', data: float64(cut(rows.value)) },
    { name: 'space_id', data: text('space') },
    { name: 'device_id', data: text('device') },
    { name: 'received_at', data: instants(cut(rows.receivedAt)), delta: true },
    { name: 'enqueued_at', data: instants(cut(rows.enqueuedAt)), delta: true },
    { name: 'time_source', data: dictionary(['DEVICE', 'GATEWAY'], timeSource) },
    { name: 'original_value', data: extra('float64', (each) => each.originalValue), nullable: true },
    { name: 'original_unit', data: extra('text', (each) => each.originalUnit), nullable: true },
    { name: 'message_id', data: extra('text', (each) => each.messageId), nullable: true },
    { name: 'message_index', data: extra('int32', (each) => each.messageIndex), nullable: true },
    { name: 'incarnation', data: dictionary(incarnations, incarnation) },
    { name: 'stream_partition', data: int32(partition) },
    { name: 'sequence', data: int64(cut(rows.sequence)), delta: true },
    { name: 'row', data: int32(rows.row.subarray(0, length)), delta: true },
  ];
  const described = { 'atrium.schema': CURATED_SCHEMA, ...metadata };
  return {
    content: encodeParquet(columns, length, described, ROW_GROUP_ROWS),
    rowGroups: Math.ceil(length / ROW_GROUP_ROWS),
  };
}

/** The places of a file numbered from 0, so that its dictionaries hold what it uses and no more. */
function localNumbers(place: Uint32Array, length: number): { local: Uint32Array; used: number[] } {
  const used: number[] = [];
  const numbers = new Map<number, number>();
  const local = new Uint32Array(length);
  let previous = -1;
  let number = 0;
  for (let row = 0; row < length; row++) {
    const each = place[row]!;
    if (each !== previous) {
      previous = each;
      const known = numbers.get(each);
      if (known === undefined) {
        number = used.push(each) - 1;
        numbers.set(each, number);
      } else {
        number = known;
      }
    }
    local[row] = number;
  }
  return { local, used };
}
