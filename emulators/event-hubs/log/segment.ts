import { closeSync, openSync, read, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { BATCH_HEADER, type BatchHeader, isIntact, readBatchHeader, readUInt64, writeUInt64 } from './batch';

/**
 * A log is a row of files, its segments; only the last is written to, and retention removes the first ones whole.
 * A segment's header ties it to the stream: which incarnation, which sequence number and which log position its
 * first byte has, and the last event before it.
 */
export const SEGMENT_HEADER = 80;
const MAGIC = Buffer.from('ATLSEG01', 'latin1');
/** One index entry about every this many bytes: a position is found by reading at most this much. */
const INDEX_STRIDE = 64 * 1024;
const SCAN_CHUNK = 1024 * 1024;

export interface SegmentHeader {
  firstSequence: number;
  /** Log position of the file's first byte; positions count on through all segments of an incarnation. */
  basePosition: number;
  createdAt: number;
  incarnation: string;
  /** Enqueued time of the last event before this segment, 0 if there is none. */
  previousTime: number;
  /** Log position of the last event before this segment, -1 if there is none. */
  previousEvent: number;
}

/** A sparse index of a segment's batches, ascending in all three columns. */
export interface SegmentIndex {
  positions: number[];
  sequences: number[];
  times: number[];
}

export interface Segment extends SegmentHeader {
  path: string;
  /** Bytes of the file that are durable and may be read. */
  length: number;
  /** Sequence number after the last durable event. */
  endSequence: number;
  /** Enqueued time of the last durable event, `previousTime` if there is none. */
  lastTime: number;
  /** Absent for a sealed segment that nobody has read since the start: built on first use. */
  index?: SegmentIndex;
}

export function segmentPath(directory: string, firstSequence: number): string {
  return join(directory, `s${String(firstSequence).padStart(20, '0')}.log`);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const buffer = Buffer.alloc(SEGMENT_HEADER);
  MAGIC.copy(buffer);
  writeUInt64(buffer, header.firstSequence, 8);
  writeUInt64(buffer, header.basePosition, 16);
  writeUInt64(buffer, header.createdAt, 24);
  Buffer.from(header.incarnation, 'hex').copy(buffer, 32, 0, 16);
  writeUInt64(buffer, header.previousTime, 48);
  writeUInt64(buffer, header.previousEvent + 1, 56);
  buffer.writeUInt32BE(crc32(buffer.subarray(0, SEGMENT_HEADER - 4)), SEGMENT_HEADER - 4);
  return buffer;
}

/** The header at the start of a segment's file, or undefined where it is torn or not one. */
export function decodeSegmentHeader(buffer: Buffer): SegmentHeader | undefined {
  if (buffer.length < SEGMENT_HEADER || !buffer.subarray(0, 8).equals(MAGIC)) return undefined;
  const checked = buffer.subarray(0, SEGMENT_HEADER - 4);
  if (crc32(checked) !== buffer.readUInt32BE(SEGMENT_HEADER - 4)) return undefined;
  return {
    firstSequence: readUInt64(buffer, 8),
    basePosition: readUInt64(buffer, 16),
    createdAt: readUInt64(buffer, 24),
    incarnation: buffer.toString('hex', 32, 48),
    previousTime: readUInt64(buffer, 48),
    previousEvent: readUInt64(buffer, 56) - 1,
  };
}

export function createIndex(): SegmentIndex {
  return { positions: [], sequences: [], times: [] };
}

/** Notes a batch that begins at `position` of the file, if the last entry is far enough back. */
export function noteInIndex(index: SegmentIndex, position: number, header: BatchHeader): void {
  const last = index.positions.at(-1);
  if (last !== undefined && position - last < INDEX_STRIDE) return;
  index.positions.push(position);
  index.sequences.push(header.firstSequence);
  index.times.push(header.enqueuedTime);
}

/** File position of the last indexed batch whose column value is at most `value`, the first batch's if none is. */
export function findInIndex(index: SegmentIndex, column: keyof SegmentIndex, value: number): number {
  const values = index[column];
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return index.positions[Math.max(0, low - 1)] ?? SEGMENT_HEADER;
}

/** The index of a sealed segment, read from its batch headers. */
export async function loadIndex(segment: Segment): Promise<SegmentIndex> {
  if (segment.index !== undefined) return segment.index;
  const index = createIndex();
  await walk(segment, SEGMENT_HEADER, (header, position) => {
    noteInIndex(index, position, header);
    return true;
  });
  segment.index ??= index;
  return segment.index;
}

/**
 * Visits the durable batches from file position `from` on, until `visit` returns false. The buffer passed to
 * `visit` holds the whole batch at `at`.
 */
export async function walk(
  segment: Segment,
  from: number,
  visit: (header: BatchHeader, position: number, buffer: Buffer, at: number) => boolean,
): Promise<void> {
  const descriptor = openSync(segment.path, 'r');
  try {
    let position = from;
    let wanted = SCAN_CHUNK;
    while (position < segment.length) {
      const chunk = await readAt(descriptor, position, Math.min(wanted, segment.length - position));
      let at = 0;
      let need = BATCH_HEADER;
      for (;;) {
        const header = readBatchHeader(chunk, at);
        need = header === undefined ? BATCH_HEADER : BATCH_HEADER + header.bodyLength;
        if (at + need > chunk.length) break;
        if (header === undefined || !isIntact(chunk, at, header)) throw corrupt(segment, position + at);
        if (!visit(header, position + at, chunk, at)) return;
        at += need;
      }
      position += at;
      if (position < segment.length && position + need > segment.length) throw corrupt(segment, position);
      wanted = Math.max(SCAN_CHUNK, need);
    }
  } finally {
    closeSync(descriptor);
  }
}

export function corrupt(segment: { path: string }, position: number): Error {
  return new Error(`${segment.path} is corrupt at byte ${position}: what lies there is not what was written`);
}

export function readAt(descriptor: number, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length);
  return new Promise((resolve, reject) => {
    const more = (done: number): void => {
      read(descriptor, buffer, done, length - done, position + done, (error, count) => {
        if (error) return reject(error);
        if (count === 0 || done + count === length) return resolve(buffer.subarray(0, done + count));
        more(done + count);
      });
    };
    more(0);
  });
}

export function readAtSync(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const count = readSync(descriptor, buffer, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}
