import { createHash } from 'node:crypto';
import { packInstants, packRows, unpackInstants, unpackRows } from './recent-columns';
import { type LatestReading, type RecentBatch, type RecentColumns, type RecentPoint } from './recent';

/**
 * The documents of the container `recent`, key `/buildingId`.
 *
 * - `rr_<chunk>_<tenant>_<incarnation>-<partition>-<first>-<last>-<digest>`: what one write brought of the readings that
 *   were observed in ten minutes, those of the events from `first` to `last`. Never changed: a batch that is written again
 *   has the same id and says the same. One that says something else stands beside it, and readers count each identity
 *   once: of other boundaries, or of the same by an owner that began later and left out repeats that it could not tell.
 *   The release before named no digest.
 * - `latest_<tenant>_<block>`: the newest reading of each of 500 neighbouring points.
 * - `held`: from when on the building's readings are stored.
 *
 * And under the key `stream_<incarnation>-<partition>`, `recording`: from when on the partition's readings are stored.
 */
export interface RecentDocument {
  id: string;
  type: 'recent';
  buildingId: string;
  tenantId: string;
  /** Minutes since 1970. */
  firstMinute: number;
  incarnation: string;
  partition: number;
  first: number;
  last: number;
  devices: [deviceId: string, ordinal: number][];
  spaces: string[];
  points: [pointId: string, ordinal: number, device: number, space: number, quantity: number][];
  count: number;
  /** `packRows`, in base64: instants from the chunk's first minute on, sequences from `first` on. */
  rows: string;
  /** `packInstants` of receivedAt, in base64; the release before did not write it. */
  received?: string;
  /** Left out where there are none. The release before did not write the row in the event. */
  undated?: [row: number, messageId: string | null, messageIndex: number, frameRow?: number][];
  ttl: number;
  _etag?: string;
}

/** In base64, by ordinal less the block's first: little-endian doubles of observedAt (0: none) and value, then the device's ordinal. */
export interface LatestDocument {
  id: string;
  type: 'latest';
  buildingId: string;
  tenantId: string;
  block: number;
  rows: string;
  _etag?: string;
}

export interface HeldDocument {
  id: 'held';
  type: 'held';
  buildingId: string;
  /** Milliseconds since 1970 of observedAt. */
  heldFrom: number;
  /** For how long what is written lives. */
  keepSeconds: number;
  _etag?: string;
}

export interface RecordingDocument {
  id: 'recording';
  type: 'recording';
  /** `stream_<incarnation>-<partition>`: no building's id. */
  buildingId: string;
  /** Milliseconds since 1970 of observedAt. */
  recordedFrom: number;
}

export const RECENT_CHUNK_MINUTES = 10;
const CHUNK_MS = RECENT_CHUNK_MINUTES * 60_000;
/** The last minute, in 2160, that has eight digits. */
const LAST_MINUTE = 99_999_999;

/** The chunk that holds an instant, by its first minute since 1970. */
export function recentChunkOf(observedAt: number): number {
  const minute = Math.floor(observedAt / CHUNK_MS) * RECENT_CHUNK_MINUTES;
  return Math.min(Math.max(minute, 0), LAST_MINUTE);
}

/** The ids of a chunk's documents begin with this; so they order as their chunks do. */
export function recentPrefix(firstMinute: number): string {
  return `rr_${String(firstMinute).padStart(8, '0')}_`;
}

/** What one write holds of each chunk, a document each. More rows than fit into one stand in several. */
export function recentDocuments(batch: RecentBatch, ttl: number): RecentDocument[] {
  const rowsOfChunk = new Map<number, number[]>();
  for (let row = 0; row < batch.count; row++) {
    const chunk = recentChunkOf(batch.observedAt[row]!);
    const rows = rowsOfChunk.get(chunk);
    if (rows) rows.push(row);
    else rowsOfChunk.set(chunk, [row]);
  }
  const undated = new Map(batch.undated.map((each) => [each.row, each]));
  return [...rowsOfChunk].flatMap(([chunk, rows]) => {
    const documents: RecentDocument[] = [];
    for (let from = 0; from < rows.length;) {
      let to = Math.min(rows.length, from + ROWS_A_DOCUMENT);
      // An event's rows stay together, so that the boundaries name what is inside.
      while (to < rows.length && batch.sequence[rows[to]!] === batch.sequence[rows[to - 1]!]) to++;
      documents.push(recentDocument(batch, chunk, rows.slice(from, to), undated, ttl));
      from = to;
    }
    return documents;
  });
}

/** Of 10 to 15 bytes each, and at most 100 for each point: far below Cosmos's 2 MB. */
const ROWS_A_DOCUMENT = 5_000;
/** 60 bits: it tells apart a handful of documents of the same events. */
const DIGEST_LENGTH = 10;

