import { closeSync, openSync } from 'node:fs';
import { BATCH_HEADER, collectEvents, isIntact, readBatchHeader } from './batch';
import { corrupt, findInIndex, loadIndex, readAt, readAtSync, type Segment } from './segment';
import { type LogState } from './partition-log';

/** One reader's place in a log. It holds at most one chunk of the log in memory, however slow the reader is. */
export interface Cursor {
  /** Sequence number of the next event that `peek` will give. */
  sequence(): number;
  /**
   * Makes events ready for `peek`. False means that the reader has seen everything that is durable. Answers at once
   * near the end of the log, whose pages are in memory, and by a promise where the disk may have to be read.
   * Throws when what lies on disk is not what was written.
   */
  fill(): boolean | Promise<boolean>;
  /** At most `maxEvents` ready events and, past the first, at most `maxBytes` of them; they stay ready. */
  peek(maxEvents: number, maxBytes: number): Buffer[];
  /** Moves past the next `count` ready events. */
  advance(count: number): void;
  close(): void;
}

const CHUNK = 256 * 1024;
/** This close to the end the bytes were written a moment ago and a read does not wait for the disk. */
const HOT = 8 * 1024 * 1024;

export function createCursor(options: {
  segments: readonly Segment[];
  state: () => LogState;
  sequence: number;
}): Cursor {
  const { segments } = options;
  let sequence = options.sequence;
  let segment: Segment | undefined;
  let descriptor: number | undefined;
  let position = 0;
  let ready: Buffer[] = [];
  let next = 0;
  let reading = false;
  let closed = false;

  function leave(): void {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
    segment = undefined;
  }

  function fill(): boolean | Promise<boolean> {
    if (closed) return false;
    if (next < ready.length) return true;
    ready = [];
    next = 0;
    const first = segments[0]!.firstSequence;
    if (sequence < first) {
      // Retention removed what the reader had not read: it goes on at the oldest event, as in Azure.
      sequence = first;
      leave();
    }
    const last = segments[segments.length - 1]!;
    if (sequence >= last.endSequence) return false;
    if (segment === undefined || sequence >= segment.endSequence) {
      leave();
      segment = segments.findLast((each) => each.firstSequence <= sequence)!;
      if (segment.index === undefined) return outOfTurn(enterCold(segment));
      enter(segment, findInIndex(segment.index, 'sequences', sequence));
    }
    const behind = last.basePosition + last.length - (segment.basePosition + position);
    return behind <= HOT ? readHot(segment) : outOfTurn(readCold(segment));
  }

  /** A file is not closed under a read: its descriptor could by then be another file's. */
  async function outOfTurn(work: Promise<boolean>): Promise<boolean> {
    reading = true;
    try {
      return await work;
    } finally {
      reading = false;
      if (closed) leave();
    }
  }

  function enter(into: Segment, at: number): void {
    descriptor = openSync(into.path, 'r');
    segment = into;
    position = at;
  }

  async function enterCold(into: Segment): Promise<boolean> {
    try {
      const index = await loadIndex(into);
      if (closed) return false;
      enter(into, findInIndex(index, 'sequences', sequence));
    } catch (error) {
      if (into.firstSequence >= segments[0]!.firstSequence) throw error;
      // Retention removed the file while its index was read.
      return fill();
    }
    return readCold(into);
  }

  function readHot(from: Segment): boolean | Promise<boolean> {
    for (;;) {
      const chunk = readAtSync(descriptor!, position, Math.min(CHUNK, from.length - position));
      const need = parse(from, chunk);
      if (need > chunk.length) parse(from, readAtSync(descriptor!, position, need));
      if (ready.length > 0) return true;
      if (position >= from.length) return fill();
    }
  }

  async function readCold(from: Segment): Promise<boolean> {
    for (;;) {
      const chunk = await readAt(descriptor!, position, Math.min(CHUNK, from.length - position));
      const need = parse(from, chunk);
      if (need > chunk.length) parse(from, await readAt(descriptor!, position, need));
      if (closed) return false;
      if (ready.length > 0) return true;
      if (position >= from.length) return fill();
    }
  }

  /** Readies the whole batches of a chunk that begins at `position`; returns the first one's size if it is cut. */
  function parse(from: Segment, chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      const header = readBatchHeader(chunk, at);
      if (header === undefined) {
        if (at > 0) break;
        throw corrupt(from, position);
      }
      const size = BATCH_HEADER + header.bodyLength;
      if (at + size > chunk.length) {
        if (at > 0) break;
        if (position + size > from.length) throw corrupt(from, position);
        return size;
      }
      if (!isIntact(chunk, at, header)) throw corrupt(from, position + at);
      const skip = sequence + ready.length - header.firstSequence;
      if (skip < header.count) collectEvents(chunk, at, header, Math.max(0, skip), ready);
      at += size;
    }
    position += at;
    return 0;
  }

  return {
    sequence: () => sequence,
    fill,
    peek(maxEvents, maxBytes) {
      let end = next;
      let bytes = 0;
      while (end < ready.length && end - next < maxEvents) {
        bytes += ready[end]!.length;
        if (bytes > maxBytes && end > next) break;
        end += 1;
      }
      return ready.slice(next, end);
    },
    advance(count) {
      next += count;
      sequence += count;
      if (next < ready.length) return;
      // The chunk is let go of at once: an idle reader holds no memory.
      ready = [];
      next = 0;
    },
    close() {
      closed = true;
      if (!reading) leave();
    },
  };
}
