import { type FrozenChunks, keep } from './frozen-chunks';
import { isNewDated } from './identities';

/**
 * The raw readings of many leaves in one buffer, without an object a reading: a leaf is a chain of chunks, oldest to
 * newest by slot, each a header and up to twelve readings of 20 bytes. A chunk is 256 bytes, so that the reading that
 * comes and the one it is compared with mostly share a cache line.
 *
 * A ring in a buffer of its own was weighed: 250,000 leaves then cost 500 bytes each before their first reading, and
 * the collector visits all of them.
 */
export interface Chunks {
  words: Uint32Array;
  /** The same bytes: the values in it are not aligned to eight. */
  view: DataView;
  /** Chunks ever given out, the one that is none included. */
  used: number;
  /** First of those given back, chained by NEWER; NONE for none. */
  free: number;
  /** Identities of one slot of one leaf, where it holds too many to look at one by one. */
  crowds: Map<number, Set<number>>;
  /** By leaf, which is a number from 1 on: its oldest and newest chunk, and the slot of its newest reading. */
  first: Uint32Array;
  last: Uint32Array;
  newest: Uint32Array;
  /** By leaf: observedAt of the newest reading given up; -1 for none. */
  evictedAt: Float64Array;
  /** While a snapshot reads what was held when it began. */
  frozen: FrozenChunks | undefined;
}

/** No chunk, and no leaf. */
export const NONE = 0;

export const CHUNK_WORDS = 64;
export const HEADER = 4;
export const OLDER = 0;
export const NEWER = 1;
export const COUNT = 2;

/** Words a reading, and where they stand; the value is a double behind them. */
export const READING = 5;
export const SLOT = 0;
export const IDENTITY = 1;
export const DEVICE = 2;
export const VALUE = 3;

const CAPACITY = (CHUNK_WORDS - HEADER) / READING;
const HALF = CAPACITY / 2;
const SMALLEST = 64;

/** @param readings how many it should have room for at first. Pages that were never written cost no memory. */
export function createChunks(readings: number): Chunks {
  const words = new Uint32Array(Math.max(SMALLEST, Math.ceil(readings / HALF)) * CHUNK_WORDS);
  return {
    words,
    view: new DataView(words.buffer),
    used: 1,
    free: NONE,
    crowds: new Map(),
    first: new Uint32Array(SMALLEST),
    last: new Uint32Array(SMALLEST),
    newest: new Uint32Array(SMALLEST),
    evictedAt: new Float64Array(SMALLEST).fill(-1),
    frozen: undefined,
  };
}

/** Makes the columns by leaf long enough. */
export function makeRoomForLeaf(chunks: Chunks, leaf: number): void {
  if (leaf < chunks.first.length) return;
  const length = Math.max(leaf + 1, Math.ceil(chunks.first.length * 1.5));
  chunks.first = longer(chunks.first, length);
  chunks.last = longer(chunks.last, length);
  chunks.newest = longer(chunks.newest, length);
  const evictedAt = new Float64Array(length).fill(-1);
  evictedAt.set(chunks.evictedAt);
  chunks.evictedAt = evictedAt;
}

export function longer(column: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(column);
  return larger;
}

/**
 * Puts a reading in its place by slot. What a leaf holds up to `gone` may be given up meanwhile.
 *
 * @param dated whether the reading is identified by its point and instant: one that is held already is not taken.
 * @returns whether it was taken.
 */
export function insert(
  chunks: Chunks,
  leaf: number,
  slot: number,
  identity: number,
  device: number,
  value: number,
  dated: boolean,
  gone: number,
): boolean {
  let chunk = chunks.last[leaf]!;
  if (chunk !== NONE && chunks.words[chunk * CHUNK_WORDS + COUNT] === CAPACITY) {
    evict(chunks, leaf, gone);
    chunk = chunks.last[leaf]!;
  }
  if (chunk === NONE) {
    chunk = allocate(chunks);
    chunks.first[leaf] = chunk;
    chunks.last[leaf] = chunk;
    put(chunks, chunk, 0, slot, identity, device, value);
    if (slot > chunks.newest[leaf]!) chunks.newest[leaf] = slot;
    return true;
  }
  const { words } = chunks;
  while (words[chunk * CHUNK_WORDS + HEADER + SLOT]! > slot) {
    const older = words[chunk * CHUNK_WORDS + OLDER]!;
    if (older === NONE) break;
    chunk = older;
  }
  let at = words[chunk * CHUNK_WORDS + COUNT]!;
  let before = chunk * CHUNK_WORDS + HEADER + (at - 1) * READING;
  while (at > 0 && words[before + SLOT]! > slot) {
    at--;
    before -= READING;
  }
  if (dated && at > 0 && words[before + SLOT] === slot) {
    if (!isNewDated(chunks, leaf, chunk, at - 1, slot, identity)) return false;
  }
  if (words[chunk * CHUNK_WORDS + COUNT] === CAPACITY) {
    const added = allocateBehind(chunks, leaf, chunk);
    if (at === CAPACITY) {
      chunk = added;
      at = 0;
    } else {
      moveUpperHalf(chunks, chunk, added);
      if (at > HALF) {
        chunk = added;
        at -= HALF;
      }
    }
  }
  put(chunks, chunk, at, slot, identity, device, value);
  if (slot > chunks.newest[leaf]!) chunks.newest[leaf] = slot;
  return true;
}

