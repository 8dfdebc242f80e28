import { promisify } from 'node:util';
import { setImmediate } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { type BuildingAverage } from '../domain/window';
import { type CheckpointEvent } from '../stream/consumer';
import { type AlertsSnapshot } from './alerts/partition-alerts';
import { type PackedPart } from './packed';
import { type PackedRecent } from './recent/recent';

/** What a snapshot begins with; the buildings follow, some at a time. */
export interface SnapshotHead {
  /** The last event applied. */
  sequence: number;
  /**
   * The position: reading goes on behind this event. What lies between it and `sequence` was counted, but is not all stored
   * as recent readings yet. The release before wrote none: there it is the last event applied.
   */
  from?: number;
  /** T, seconds since 1970. */
  second: number;
  knownFrom: number;
  incarnation: string;
  partition: number;
  /** Minute points that were computed and are not known to be stored. */
  points: BuildingAverage[];
  /** Where a replay without a snapshot could begin. */
  marks: { event: CheckpointEvent; enqueuedAt: number }[];
  /** Left out where no recent readings are stored. */
  recent?: PackedRecent;
  /** Left out in snapshots of the releases before, which pass it by. */
  alerts?: AlertsSnapshot;
}

export interface Snapshot {
  head: SnapshotHead;
  parts: PackedPart[];
}

/** A snapshot that is none, is damaged, or is of another release: its partition is replayed instead. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/**
 * `ATRSNAP` and a version, then zstd with its checksum over parts, each the length and the structured-clone bytes of
 * an object. A version that is not known is refused: an older release replays from its checkpoint, which stays where it
 * would have put it itself.
 */
const MAGIC = Buffer.from('ATRSNAP3');
/** Of the release before, whose parts say less. */
const READ_TOO = Buffer.from('ATRSNAP2');
const SLICE_MS = 8;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/**
 * Packs in slices, so that nothing else is held up; `state` is what was held at one instant.
 */
export async function packSnapshot(head: SnapshotHead, state: Iterable<PackedPart>): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  const add = (part: SnapshotHead | PackedPart): void => {
    const bytes = serialize(part);
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  };
  add(head);
  let sliceEnds = performance.now() + SLICE_MS;
  for (const part of state) {
    add(part);
    if (performance.now() < sliceEnds) continue;
    await setImmediate();
    sliceEnds = performance.now() + SLICE_MS;
  }
  return parts;
}

/** The bytes to store. Compresses beside the event loop. */
export async function sealSnapshot(parts: readonly Buffer[]): Promise<Buffer> {
  const body = await compress(Buffer.concat(parts), {
    params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  return Buffer.concat([MAGIC, body]);
}

/** @throws SnapshotError */
export async function openSnapshot(body: Buffer): Promise<Snapshot> {
  const magic = body.subarray(0, MAGIC.length);
  if (!magic.equals(MAGIC) && !magic.equals(READ_TOO)) {
    throw new SnapshotError('no snapshot that this release reads');
  }
  try {
    const bytes = await decompress(body.subarray(MAGIC.length));
    const found: unknown[] = [];
    let sliceEnds = performance.now() + SLICE_MS;
    for (let at = 0; at < bytes.length;) {
      const length = bytes.readUInt32LE(at);
      if (at + 4 + length > bytes.length) throw new Error('it ends in the middle of a part');
      found.push(deserialize(bytes.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
      if (performance.now() < sliceEnds) continue;
      await setImmediate();
      sliceEnds = performance.now() + SLICE_MS;
    }
    const [head, ...parts] = found as [SnapshotHead, ...PackedPart[]];
    if (!Number.isSafeInteger(head?.sequence)) throw new Error('it names no position');
    return { head, parts };
  } catch (error) {
    throw new SnapshotError(`damaged snapshot of ${body.length} bytes: ${(error as Error).message}`);
  }
}
