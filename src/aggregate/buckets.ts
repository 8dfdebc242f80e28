/**
 * Sums of single seconds, ascending by slot, in [start, end) of one buffer: what one reading touches lies in one cache
 * line, which at 10,000 buildings is what its cost is made of.
 */
export interface Buckets {
  start: number;
  end: number;
  /** The same buffer twice: REALS doubles and WORDS unsigned integers a bucket. */
  reals: Float64Array;
  words: Uint32Array;
}

/** Doubles a bucket, and where they stand. */
export const REALS = 5;
export const SUM = 0;
export const MINIMUM = 1;
export const MAXIMUM = 2;

/** Words a bucket, and where they stand: behind the three doubles. */
export const WORDS = 10;
export const SLOT = 6;
export const COUNT = 7;
/** First link of the bucket's chain of devices, plus 1; 0 for none. */
export const CHAIN = 8;
/** How many milliseconds before the end of its second the bucket's newest reading was observed. */
export const AGE = 9;

const BYTES = REALS * 8;
const SMALLEST = 6;
const OLDER_THAN_ANY = 0xffff;

export function createBuckets(): Buckets {
  const buffer = new ArrayBuffer(SMALLEST * BYTES);
  return { start: 0, end: 0, reals: new Float64Array(buffer), words: new Uint32Array(buffer) };
}

/** The index of the first bucket whose slot is greater. */
export function firstAfter({ start, end, words }: Buckets, slot: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[middle * WORDS + SLOT]! <= slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the slot's bucket, or the one before which it would stand, as `-1 - index`. */
export function find(buckets: Buckets, slot: number): number {
  const { start, words } = buckets;
  let at = buckets.end;
  // Most readings belong to the last few seconds.
  for (let steps = 0; at > start; steps++, at--) {
    const before = words[(at - 1) * WORDS + SLOT]!;
    if (before === slot) return at - 1;
    if (before < slot) break;
    if (steps === 8) {
      at = firstAfter(buckets, slot - 1);
      if (words[at * WORDS + SLOT] === slot) return at;
      break;
    }
  }
  return -1 - at;
}

/** Puts an empty bucket before the one at an index. There must be room. */
export function insertBucket(buckets: Buckets, at: number, slot: number): void {
  const { reals, words, end } = buckets;
  if (at < end) words.copyWithin((at + 1) * WORDS, at * WORDS, end * WORDS);
  buckets.end++;
  reals[at * REALS + SUM] = 0;
  reals[at * REALS + MINIMUM] = Infinity;
  reals[at * REALS + MAXIMUM] = -Infinity;
  words[at * WORDS + SLOT] = slot;
  words[at * WORDS + COUNT] = 0;
  words[at * WORDS + CHAIN] = 0;
  words[at * WORDS + AGE] = OLDER_THAN_ANY;
}

/** Makes room for one more. @returns by how much every index went down. */
export function makeRoom(buckets: Buckets): number {
  const { start, end, words } = buckets;
  const capacity = words.length / WORDS;
  if (end < capacity) return 0;
  if (start * 4 >= capacity) {
    words.copyWithin(0, start * WORDS, end * WORDS);
    buckets.start = 0;
    buckets.end = end - start;
    return start;
  }
  const buffer = new ArrayBuffer(Math.ceil(capacity * 1.5) * BYTES);
  buckets.reals = new Float64Array(buffer);
  buckets.words = new Uint32Array(buffer);
  buckets.words.set(words);
  return 0;
}

/** Those in [start, end), from 0 on, with a buffer of their own. */
export function bucketsFrom(words: Uint32Array): Buckets {
  const end = words.length / WORDS;
  const buffer = new ArrayBuffer(Math.max(SMALLEST, end) * BYTES);
  const own = new Uint32Array(buffer);
  own.set(words);
  return { start: 0, end, reals: new Float64Array(buffer), words: own };
}