/** Puts readings that stand in order of their slots, five words each, behind what a leaf holds, which is none newer. */
export function appendAll(
  chunks: Chunks,
  leaf: number,
  readings: Uint32Array,
  begin: number,
  end: number,
): void {
  for (let at = begin; at < end; at += CAPACITY * READING) {
    const upTo = Math.min(end, at + CAPACITY * READING);
    const older = chunks.last[leaf]!;
    const chunk = older === NONE ? allocate(chunks) : allocateBehind(chunks, leaf, older);
    if (older === NONE) chunks.first[leaf] = chunk;
    chunks.last[leaf] = chunk;
    const { words } = chunks;
    words[chunk * CHUNK_WORDS + COUNT] = (upTo - at) / READING;
    const to = chunk * CHUNK_WORDS + HEADER - at;
    for (let i = at; i < upTo; i++) words[to + i] = readings[i]!;
    const newest = words[to + upTo - READING + SLOT]!;
    if (newest > chunks.newest[leaf]!) chunks.newest[leaf] = newest;
  }
}

/** Gives up every chunk that holds nothing observed after `gone`. */
export function evict(chunks: Chunks, leaf: number, gone: number): void {
  const { words, crowds } = chunks;
  let chunk = chunks.first[leaf]!;
  while (chunk !== NONE) {
    const begin = chunk * CHUNK_WORDS;
    const end = begin + HEADER + words[begin + COUNT]! * READING;
    if (words[end - READING + SLOT]! > gone) break;
    for (let at = begin + HEADER; at < end; at += READING) {
      const slot = words[at + SLOT]!;
      const observedAt = observedAtOf(slot, words[at + IDENTITY]!);
      if (observedAt > chunks.evictedAt[leaf]!) chunks.evictedAt[leaf] = observedAt;
      if (crowds.size > 0) crowds.delete(crowdKey(leaf, slot));
    }
    const newer = words[begin + NEWER]!;
    keep(chunks, chunk);
    words[begin + NEWER] = chunks.free;
    chunks.free = chunk;
    chunk = newer;
  }
  chunks.first[leaf] = chunk;
  if (chunk === NONE) chunks.last[leaf] = NONE;
  else {
    keep(chunks, chunk);
    words[chunk * CHUNK_WORDS + OLDER] = NONE;
  }
}

/** How many milliseconds before the end of its second a reading was observed stands in the low bits of its identity. */
export const AGE_MASK = 1023;

export function observedAtOf(slot: number, identity: number): number {
  return slot * 1000 - (identity & AGE_MASK);
}

export function crowdKey(leaf: number, slot: number): number {
  return leaf * 2 ** 32 + slot;
}

function put(
  chunks: Chunks,
  chunk: number,
  at: number,
  slot: number,
  identity: number,
  device: number,
  value: number,
): void {
  const { words, view } = chunks;
  if (chunks.frozen !== undefined) keep(chunks, chunk);
  const begin = chunk * CHUNK_WORDS;
  const count = words[begin + COUNT]!;
  const word = begin + HEADER + at * READING;
  if (at < count) words.copyWithin(word + READING, word, begin + HEADER + count * READING);
  words[begin + COUNT] = count + 1;
  words[word + SLOT] = slot;
  words[word + IDENTITY] = identity;
  words[word + DEVICE] = device;
  view.setFloat64((word + VALUE) * 4, value, true);
}

function moveUpperHalf(chunks: Chunks, from: number, to: number): void {
  keep(chunks, from);
  keep(chunks, to);
  const { words } = chunks;
  const begin = from * CHUNK_WORDS + HEADER + HALF * READING;
  words.copyWithin(to * CHUNK_WORDS + HEADER, begin, begin + HALF * READING);
  words[from * CHUNK_WORDS + COUNT] = HALF;
  words[to * CHUNK_WORDS + COUNT] = HALF;
}

/** A new chunk between one of a leaf's and the next newer. */
function allocateBehind(chunks: Chunks, leaf: number, chunk: number): number {
  const added = allocate(chunks);
  const { words } = chunks;
  const newer = words[chunk * CHUNK_WORDS + NEWER]!;
  keep(chunks, chunk);
  if (newer !== NONE) keep(chunks, newer);
  words[added * CHUNK_WORDS + OLDER] = chunk;
  words[added * CHUNK_WORDS + NEWER] = newer;
  words[chunk * CHUNK_WORDS + NEWER] = added;
  if (newer === NONE) chunks.last[leaf] = added;
  else words[newer * CHUNK_WORDS + OLDER] = added;
  return added;
}

function allocate(chunks: Chunks): number {
  let chunk = chunks.free;
  if (chunk === NONE) {
    chunk = chunks.used++;
    const needed = chunks.used * CHUNK_WORDS;
    if (needed > chunks.words.length) {
      chunks.words = longer(chunks.words, Math.ceil(needed / CHUNK_WORDS / 2) * 3 * CHUNK_WORDS);
      chunks.view = new DataView(chunks.words.buffer);
    }
  } else chunks.free = chunks.words[chunk * CHUNK_WORDS + NEWER]!;
  keep(chunks, chunk);
  const begin = chunk * CHUNK_WORDS;
  chunks.words[begin + OLDER] = NONE;
  chunks.words[begin + NEWER] = NONE;
  chunks.words[begin + COUNT] = 0;
  return chunk;
}
