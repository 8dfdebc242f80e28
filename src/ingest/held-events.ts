import { type ReceivedEventData } from '@azure/event-hubs';
import { type Frame } from '../stream/frame';
import { type DeadLetterRow, refusedRow } from './dead-letter';
import { createGrowing } from './growing';
import { createPointTable, type LandedPoint } from './point-table';

/** An event that waits for its file, with where its rows end. */
export interface HeldEvent {
  event: Pick<ReceivedEventData, 'sequenceNumber' | 'offset'>;
  sequence: number;
  /** Milliseconds since 1970. */
  enqueuedAt: number;
  /** Index behind its last reading, and behind its last dead letter. */
  rowsEnd: number;
  deadLettersEnd: number;
}

/** What an event became when it was read. */
export type ReadEvent = { frame: Frame } | { unreadable: DeadLetterRow };

/** Readings of successive events, in columns; all arrays have a value a row. */
export interface HeldColumns {
  points: readonly LandedPoint[];
  /** Index into `points`. */
  point: Uint32Array;
  observedAt: Float64Array;
  receivedAt: Float64Array;
  value: Float64Array;
  /** By row. */
  undated: ReadonlyMap<number, { messageId: string | null; messageIndex: number }>;
  originals: ReadonlyMap<number, { value: number; unit: string }>;
}

/**
 * The events of one partition that wait for their file: successive in sequence and of one hour. They leave from the
 * front (what another worker has landed) or from the back (what belongs to another life of the hub).
 */
export interface HeldEvents {
  append(source: ReceivedEventData, read: ReadEvent): void;
  first(): HeldEvent | undefined;
  last(): HeldEvent | undefined;
  events(): readonly HeldEvent[];
  /** The columns, which may begin with rows of events that were dropped. */
  columns(): HeldColumns;
  /** Index of the first row, and of the first dead letter, of the events held. */
  begin(): { row: number; deadLetter: number };
  /** Those of the events held. */
  deadLetters(): readonly DeadLetterRow[];
  rows(): number;
  /** An estimate of the memory held. */
  bytes(): number;
  dropThrough(sequence: number): void;
  /** Nothing is appended afterwards. */
  dropEnqueuedFrom(instant: number): void;
  clear(): void;
}

const ROW_BYTES = 28;
const EVENT_BYTES = 200;
const SPARSE_BYTES = 150;

export function createHeldEvents(): HeldEvents {
  const table = createPointTable();
  const point = createGrowing(Uint32Array);
  const observedAt = createGrowing(Float64Array);
  const receivedAt = createGrowing(Float64Array);
  const value = createGrowing(Float64Array);
  let undated = new Map<number, { messageId: string | null; messageIndex: number }>();
  let originals = new Map<number, { value: number; unit: string }>();
  let deadLetters: DeadLetterRow[] = [];
  let deadLetterBytes = 0;
  let events: HeldEvent[] = [];
  /** Events before this one have been dropped; their rows are still in the columns. */
  let front = 0;
  let rowCount = 0;

  const clear = (): void => {
    for (const column of [point, observedAt, receivedAt, value]) column.clear();
    table.clear();
    undated = new Map();
    originals = new Map();
    deadLetters = [];
    deadLetterBytes = 0;
    events = [];
    front = 0;
    rowCount = 0;
  };
  const begin = (): { row: number; deadLetter: number } => ({
    row: events[front - 1]?.rowsEnd ?? 0,
    deadLetter: events[front - 1]?.deadLettersEnd ?? 0,
  });
  const rowsEnd = (): number => events.at(-1)?.rowsEnd ?? 0;

  const appendFrame = (frame: Frame): void => {
    const indexes = table.indexesOf(frame);
    for (let row = 0; row < frame.count; row++) {
      point.push(indexes[frame.point[row]!]!);
      observedAt.push(frame.observedAt[row]!);
      receivedAt.push(frame.receivedAt[row]!);
      value.push(frame.value[row]!);
    }
    for (const { row, messageId, messageIndex } of frame.undated) {
      undated.set(rowCount + row, { messageId, messageIndex });
    }
    for (const { row, value: original, unit } of frame.originals) {
      originals.set(rowCount + row, { value: original, unit });
    }
    rowCount += frame.count;
  };

  return {
    append({ sequenceNumber, offset, enqueuedTimeUtc }, read) {
      if ('frame' in read) {
        appendFrame(read.frame);
        read.frame.refused.forEach((refused, row) => {
          const { raw, message, letter } = refused;
          deadLetters.push(refusedRow(refused, row));
          deadLetterBytes += 400 + 2 * (raw.length + message.length);
          if (letter !== undefined) deadLetterBytes += 400 + (letter.payload?.length ?? 0);
        });
      } else {
        deadLetters.push(read.unreadable);
        deadLetterBytes += 400 + (read.unreadable.body?.length ?? 0);
      }
      events.push({
        event: { sequenceNumber, offset },
        sequence: sequenceNumber,
        enqueuedAt: enqueuedTimeUtc.getTime(),
        rowsEnd: rowCount,
        deadLettersEnd: deadLetters.length,
      });
    },
    first: () => events[front],
    last: () => (front < events.length ? events.at(-1) : undefined),
    events: () => events.slice(front),
    columns: () => ({
      points: table.points(),
      point: point.view(),
      observedAt: observedAt.view(),
      receivedAt: receivedAt.view(),
      value: value.view(),
      undated,
      originals,
    }),
    begin,
    deadLetters: () => deadLetters.slice(begin().deadLetter, events.at(-1)?.deadLettersEnd ?? 0),
    rows: () => rowsEnd() - begin().row,
    bytes: () =>
      rowCount * ROW_BYTES +
      events.length * EVENT_BYTES +
      (undated.size + originals.size) * SPARSE_BYTES +
      deadLetterBytes,
    dropThrough(sequence) {
      while (front < events.length && events[front]!.sequence <= sequence) front++;
      if (front === events.length) clear();
    },
    dropEnqueuedFrom(instant) {
      while (events.length > front && events.at(-1)!.enqueuedAt >= instant) events.pop();
      if (front === events.length) clear();
    },
    clear,
  };
}
