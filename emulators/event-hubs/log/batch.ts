import { crc32 } from 'node:zlib';

/**
 * One accepted send as it lies on disk. A batch is atomic in Event Hubs, and so it is here: one checksum covers all
 * of its events, and after a crash it is there whole or not at all.
 *
 *     0  magic 'ATLB'            4  crc32 of everything after it
 *     8  length of the body     12  number of events
 *    16  first sequence number  24  enqueued time, ms
 *    32  how much of this file had been synced when the batch was laid down
 *    40  body: for each event its length (4 bytes) and its bytes, an AMQP message as it will be delivered
 */
export const BATCH_HEADER = 40;
export const EVENT_HEADER = 4;
const MAGIC = 0x41544c42;

export interface BatchHeader {
  bodyLength: number;
  count: number;
  firstSequence: number;
  enqueuedTime: number;
  /** Length of the file's synced prefix at the time: a later batch proves that what lies before it was on disk. */
  durableBefore: number;
}

const TWO_32 = 4_294_967_296;

/** Writes a safe non-negative integer as eight bytes, without the cost of a BigInt. */
export function writeUInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(value / TWO_32), at);
  buffer.writeUInt32BE(value % TWO_32, at + 4);
}

export function readUInt64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * TWO_32 + buffer.readUInt32BE(at + 4);
}

/** Completes a batch whose body already stands at `BATCH_HEADER`: `buffer` is exactly the batch. */
export function sealBatch(buffer: Buffer, header: Omit<BatchHeader, 'bodyLength'>): void {
  buffer.writeUInt32BE(MAGIC, 0);
  buffer.writeUInt32BE(buffer.length - BATCH_HEADER, 8);
  buffer.writeUInt32BE(header.count, 12);
  writeUInt64(buffer, header.firstSequence, 16);
  writeUInt64(buffer, header.enqueuedTime, 24);
  writeUInt64(buffer, header.durableBefore, 32);
  buffer.writeUInt32BE(crc32(buffer.subarray(8)), 4);
}

/** The header at `at`, or undefined where no batch begins. Says nothing about the body: see `isIntact`. */
export function readBatchHeader(buffer: Buffer, at: number): BatchHeader | undefined {
  if (at + BATCH_HEADER > buffer.length || buffer.readUInt32BE(at) !== MAGIC) return undefined;
  return {
    bodyLength: buffer.readUInt32BE(at + 8),
    count: buffer.readUInt32BE(at + 12),
    firstSequence: readUInt64(buffer, at + 16),
    enqueuedTime: readUInt64(buffer, at + 24),
    durableBefore: readUInt64(buffer, at + 32),
  };
}

/** Whether the batch at `at`, of this header, is all there and as it was written. */
export function isIntact(buffer: Buffer, at: number, header: BatchHeader): boolean {
  const end = at + BATCH_HEADER + header.bodyLength;
  return end <= buffer.length && crc32(buffer.subarray(at + 8, end)) === buffer.readUInt32BE(at + 4);
}

/** Appends the events of an intact batch to `into`, from the `skip`th on. Each is a view of `buffer`. */
export function collectEvents(
  buffer: Buffer,
  at: number,
  header: BatchHeader,
  skip: number,
  into: Buffer[],
): void {
  let position = at + BATCH_HEADER;
  for (let index = 0; index < header.count; index += 1) {
    const start = position + EVENT_HEADER;
    const end = start + buffer.readUInt32BE(position);
    if (index >= skip) into.push(buffer.subarray(start, end));
    position = end;
  }
}

/** Where the magic next stands at or after `at`, or -1. */
export function findMagic(buffer: Buffer, at: number): number {
  return buffer.indexOf(MAGIC_BYTES, at);
}

const MAGIC_BYTES = Buffer.from('ATLB', 'latin1');
