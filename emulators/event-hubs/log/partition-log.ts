import { closeSync, constants, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Logger } from '../../../src/observability/logger';
import { BATCH_HEADER, EVENT_HEADER, sealBatch } from './batch';
import { createCursor, type Cursor } from './cursor';
import { type Disk, type OpenFile } from './disk';
import { locate, type StartPosition } from './locate';
import { recover } from './recover';
import {
  createIndex,
  encodeSegmentHeader,
  noteInIndex,
  type Segment,
  SEGMENT_HEADER,
  segmentPath,
} from './segment';

/** What the log stamps on an event when it takes it. */
export interface Stamp {
  sequence: number;
  /** Log position of the event; what clients see is made from it, see `offsets.ts`. */
  position: number;
  enqueuedTime: number;
}

/** The events of one send, not yet stamped. */
export interface AppendBatch {
  count: number;
  /** At most this many bytes will be written in all. */
  maxBytes: number;
  /** Lays event `index` into `target` at `at` and returns where it ends. */
  lay(index: number, target: Buffer, at: number, stamp: Stamp): number;
}

export interface LogState {
  /** Sequence number of the oldest event that is kept; `endSequence` when there is none. */
  firstSequence: number;
  /** Sequence number that the next event will get. */
  endSequence: number;
  /** Log position of the last event, -1 if there never was one. */
  lastPosition: number;
  /** Enqueued time of the last event in ms, 0 if there never was one. */
  lastTime: number;
  bytes: number;
}

export interface PartitionLog {
  /**
   * Resolves when the batch is on disk, with its first sequence number; rejects when it is not and never will be.
   * Batches come to lie in the order of the calls.
   */
  append(batch: AppendBatch): Promise<number>;
  /** What is durable. Nothing else is ever shown to a reader: what a crash can undo was never seen by anybody. */
  state(): LogState;
  /** The sequence number at which a reader that asks for this position begins. */
  locate(start: StartPosition): Promise<number>;
  cursor(sequence: number): Cursor;
  /** Calls `listener` after every commit until the returned function is called. */
  onCommit(listener: () => void): () => void;
  /** Removes whole segments that are too old or more than what may be kept. Returns how many events went. */
  retain(limits: { maxAge: number; maxBytes: number }): Promise<number>;
  /** Bytes accepted and not yet on disk. */
  pendingBytes(): number;
  /** Why the log takes nothing more, if so. */
  failure(): Error | undefined;
  /** Finishes what was accepted and closes the files. */
  close(): Promise<void>;
}

export interface PartitionLogOptions {
  directory: string;
  incarnation: string;
  disk: Disk;
  logger: Logger;
  segmentBytes: number;
  now: () => number;
  /** Told about each group commit: its events, bytes and the time from write to synced. */
  onGroup?: (group: { batches: number; events: number; bytes: number; milliseconds: number }) => void;
}

interface Pending {
  segment: Segment;
  at: number;
  buffer: Buffer;
  count: number;
  firstSequence: number;
  enqueuedTime: number;
  lastPosition: number;
  resolve(firstSequence: number): void;
  reject(error: Error): void;
}

/** Creates the first, empty segment of a new partition. Resolves when it is on disk. */
export async function createPartition(options: PartitionLogOptions): Promise<void> {
  const segment = plan(options, { sequence: 0, position: 0, time: 0, event: -1 });
  closeSync((await createSegmentFile(segment, options.disk)).descriptor);
}

interface Tail {
  sequence: number;
  position: number;
  time: number;
  event: number;
}

function plan(options: PartitionLogOptions, tail: Tail): Segment {
  return {
    path: segmentPath(options.directory, tail.sequence),
    firstSequence: tail.sequence,
    endSequence: tail.sequence,
    basePosition: tail.position,
    createdAt: options.now(),
    incarnation: options.incarnation,
    previousTime: tail.time,
    previousEvent: tail.event,
    lastTime: tail.time,
    length: SEGMENT_HEADER,
    index: createIndex(),
  };
}

