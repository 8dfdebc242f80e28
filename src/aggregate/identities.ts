import { REPEATED_WITHIN_MS } from '../domain/reading';
import {
  CHUNK_WORDS,
  type Chunks,
  COUNT,
  crowdKey,
  HEADER,
  IDENTITY,
  NONE,
  OLDER,
  READING,
  SLOT,
} from './chunks';

/**
 * Whether a reading was already counted. A dated one is identified by its point and instant, and so lies in its leaf
 * under the same slot if it was: the readings that are held are the memory of it, for as long as they are. An undated
 * one is identified by its message, which is remembered apart.
 */

/** Ordinals are dense from 0; one at or beyond this is damage, and its identity would no longer fit. */
export const ORDINAL_LIMIT = 2 ** 21;

/** Undated readings are not told apart by their instants: no dated one is like them. */
const UNDATED = 2 ** 31;

export function identityOf(pointOrdinal: number, slot: number, observedAt: number, dated: boolean): number {
  return pointOrdinal * 1024 + (slot * 1000 - observedAt) + (dated ? 0 : UNDATED);
}

/** More of one leaf in one second than this are not looked at one by one. */
const CROWD = 64;

/**
 * Whether none of the leaf's readings of a slot has this identity; one that is new must then be inserted. `at` is the
 * last of them, in `chunk`. The first in stream order stands.
 */
export function isNewDated(
  chunks: Chunks,
  leaf: number,
  chunk: number,
  at: number,
  slot: number,
  identity: number,
): boolean {
  const { words } = chunks;
  let looked = 0;
  let inChunk = chunk;
  let index = at;
  while (inChunk !== NONE) {
    const begin = inChunk * CHUNK_WORDS + HEADER;
    for (; index >= 0; index--) {
      const word = begin + index * READING;
      if (words[word + SLOT] !== slot) return true;
      if (words[word + IDENTITY] === identity) return false;
      if (++looked > CROWD) return isNewInCrowd(chunks, leaf, chunk, at, slot, identity);
    }
    inChunk = words[inChunk * CHUNK_WORDS + OLDER]!;
    if (inChunk !== NONE) index = words[inChunk * CHUNK_WORDS + COUNT]! - 1;
  }
  return true;
}

function isNewInCrowd(
  chunks: Chunks,
  leaf: number,
  chunk: number,
  at: number,
  slot: number,
  identity: number,
): boolean {
  const key = crowdKey(leaf, slot);
  let crowd = chunks.crowds.get(key);
  if (crowd === undefined) {
    crowd = new Set();
    const { words } = chunks;
    let index = at;
    gathering: for (let each = chunk; each !== NONE; each = words[each * CHUNK_WORDS + OLDER]!) {
      if (each !== chunk) index = words[each * CHUNK_WORDS + COUNT]! - 1;
      for (; index >= 0; index--) {
        const word = each * CHUNK_WORDS + HEADER + index * READING;
        if (words[word + SLOT] !== slot) break gathering;
        crowd.add(words[word + IDENTITY]!);
      }
    }
    chunks.crowds.set(key, crowd);
  }
  if (crowd.has(identity)) return false;
  crowd.add(identity);
  return true;
}

/** The undated messages of one building: when each was last enqueued, milliseconds since 1970, in that order. */
export type Undated = Map<string, number>;

/**
 * An undated reading sent again carries another stamp, so it is told by its message, for as long as `REPEATED_WITHIN_MS`
 * says. To be asked in stream order.
 *
 * @returns whether it is new; without a message id every arrival is.
 */
export function addUndated(
  undated: Undated,
  pointOrdinal: number,
  messageId: string | null,
  messageIndex: number,
  enqueuedAt: number,
): boolean {
  if (messageId === null) return true;
  const key = `${pointOrdinal}/${messageIndex}/${messageId}`;
  const last = undated.get(key);
  // To the end of the line, so that what can be forgotten stands at its beginning.
  if (last !== undefined) undated.delete(key);
  undated.set(key, enqueuedAt);
  return last === undefined || enqueuedAt - last >= REPEATED_WITHIN_MS;
}

/** Forgets what no event enqueued at or after the instant can repeat. */
export function expireUndated(undated: Undated, enqueuedAt: number): void {
  for (const [key, last] of undated) {
    if (enqueuedAt - last < REPEATED_WITHIN_MS) return;
    undated.delete(key);
  }
}
