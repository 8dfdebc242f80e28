import { CHUNK_WORDS, type Chunks, longer } from './chunks';

/**
 * The chunks as they were at one instant, while their owner goes on: a chunk is copied just before it is first written
 * after that, and read in place until then. What a snapshot stands still for so follows from what is written meanwhile,
 * not from what is held: all of 125,000 points copied at once took 70 ms.
 */
export interface FrozenChunks {
  /** Chunks given out by then: those behind are later ones. */
  readonly used: number;
  /** By chunk: where its copy begins in `copies`, in chunks and from 1 on; 0 where it was not written since. */
  readonly copyOf: Uint32Array;
  copies: Uint32Array;
  copied: number;
}

const SMALLEST = 64;

/** Only one at a time is held: a second one takes the place of the first, which must not be read any more. */
export function freezeChunks(chunks: Chunks): FrozenChunks {
  const { used } = chunks;
  return (chunks.frozen = {
    used,
    copyOf: new Uint32Array(used),
    copies: new Uint32Array(SMALLEST * CHUNK_WORDS),
    copied: 0,
  });
}

export function release(chunks: Chunks, frozen: FrozenChunks): void {
  if (chunks.frozen === frozen) chunks.frozen = undefined;
}

/** To be called before any word of a chunk is written. */
export function keep(chunks: Chunks, chunk: number): void {
  const { frozen } = chunks;
  if (frozen === undefined || chunk >= frozen.used || frozen.copyOf[chunk] !== 0) return;
  const at = frozen.copied++ * CHUNK_WORDS;
  if (at === frozen.copies.length) frozen.copies = longer(frozen.copies, 2 * at);
  const begin = chunk * CHUNK_WORDS;
  frozen.copies.set(chunks.words.subarray(begin, begin + CHUNK_WORDS), at);
  frozen.copyOf[chunk] = frozen.copied;
}

/** Where a chunk stands as it was: its first word, in `copies` where it was written since, else in the chunks' own words. */
export function frozenWords(chunks: Chunks, frozen: FrozenChunks, chunk: number): [Uint32Array, number] {
  if (chunks.frozen !== frozen) throw new Error('the chunks were frozen again before this one was read');
  const copy = frozen.copyOf[chunk]!;
  return copy === 0 ? [chunks.words, chunk * CHUNK_WORDS] : [frozen.copies, (copy - 1) * CHUNK_WORDS];
}
