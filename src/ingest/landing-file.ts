import { Binary, Utf8, vectorFromArray } from 'apache-arrow';
import { type DeadLetterRow } from './dead-letter';
import { type HeldEvents, type HeldEvent } from './held-events';
import {
  dictionary,
  encodeParquet,
  float64,
  instants,
  int32,
  int64,
  type ParquetColumn,
  sparse,
} from '../store/parquet';

/** Versions of the two files' columns. A reader takes columns it does not know as absent or more. */
export const READINGS_SCHEMA = 'landing-readings/1';
export const DEAD_LETTERS_SCHEMA = 'landing-dead-letters/1';

/** What a landing file says of itself, in its blob's metadata and inside the file. */
export interface LandingSummary {
  incarnation: string;
  partition: number;
  firstSequence: number;
  /** The next file of the chain begins behind it. */
  lastSequence: number;
  /** Events of the stream that became this file, those without a reading among them. */
  events: number;
  /** Readings. */
  rows: number;
  /** Rows of the dead letters that belong to this file; 0 when there is no such file. */
  deadLetters: number;
}

export interface EncodedLanding {
  first: HeldEvent;
  last: HeldEvent;
  summary: LandingSummary;
  readings: Buffer;
  /** Null when no event held one. */
  deadLetters: Buffer | null;
}

/** Encodes every event held as one landing file and, where there are any, its dead letters. */
export function encodeLanding(
  held: HeldEvents,
  { incarnation, partition }: { incarnation: string; partition: number },
): EncodedLanding {
  const events = held.events();
  const first = events[0]!;
  const last = events.at(-1)!;
  const deadLetters = held.deadLetters();
  const summary: LandingSummary = {
    incarnation,
    partition,
    firstSequence: first.sequence,
    lastSequence: last.sequence,
    events: events.length,
    rows: held.rows(),
    deadLetters: deadLetters.length,
  };
  return {
    first,
    last,
    summary,
    readings: encodeParquet(
      readingColumns(held),
      summary.rows,
      summaryMetadata(summary, READINGS_SCHEMA, 'atrium.'),
    ),
    deadLetters:
      deadLetters.length === 0
        ? null
        : encodeParquet(
            deadLetterColumns(held),
            summary.deadLetters,
            summaryMetadata(summary, DEAD_LETTERS_SCHEMA, 'atrium.'),
          ),
  };
}

export function summaryMetadata(
  summary: LandingSummary,
  schema: string,
  prefix = '',
): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...summary, schema }).map(([name, value]) => [`${prefix}${name}`, String(value)]),
  );
}

function readingColumns(held: HeldEvents): ParquetColumn[] {
  const columns = held.columns();
  const firstRow = held.begin().row;
  const rows = held.rows();
  const { points } = columns;
  const event = eventColumns(held.events(), firstRow, (each) => each.rowsEnd);
  const index = new Int32Array(rows);
  const text = (name: keyof (typeof points)[number]): ParquetColumn['data'] => {
    const texts: string[] = [];
    const numbers = new Map<string, number>();
    const ofPoint = Int32Array.from(points, (point) => {
      let number = numbers.get(point[name]);
      if (number === undefined) {
        number = texts.push(point[name]) - 1;
        numbers.set(point[name], number);
      }
      return number;
    });
    const indexes = new Int32Array(rows);
    for (let row = 0; row < rows; row++) indexes[row] = ofPoint[columns.point[firstRow + row]!]!;
    return dictionary(texts, indexes);
  };
  /** What a map holds for the rows of this file, by its row. */
  const pick = <V>(
    source: ReadonlyMap<number, V>,
    value: (each: V) => number | string | null,
  ): Map<number, number | string> => {
    const picked = new Map<number, number | string>();
    for (const [row, each] of source) {
      const found = value(each);
      if (found !== null && row >= firstRow && row < firstRow + rows) picked.set(row - firstRow, found);
    }
    return picked;
  };
  const { undated, originals } = columns;
  for (const row of pick(undated, () => 1).keys()) index[row] = 1;
  const slice = (column: Float64Array): Float64Array => column.subarray(firstRow, firstRow + rows);
  return [
    ...event,
    { name: 'tenant_id', data: text('tenantId') },
    { name: 'building_id', data: text('buildingId') },
    { name: 'space_id', data: text('spaceId') },
    { name: 'point_id', data: text('pointId') },
    { name: 'device_id', data: text('deviceId') },
    { name: 'quantity', data: text('quantity') },
    { name: 'observed_at', data: instants(slice(columns.observedAt)), delta: true },
    { name: 'received_at', data: instants(slice(columns.receivedAt)), delta: true },
    { name: 'value', data: float64(slice(columns.value)) },
    {
      name: 'original_value',
      data: sparse(
        'float64',
        rows,
        pick(originals, ({ value }) => value),
      ),
      nullable: true,
    },
    {
      name: 'original_unit',
      data: sparse(
        'text',
        rows,
        pick(originals, ({ unit }) => unit),
      ),
      nullable: true,
    },
    { name: 'time_source', data: dictionary(['DEVICE', 'GATEWAY'], index) },
    {
      name: 'message_id',
      data: sparse(
        'text',
        rows,
        pick(undated, ({ messageId }) => messageId),
      ),
      nullable: true,
    },
    {
      name: 'message_index',
      data: sparse(
        'int32',
        rows,
        pick(undated, ({ messageIndex }) => messageIndex),
      ),
      nullable: true,
    },
  ];
}