function recentDocument(
  batch: RecentBatch,
  firstMinute: number,
  rows: readonly number[],
  undatedOf: ReadonlyMap<number, RecentBatch['undated'][number]>,
  ttl: number,
): RecentDocument {
  const { tenantId, buildingId, incarnation, partition, sequence } = batch;
  const first = sequence[rows[0]!]!;
  const last = sequence[rows.at(-1)!]!;
  const devices = indexed<[string, number]>();
  const spaces = indexed<string>();
  const points: RecentDocument['points'] = [];
  const indexes = new Map<number, number>();
  for (const row of rows) {
    const index = batch.point[row]!;
    if (indexes.has(index)) continue;
    const { pointId, pointOrdinal, deviceId, deviceOrdinal, spaceId, quantity } = batch.points[index]!;
    const device = devices.indexOf(`${deviceOrdinal} ${deviceId}`, [deviceId, deviceOrdinal]);
    indexes.set(index, points.length);
    points.push([pointId, pointOrdinal, device, spaces.indexOf(spaceId, spaceId), quantity]);
  }
  const undated = rows.flatMap((row, index): NonNullable<RecentDocument['undated']> => {
    const found = undatedOf.get(row);
    if (found === undefined) return [];
    const { messageId, messageIndex, frameRow } = found;
    if (frameRow === undefined) return [[index, messageId, messageIndex]];
    return [[index, messageId, messageIndex, frameRow]];
  });
  const packed = packRows(batch, rows, firstMinute * 60_000, first, (index) => indexes.get(index)!);
  const digest = createHash('sha256')
    .update(JSON.stringify([devices.all, spaces.all, points, undated]))
    .update(packed)
    .digest('base64url')
    .slice(0, DIGEST_LENGTH);
  return {
    id: `${recentPrefix(firstMinute)}${tenantId}_${incarnation}-${partition}-${first}-${last}-${digest}`,
    type: 'recent',
    buildingId,
    tenantId,
    firstMinute,
    incarnation,
    partition,
    first,
    last,
    devices: devices.all,
    spaces: spaces.all,
    points,
    count: rows.length,
    rows: packed.toString('base64'),
    ...(batch.receivedAt && {
      received: packInstants(batch.receivedAt, rows, firstMinute * 60_000).toString('base64'),
    }),
    ...(undated.length > 0 && { undated }),
    ttl,
  };
}

/** @throws RangeError for a damaged document. */
export function recentColumns(document: RecentDocument): RecentColumns {
  const { devices, spaces, count, firstMinute, first } = document;
  const points = document.points.map(([pointId, pointOrdinal, device, space, quantity]): RecentPoint => {
    const of = devices[device];
    const spaceId = spaces[space];
    if (of === undefined || spaceId === undefined) throw new RangeError('a point names no device or space');
    return { pointId, pointOrdinal, deviceId: of[0], deviceOrdinal: of[1], spaceId, quantity };
  });
  const undated = (document.undated ?? []).map(([row, messageId, messageIndex, frameRow]) => ({
    row,
    messageId,
    messageIndex,
    ...(frameRow !== undefined && { frameRow }),
  }));
  const bytes = Buffer.from(document.rows, 'base64');
  const columns = unpackRows(bytes, count, firstMinute * 60_000, first, points, undated);
  if (document.received === undefined) return columns;
  const received = Buffer.from(document.received, 'base64');
  return { ...columns, receivedAt: unpackInstants(received, count, firstMinute * 60_000) };
}

/** How many points, by ordinal, share a document of latest readings. */
export const LATEST_BLOCK_POINTS = 500;
const LATEST_BYTES = 20;

export function latestBlockOf(pointOrdinal: number): number {
  return Math.floor(pointOrdinal / LATEST_BLOCK_POINTS);
}

export function latestIdOf(tenantId: string, block: number): string {
  return `latest_${tenantId}_${String(block).padStart(6, '0')}`;
}

/** What a document holds, decoded. */
export type LatestRows = Buffer;

export function latestRowsOf({ rows }: LatestDocument): LatestRows {
  return Buffer.from(rows, 'base64');
}

export function latestAt(bytes: LatestRows, pointOrdinal: number): LatestReading | null {
  const at = (pointOrdinal % LATEST_BLOCK_POINTS) * LATEST_BYTES;
  if (at + LATEST_BYTES > bytes.length) return null;
  const observedAt = bytes.readDoubleLE(at);
  if (observedAt === 0) return null;
  return { observedAt, value: bytes.readDoubleLE(at + 8), deviceOrdinal: bytes.readUInt32LE(at + 16) };
}

/**
 * The document with what is newer, or undefined where nothing is. By the later instant, and of one instant the first, so
 * that owners may write in any order.
 */
export function mergedLatest(
  stored: LatestDocument | null,
  owner: { tenantId: string; buildingId: string },
  block: number,
  newest: ReadonlyMap<number, LatestReading>,
): LatestDocument | undefined {
  const before = Buffer.from(stored?.rows ?? '', 'base64');
  const highest = Math.max(...newest.keys()) % LATEST_BLOCK_POINTS;
  const bytes = Buffer.alloc(Math.max(before.length, (highest + 1) * LATEST_BYTES));
  before.copy(bytes);
  let changed = false;
  for (const [ordinal, { observedAt, value, deviceOrdinal }] of newest) {
    const at = (ordinal % LATEST_BLOCK_POINTS) * LATEST_BYTES;
    if (observedAt <= bytes.readDoubleLE(at)) continue;
    bytes.writeDoubleLE(observedAt, at);
    bytes.writeDoubleLE(value, at + 8);
    bytes.writeUInt32LE(deviceOrdinal, at + 16);
    changed = true;
  }
  if (!changed) return undefined;
  const { tenantId, buildingId } = owner;
  return {
    ...stored,
    id: latestIdOf(tenantId, block),
    type: 'latest',
    buildingId,
    tenantId,
    block,
    rows: bytes.toString('base64'),
  };
}

function indexed<T>(): { all: T[]; indexOf(key: string, value: T): number } {
  const all: T[] = [];
  const indexes = new Map<string, number>();
  return {
    all,
    indexOf(key, value) {
      let index = indexes.get(key);
      if (index === undefined) {
        index = all.push(value) - 1;
        indexes.set(key, index);
      }
      return index;
    },
  };
}
