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

/** The undated messages of one building, a set a generation, so that expiry drops a whole set. */
export type Undated = Map<number, Set<string>>;

const GENERATION_SECONDS = 128;

/**
 * An undated reading sent again carries another stamp, so every remembered generation is asked. What was stamped before
 * the oldest of them is forgotten: a message repeated later than that counts again.
 *
 * @returns whether this identity is new; without a message id every arrival is.
 */
export function addUndated(
  generations: Undated,
  pointOrdinal: number,
  messageId: string | null,
  messageIndex: number,
  slot: number,
): boolean {
  if (messageId === null) return true;
  const key = `${pointOrdinal}/${messageIndex}/${messageId}`;
  for (const generation of generations.values()) if (generation.has(key)) return false;
  const epoch = Math.floor(slot / GENERATION_SECONDS);
  const generation = generations.get(epoch);
  if (generation) generation.add(key);
  else generations.set(epoch, new Set([key]));
  return true;
}

/** Forgets generations whose every slot is at or before `slot`. */
export function expireUndated(generations: Undated, slot: number): void {
  const first = Math.floor((slot + 1) / GENERATION_SECONDS);
  for (const epoch of generations.keys()) if (epoch < first) generations.delete(epoch);
}
