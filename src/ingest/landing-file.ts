import { Binary, type Data, Utf8, vectorFromArray } from 'apache-arrow';
import { type DeadLetterRow } from './dead-letter';
import { type HeldEvents, type HeldEvent } from './held-events';
import {
  dictionaryOf,
  encodeParquet,
  encodeParquetInPieces,
  float64,
  instants,
  int32,
  int64,
  type ParquetColumn,
  sparse,
  textType,
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

/**
 * Rows that are laid out at a time: some 100 bytes of each. A piece carries the dictionaries of its file, so that it has at
 * least as many rows as there are points.
 */
const PIECE_ROWS = 32_768;

/**
 * Encodes every event held as one landing file and, where there are any, its dead letters. Nothing is appended to those held,
 * and nothing dropped of them, before it has ended.
 */
export async function encodeLanding(
  held: HeldEvents,
  { incarnation, partition }: { incarnation: string; partition: number },
): Promise<EncodedLanding> {
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
    readings: await encodeParquetInPieces(
      readingColumns(held),
      summary.rows,
      summaryMetadata(summary, READINGS_SCHEMA, 'atrium.'),
      Math.max(PIECE_ROWS, held.columns().points.length),
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

/** The columns of so many rows from there on. */
function readingColumns(held: HeldEvents): (from: number, rows: number) => ParquetColumn[] {
  const columns = held.columns();
  const firstRow = held.begin().row;
  const { points, undated, originals } = columns;
  const eventsOf = eventColumns(held.events(), firstRow, (each) => each.rowsEnd);
  const text = (name: keyof (typeof points)[number]): ((point: Uint32Array) => Data) => {
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
    const laidOut = dictionaryOf(texts);
    return (point) => {
      const indexes = new Int32Array(point.length);
      for (let row = 0; row < point.length; row++) indexes[row] = ofPoint[point[row]!]!;
      return laidOut(indexes);
    };
  };
  const texts = {
    tenant: text('tenantId'),
    building: text('buildingId'),
    space: text('spaceId'),
    point: text('pointId'),
    device: text('deviceId'),
    quantity: text('quantity'),
    timeSource: dictionaryOf(['DEVICE', 'GATEWAY']),
    unit: textType(),
    messageId: textType(),
  };
  return (from, rows) => {
    const begin = firstRow + from;
    /** What a map holds for these rows, by its row among them. */
    const pick = <V>(
      source: ReadonlyMap<number, V>,
      value: (each: V) => number | string | null,
    ): Map<number, number | string> => {
      const picked = new Map<number, number | string>();
      for (let row = 0; row < rows && source.size > 0; row++) {
        const each = source.get(begin + row);
        const found = each === undefined ? null : value(each);
        if (found !== null) picked.set(row, found);
      }
      return picked;
    };
    const timeSource = new Int32Array(rows);
    for (const row of pick(undated, () => 1).keys()) timeSource[row] = 1;
    const slice = (column: Float64Array): Float64Array => column.subarray(begin, begin + rows);
    const point = columns.point.subarray(begin, begin + rows);
    const originalValues = pick(originals, ({ value }) => value);
    const units = pick(originals, ({ unit }) => unit);
    const messageIds = pick(undated, ({ messageId }) => messageId);
    const messageIndexes = pick(undated, ({ messageIndex }) => messageIndex);
    return [
      ...eventsOf(from, rows),
      { name: 'tenant_id', data: texts.tenant(point) },
      { name: 'building_id', data: texts.building(point) },
      { name: 'space_id', data: texts.space(point) },
      { name: 'point_id', data: texts.point(point) },
      { name: 'device_id', data: texts.device(point) },
      { name: 'quantity', data: texts.quantity(point) },
      { name: 'observed_at', data: instants(slice(columns.observedAt)), delta: true },
      { name: 'received_at', data: instants(slice(columns.receivedAt)), delta: true },
      { name: 'value', data: float64(slice(columns.value)) },
      { name: 'original_value', data: sparse('float64', rows, originalValues), nullable: true },
      { name: 'original_unit', data: sparse('text', rows, units, texts.unit), nullable: true },
      { name: 'time_source', data: texts.timeSource(timeSource) },
      { name: 'message_id', data: sparse('text', rows, messageIds, texts.messageId), nullable: true },
      { name: 'message_index', data: sparse('int32', rows, messageIndexes), nullable: true },
    ];
  };
}

function deadLetterColumns(held: HeldEvents): ParquetColumn[] {
  const letters = held.deadLetters();
  const [sequence, row, enqueuedAt] = eventColumns(
    held.events(),
    held.begin().deadLetter,
    (each) => each.deadLettersEnd,
  )(0, letters.length);
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

/**
 * The columns that every row has from its event: sequence, index within the event, and when it was enqueued. Asked for from
 * the front to the back.
 */
function eventColumns(
  events: readonly HeldEvent[],
  firstRow: number,
  endOf: (event: HeldEvent) => number,
): (from: number, rows: number) => ParquetColumn[] {
  let index = 0;
  let begin = 0;
  return (from, rows) => {
    const sequence = new Float64Array(rows);
    const row = new Int32Array(rows);
    const enqueuedAt = new Float64Array(rows);
    for (let at = 0; at < rows;) {
      const event = events[index]!;
      const end = endOf(event) - firstRow;
      for (; at < rows && from + at < end; at++) {
        sequence[at] = event.sequence;
        row[at] = from + at - begin;
        enqueuedAt[at] = event.enqueuedAt;
      }
      if (from + at < end) break;
      begin = end;
      index++;
    }
    return [
      { name: 'sequence', data: int64(sequence), delta: true },
      { name: 'row', data: int32(row), delta: true },
      { name: 'enqueued_at', data: instants(enqueuedAt), delta: true },
    ];
  };
}
