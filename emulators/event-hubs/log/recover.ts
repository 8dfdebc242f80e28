import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger } from '../../../src/observability/logger';
import { OperatorError } from '../../../src/observability/operator-error';
import { BATCH_HEADER, EVENT_HEADER, findMagic, isIntact, readBatchHeader } from './batch';
import { type Disk } from './disk';
import {
  createIndex,
  decodeSegmentHeader,
  noteInIndex,
  readAtSync,
  type Segment,
  SEGMENT_HEADER,
} from './segment';

export interface Recovered {
  segments: Segment[];
  /** Log position of the last event, -1 if there never was one. */
  lastEvent: number;
  /** Bytes of an interrupted write that were cut from the end. */
  cut: number;
}

/**
 * Reads a partition's folder after a stop of any kind. Only the last segment can hold an interrupted write, because
 * a segment is synced whole before the next is created; its torn tail is cut and said so. Anything else that does
 * not fit is not the work of a crash, and is refused rather than repaired: it could hide acknowledged events.
 */
export function recover(options: {
  directory: string;
  incarnation: string;
  disk: Disk;
  logger: Logger;
}): Recovered {
  const { directory, logger } = options;
  const files = readdirSync(directory)
    .filter((name) => /^s\d{20}\.log$/.test(name))
    .sort()
    .map((name) => join(directory, name));
  const segments: Segment[] = [];
  let cut = 0;
  let lastEvent = -1;
  for (const [i, path] of files.entries()) {
    const isLast = i === files.length - 1;
    const opened = openSegment(path, options.incarnation);
    if (opened === undefined) {
      // Its header was being written, so nothing in it was ever acknowledged.
      if (!isLast || i === 0) throw refuse(path, 'its header is damaged');
      logger.warn({ path }, 'removed a segment whose creation was interrupted');
      unlinkSync(path);
      continue;
    }
    const previous = segments.at(-1);
    if (previous !== undefined) {
      if (previous.basePosition + previous.length !== opened.basePosition) {
        throw refuse(previous.path, 'its length does not match the segment after it');
      }
      previous.endSequence = opened.firstSequence;
      previous.lastTime = opened.previousTime;
    }
    segments.push(opened);
  }
  const last = segments.at(-1);
  if (last === undefined) throw refuse(directory, 'it holds no segment');
  const tail = readTail(last, options.disk);
  lastEvent = tail.lastEvent;
  cut = tail.cut;
  if (cut > 0) {
    logger.warn({ path: last.path, bytes: cut, events: last.endSequence }, 'cut an interrupted write');
  }
  return { segments, lastEvent, cut };
}

function refuse(path: string, what: string): OperatorError {
  return new OperatorError(
    `the log ${path} is corrupt (${what}): restore the data folder from a copy, or remove the event hub's folder to begin a new incarnation`,
  );
}

function openSegment(path: string, incarnation: string): Segment | undefined {
  const descriptor = openSync(path, 'r');
  try {
    const length = fstatSync(descriptor).size;
    const header = decodeSegmentHeader(readAtSync(descriptor, 0, SEGMENT_HEADER));
    if (header === undefined) {
      if (length > SEGMENT_HEADER) throw refuse(path, 'its header is damaged');
      return undefined;
    }
    if (header.incarnation !== incarnation) throw refuse(path, 'it belongs to another incarnation');
    return {
      ...header,
      path,
      length,
      endSequence: header.firstSequence,
      lastTime: header.previousTime,
    };
  } finally {
    closeSync(descriptor);
  }
}

const SCAN_CHUNK = 4 * 1024 * 1024;

/** Reads every batch of the last segment, indexes it, and cuts what follows the last intact one. */
function readTail(segment: Segment, disk: Disk): { cut: number; lastEvent: number } {
  const descriptor = openSync(segment.path, 'r+');
  try {
    const fileLength = segment.length;
    segment.index = createIndex();
    let lastEvent = segment.previousEvent;
    let position = SEGMENT_HEADER;
    let wanted = SCAN_CHUNK;
    for (;;) {
      const chunk = readAtSync(descriptor, position, Math.min(wanted, fileLength - position));
      let at = 0;
      let need = 0;
      for (;;) {
        const header = readBatchHeader(chunk, at);
        if (header === undefined) {
          need = chunk.length - at < BATCH_HEADER ? BATCH_HEADER : 0;
          break;
        }
        need = BATCH_HEADER + header.bodyLength;
        if (at + need > chunk.length) break;
        if (!isIntact(chunk, at, header) || header.firstSequence !== segment.endSequence) {
          need = 0;
          break;
        }
        noteInIndex(segment.index, position + at, header);
        segment.endSequence += header.count;
        segment.lastTime = header.enqueuedTime;
        lastEvent = segment.basePosition + position + lastEventIn(chunk, at, header.count);
        at += need;
      }
      position += at;
      // Either no batch begins here, or one does and the file ends within it.
      if (need === 0 || position + need > fileLength) break;
      wanted = Math.max(SCAN_CHUNK, need);
    }
    const cut = fileLength - position;
    if (cut > 0) {
      assertNothingDurableAfter(descriptor, segment, position, fileLength);
      ftruncateSync(descriptor, position);
    }
    segment.length = position;
    // What kill -9 left in the page cache becomes readable now, so it has to be on disk first.
    disk.syncNow({ path: segment.path, descriptor }, position);
    return { cut, lastEvent };
  } finally {
    closeSync(descriptor);
  }
}

/** Offset from `at`'s origin of the last event's entry within a batch of `count` events. */
function lastEventIn(chunk: Buffer, at: number, count: number): number {
  let position = at + BATCH_HEADER;
  for (let index = 1; index < count; index += 1) {
    position += EVENT_HEADER + chunk.readUInt32BE(position);
  }
  return position;
}

/**
 * An interrupted write may leave any mixture of its pages, so intact batches past a broken one prove nothing. But a
 * batch written when the broken bytes had already been synced does: those were acknowledged, and no crash undid them.
 */
function assertNothingDurableAfter(descriptor: number, segment: Segment, from: number, end: number): void {
  const rest = readAtSync(descriptor, from, end - from);
  for (let at = findMagic(rest, 1); at >= 0; at = findMagic(rest, at + 1)) {
    const header = readBatchHeader(rest, at);
    if (header === undefined || !isIntact(rest, at, header)) continue;
    if (header.durableBefore > from && header.firstSequence > segment.endSequence) {
      throw refuse(segment.path, `acknowledged events at byte ${from} cannot be read`);
    }
  }
}
