/**
 * Which readings of one building were already counted, by identity, for as long as they can matter.
 *
 * Keys stand in open-addressed Float64Arrays, one set a generation of `GENERATION_SECONDS`, so that expiry drops a whole
 * set and no reading ever costs an object. A dated key is `pointOrdinal * 2^32 + observedAt mod 2^32`: a safe integer up
 * to ordinal 2^21, and unambiguous because a generation spans far less than 2^32 ms.
 */
export interface Identities {
  generations: Generation[];
}

interface Generation {
  epoch: number;
  /** Key + 1; 0 is free. The length is a power of two. */
  keys: Float64Array;
  size: number;
  /** Undated readings stamped in this generation; made when the first comes. */
  undated: Set<string> | undefined;
}

const GENERATION_SECONDS = 128;
const SMALLEST = 16;
const TWO_32 = 2 ** 32;

/** Ordinals are dense from 0; one at or beyond this is damage, and its key would no longer be exact. */
export const ORDINAL_LIMIT = 2 ** 21;

export function createIdentities(): Identities {
  return { generations: [] };
}

/** @returns whether this identity is new. The first in stream order stands. */
export function addDated(
  identities: Identities,
  pointOrdinal: number,
  observedAt: number,
  slot: number,
): boolean {
  const generation = generationOf(identities, slot);
  if (generation.size * 5 >= generation.keys.length * 3) grow(generation);
  const low = observedAt % TWO_32;
  if (!insert(generation.keys, pointOrdinal * TWO_32 + (low < 0 ? low + TWO_32 : low) + 1)) return false;
  generation.size++;
  return true;
}

/**
 * An undated reading sent again carries another stamp, so every remembered generation is asked. What was stamped before
 * the oldest of them is forgotten: a message repeated later than that counts again.
 *
 * @returns whether this identity is new; without a message id every arrival is.
 */
export function addUndated(
  identities: Identities,
  pointOrdinal: number,
  messageId: string | null,
  messageIndex: number,
  slot: number,
): boolean {
  if (messageId === null) return true;
  const key = `${pointOrdinal}/${messageIndex}/${messageId}`;
  for (const { undated } of identities.generations) if (undated?.has(key)) return false;
  const generation = generationOf(identities, slot);
  generation.undated ??= new Set();
  generation.undated.add(key);
  return true;
}

/** Forgets generations whose every slot is at or before `slot`. */
export function expireIdentities(identities: Identities, slot: number): void {
  const first = Math.floor((slot + 1) / GENERATION_SECONDS);
  if (identities.generations.some((generation) => generation.epoch < first)) {
    identities.generations = identities.generations.filter((generation) => generation.epoch >= first);
  }
}

function generationOf(identities: Identities, slot: number): Generation {
  const epoch = Math.floor(slot / GENERATION_SECONDS);
  const { generations } = identities;
  // The newest stand last and are asked for most.
  for (let i = generations.length - 1; i >= 0; i--)
    if (generations[i]!.epoch === epoch) return generations[i]!;
  const generation: Generation = { epoch, keys: new Float64Array(SMALLEST), size: 0, undated: undefined };
  generations.push(generation);
  return generation;
}

function insert(keys: Float64Array, key: number): boolean {
  const mask = keys.length - 1;
  let hash = Math.imul((key / TWO_32) | 0, 0x9e3779b1) ^ Math.imul((key % TWO_32) | 0, 0x85ebca6b);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  let at = (hash ^ (hash >>> 13)) & mask;
  for (;;) {
    const found = keys[at]!;
    if (found === key) return false;
    if (found === 0) {
      keys[at] = key;
      return true;
    }
    at = (at + 1) & mask;
  }
}

function grow(generation: Generation): void {
  const larger = new Float64Array(generation.keys.length * 2);
  for (const key of generation.keys) if (key !== 0) insert(larger, key);
  generation.keys = larger;
}

/** As it stands in a snapshot. */
export type PackedIdentities = {
  epoch: number;
  size: number;
  keys: Float64Array;
  undated: string[] | null;
}[];

export function packIdentities({ generations }: Identities): PackedIdentities {
  return generations.map(({ epoch, size, keys, undated }) => ({
    epoch,
    size,
    keys,
    undated: undated ? [...undated] : null,
  }));
}

export function unpackIdentities(packed: PackedIdentities): Identities {
  return {
    generations: packed.map(({ epoch, size, keys, undated }) => ({
      epoch,
      size,
      // A copy of its own: what was read is a view into the whole snapshot, and would hold on to it.
      keys: keys.slice(),
      undated: undated ? new Set(undated) : undefined,
    })),
  };
}
