import { protocolOfCode } from '../domain/device-protocol';
import { type LastSeen, type SeenChunk, type SeenKey } from './device-activity';
import { type DeviceDocument, SEEN_CHUNK_DEVICES, type SeenDocument } from './documents';

export function seenIdOf(chunk: number): string {
  return `seen:${String(chunk).padStart(6, '0')}`;
}

export function chunkOfOrdinal(ordinal: number): number {
  return Math.trunc(ordinal / SEEN_CHUNK_DEVICES);
}

/** Where a device's last seen is kept since it is its owner's and in its building; null where it never had a place. */
export function seenKeyOf({
  tenantId,
  buildingId,
  spaceId,
  assignments,
}: Pick<DeviceDocument, 'tenantId' | 'buildingId' | 'spaceId' | 'assignments'>): SeenKey | null {
  const own = assignments.filter((each) => each.tenantId === tenantId && each.buildingId === buildingId);
  const last = own.find((each) => each.to === null) ?? own.at(-1);
  if (last === undefined) return null;
  const since = Math.min(...own.map((each) => each.from));
  return { tenantId, buildingId, spaceId, ordinal: last.deviceOrdinal, since };
}

/** What a document holds of one device: 0 where it was never seen, or where the document is damaged there. */
export function seenAt(document: SeenDocument, ordinal: number): { second: number; protocol: number } {
  const { seconds, protocols } = columnsOf(document);
  const row = ordinal % SEEN_CHUNK_DEVICES;
  const second = 4 * row + 4 <= seconds.length ? seconds.readUInt32LE(4 * row) : 0;
  return { second, protocol: protocols[row] ?? 0 };
}

/** When a device was last seen by its owner, by the document that holds its ordinal. */
export function lastSeenIn(document: SeenDocument, { ordinal, since }: SeenKey): LastSeen | null {
  const { second, protocol } = seenAt(document, ordinal);
  const at = second * 1000;
  return second === 0 || at + 1000 <= since ? null : { at, protocol: protocolOfCode(protocol) };
}

/** The document with what is later in the chunk, or undefined where nothing is. */
export function mergedSeen(
  stored: SeenDocument | null,
  buildingId: string,
  chunk: SeenChunk,
): SeenDocument | undefined {
  const before = stored ? columnsOf(stored) : { seconds: Buffer.alloc(0), protocols: Buffer.alloc(0) };
  let rows = chunk.seconds.length;
  while (rows > 0 && chunk.seconds[rows - 1] === 0) rows--;
  rows = Math.max(rows, before.protocols.length);
  const seconds = Buffer.alloc(4 * rows);
  const protocols = Buffer.alloc(rows);
  before.seconds.copy(seconds);
  before.protocols.copy(protocols);
  let changed = false;
  for (let row = 0; row < Math.min(rows, chunk.seconds.length); row++) {
    const second = chunk.seconds[row]!;
    if (second <= seconds.readUInt32LE(4 * row)) continue;
    seconds.writeUInt32LE(second, 4 * row);
    protocols[row] = chunk.protocols[row]!;
    changed = true;
  }
  if (!changed) return undefined;
  return {
    ...stored,
    id: seenIdOf(chunk.index),
    type: 'seen',
    buildingId,
    chunk: chunk.index,
    seconds: seconds.toString('base64'),
    protocols: protocols.toString('base64'),
  };
}

function columnsOf({ seconds, protocols }: SeenDocument): { seconds: Buffer; protocols: Buffer } {
  return { seconds: Buffer.from(seconds, 'base64'), protocols: Buffer.from(protocols, 'base64') };
}