function deadLetterColumns(held: HeldEvents): ParquetColumn[] {
  const letters = held.deadLetters();
  const [sequence, row, enqueuedAt] = eventColumns(
    held.events(),
    held.begin().deadLetter,
    (each) => each.deadLettersEnd,
  );
  const text = (name: 'tenantId' | 'buildingId' | 'deviceId' | 'channel' | 'message' | 'raw') =>
    vectorFromArray(
      letters.map((letter) => letter[name]),
      new Utf8(),
    ).data[0]!;
  const instant = (name: 'observedAt' | 'receivedAt') =>
    sparse(
      'instant',
      letters.length,
      new Map(letters.flatMap((letter, i) => (letter[name] === null ? [] : [[i, letter[name]]]))),
    );
  /** A column of the source, null where there is no source or it says nothing. */
  const sourceColumn = (
    name: string,
    type: 'text' | 'int32' | 'instant',
    value: (source: NonNullable<DeadLetterRow['source']>) => string | number | null,
  ): ParquetColumn => {
    const values = new Map<number, string | number>();
    letters.forEach(({ source }, i) => {
      const found = source && value(source);
      if (found !== null && found !== '') values.set(i, found);
    });
    return { name, data: sparse(type, letters.length, values), nullable: true };
  };
  return [
    sequence!,
    { ...row!, data: int32(Int32Array.from(letters, (letter) => letter.row)) },
    enqueuedAt!,
    { name: 'tenant_id', data: text('tenantId') },
    { name: 'building_id', data: text('buildingId') },
    { name: 'device_id', data: text('deviceId') },
    { name: 'channel', data: text('channel') },
    { name: 'observed_at', data: instant('observedAt'), nullable: true },
    { name: 'received_at', data: instant('receivedAt'), nullable: true },
    {
      name: 'code',
      data: sparse('text', letters.length, new Map(letters.map((letter, i) => [i, letter.code]))),
    },
    { name: 'message', data: text('message') },
    { name: 'raw', data: text('raw') },
    {
      name: 'body',
      data: vectorFromArray(
        letters.map(({ body }) => body),
        new Binary(),
      ).data[0]!,
      nullable: true,
    },
    sourceColumn('protocol', 'text', ({ protocol }) => protocol),
    sourceColumn('relayed_by', 'text', ({ relayedBy }) => relayedBy),
    sourceColumn('message_id', 'text', ({ messageId }) => messageId),
    sourceColumn('message_index', 'int32', ({ index }) => index),
    sourceColumn('created_at', 'instant', ({ createdAt }) => createdAt),
    sourceColumn('content_type', 'text', ({ contentType }) => contentType),
    sourceColumn('content_encoding', 'text', ({ contentEncoding }) => contentEncoding),
  ];
}

/** The columns that every row has from its event: sequence, index within the event, and when it was enqueued. */
function eventColumns(
  events: readonly HeldEvent[],
  firstRow: number,
  endOf: (event: HeldEvent) => number,
): ParquetColumn[] {
  const rows = endOf(events.at(-1)!) - firstRow;
  const sequence = new Float64Array(rows);
  const row = new Int32Array(rows);
  const enqueuedAt = new Float64Array(rows);
  let at = 0;
  for (const event of events) {
    const end = endOf(event) - firstRow;
    for (let index = 0; at < end; at++, index++) {
      sequence[at] = event.sequence;
      row[at] = index;
      enqueuedAt[at] = event.enqueuedAt;
    }
  }
  return [
    { name: 'sequence', data: int64(sequence), delta: true },
    { name: 'row', data: int32(row), delta: true },
    { name: 'enqueued_at', data: instants(enqueuedAt), delta: true },
  ];
}