/** The file and its place in the folder are on disk before the first event goes into it: see `recover`. */
async function createSegmentFile(segment: Segment, disk: Disk): Promise<OpenFile> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
  const file = { path: segment.path, descriptor: openSync(segment.path, flags, 0o644) };
  try {
    disk.write(file, [encodeSegmentHeader(segment)], 0);
    await disk.sync(file, SEGMENT_HEADER);
    await disk.syncFolder(dirname(segment.path));
  } catch (error) {
    closeSync(file.descriptor);
    throw error;
  }
  return file;
}

/**
 * A durable, append-only log of one partition.
 *
 * Group commit: while one group is being synced, the next gathers; a sync therefore costs the same for one send as
 * for hundreds. An append is acknowledged only after the sync that covers it.
 */
export function openPartitionLog(options: PartitionLogOptions): PartitionLog {
  const { disk, logger, now } = options;
  const recovered = recover(options);
  const segments = recovered.segments;
  let active = segments.at(-1)!;
  let file: OpenFile = { path: active.path, descriptor: openSync(active.path, 'r+') };
  let lastPosition = recovered.lastEvent;

  // Where the next append will lie. Runs ahead of what is durable by exactly `pending`.
  let planned = active;
  let plannedLength = active.length;
  let tail: Tail = {
    sequence: active.endSequence,
    position: active.basePosition + active.length,
    time: active.lastTime,
    event: lastPosition,
  };

  let pending: Pending[] = [];
  let bytesPending = 0;
  let flushing: Promise<void> | undefined;
  let broken: Error | undefined;
  let closed = false;
  const listeners = new Set<() => void>();

  function append(batch: AppendBatch): Promise<number> {
    if (closed) return Promise.reject(new Error('the log is closed'));
    if (broken) return Promise.reject(broken);
    const bound = BATCH_HEADER + batch.maxBytes + batch.count * EVENT_HEADER;
    if (plannedLength > SEGMENT_HEADER && plannedLength + bound > options.segmentBytes) {
      planNext();
    }
    const firstSequence = tail.sequence;
    const enqueuedTime = Math.max(now(), tail.time);
    const whole = Buffer.allocUnsafe(bound);
    let at = BATCH_HEADER;
    let event = tail.event;
    for (let index = 0; index < batch.count; index += 1) {
      event = tail.position + at;
      const start = at + EVENT_HEADER;
      const stamp = { sequence: firstSequence + index, position: event, enqueuedTime };
      const end = batch.lay(index, whole, start, stamp);
      whole.writeUInt32BE(end - start, at);
      at = end;
    }
    const buffer = whole.subarray(0, at);
    const durableBefore = planned === active ? active.length : 0;
    sealBatch(buffer, { count: batch.count, firstSequence, enqueuedTime, durableBefore });
    const place = { segment: planned, at: plannedLength };
    tail = {
      sequence: firstSequence + batch.count,
      position: tail.position + at,
      time: enqueuedTime,
      event,
    };
    plannedLength += at;
    bytesPending += at;
    return new Promise((resolve, reject) => {
      pending.push({
        ...place,
        buffer,
        count: batch.count,
        firstSequence,
        enqueuedTime,
        lastPosition: event,
        resolve,
        reject,
      });
      // The rest of this turn's sends join the group.
      flushing ??= new Promise<void>((done) => setImmediate(() => void flush().then(done)));
    });
  }

  function planNext(): void {
    planned = plan(options, tail);
    plannedLength = SEGMENT_HEADER;
    tail = { ...tail, position: tail.position + SEGMENT_HEADER };
  }

  async function flush(): Promise<void> {
    while (pending.length > 0) {
      const segment = pending[0]!.segment;
      const others = pending.findIndex((each) => each.segment !== segment);
      const group = others < 0 ? pending : pending.slice(0, others);
      pending = others < 0 ? [] : pending.slice(others);
      const started = performance.now();
      try {
        if (segment !== active) await roll(segment);
        const buffers = group.map((each) => each.buffer);
        const bytes = buffers.reduce((sum, each) => sum + each.length, 0);
        disk.write(file, buffers, group[0]!.at);
        await disk.sync(file, group[0]!.at + bytes);
        commit(group, bytes);
        const milliseconds = performance.now() - started;
        const events = group.reduce((sum, each) => sum + each.count, 0);
        options.onGroup?.({ batches: group.length, events, bytes, milliseconds });
      } catch (error) {
        giveUp(group, error as NodeJS.ErrnoException);
      }
    }
    flushing = undefined;
  }

  async function roll(segment: Segment): Promise<void> {
    const next = await createSegmentFile(segment, disk);
    closeSync(file.descriptor);
    file = next;
    segments.push(segment);
    active = segment;
  }

  /** The acknowledgements of a group leave here, after its sync and nowhere else. */
  function commit(group: Pending[], bytes: number): void {
    for (const each of group) {
      noteInIndex(active.index!, each.at, {
        bodyLength: each.buffer.length - BATCH_HEADER,
        count: each.count,
        firstSequence: each.firstSequence,
        enqueuedTime: each.enqueuedTime,
        durableBefore: 0,
      });
    }
    const last = group.at(-1)!;
    active.length += bytes;
    active.endSequence = last.firstSequence + last.count;
    active.lastTime = last.enqueuedTime;
    lastPosition = last.lastPosition;
    bytesPending -= bytes;
    for (const each of group) each.resolve(each.firstSequence);
    for (const listener of listeners) listener();
  }

  /**
   * What could not be written is refused, and so is everything laid down after it, whose sequence numbers depend on
   * it. The file goes back to its durable length. When that fails too, or the sync failed, nobody knows what is on
   * the disk, and the log takes nothing more until it is opened again.
   */
  function giveUp(group: Pending[], error: NodeJS.ErrnoException): void {
    const refused = [...group, ...pending];
    pending = [];
    bytesPending = 0;
    const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
    const reason = isFull
      ? new Error('the disk is full: nothing more is accepted until there is room', { cause: error })
      : new Error(`the log cannot be written: ${error.message}`, { cause: error });
    try {
      if (!isFull) throw error;
      if (group[0]!.segment !== active) removeQuietly(group[0]!.segment.path);
      ftruncateSync(file.descriptor, active.length);
      rewind();
    } catch {
      broken = reason;
    }
    logger.error({ path: active.path, batches: refused.length, error: error.message }, 'write failed');
    for (const each of refused) each.reject(reason);
  }

  /** The next append goes right behind what is durable. */
  function rewind(): void {
    planned = active;
    plannedLength = active.length;
    tail = {
      sequence: active.endSequence,
      position: active.basePosition + active.length,
      time: active.lastTime,
      event: lastPosition,
    };
  }

  function state(): LogState {
    return {
      firstSequence: segments[0]!.firstSequence,
      endSequence: active.endSequence,
      lastPosition,
      lastTime: active.lastTime,
      bytes: segments.reduce((sum, each) => sum + each.length, 0),
    };
  }

  /** An expired segment that is still written to is sealed first, so that it can go as a whole. */
  async function sealActive(): Promise<void> {
    planNext();
    try {
      await roll(planned);
    } catch (error) {
      logger.warn({ path: planned.path, error: (error as Error).message }, 'segment not sealed');
      removeQuietly(planned.path);
      const waiting = pending;
      pending = [];
      bytesPending = 0;
      rewind();
      for (const each of waiting) each.reject(error as Error);
    }
    await flush();
  }

  async function retain(limits: { maxAge: number; maxBytes: number }): Promise<number> {
    const before = segments[0]!.firstSequence;
    const isStale = active.endSequence > active.firstSequence && now() - active.lastTime > limits.maxAge;
    if (isStale && flushing === undefined && !closed && !broken) {
      flushing = sealActive();
      await flushing;
    }
    let bytes = segments.reduce((sum, each) => sum + each.length, 0);
    while (segments.length > 1) {
      const oldest = segments[0]!;
      if (now() - oldest.lastTime <= limits.maxAge && bytes <= limits.maxBytes) break;
      segments.shift();
      unlinkSync(oldest.path);
      bytes -= oldest.length;
      // One at a time: a later removal that outlived an earlier one would look like a missing segment at the start.
      await disk.syncFolder(options.directory);
    }
    return segments[0]!.firstSequence - before;
  }

  return {
    append,
    state,
    retain,
    locate: (start) => locate(segments, start),
    cursor: (sequence) => createCursor({ segments, state, sequence }),
    onCommit(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pendingBytes: () => bytesPending,
    failure: () => broken,
    async close() {
      if (closed) return;
      closed = true;
      await flushing;
      closeSync(file.descriptor);
    },
  };
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never created.
  }
}
