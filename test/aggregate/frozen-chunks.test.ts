import fc from 'fast-check';
import {
  CHUNK_WORDS,
  type Chunks,
  COUNT,
  createChunks,
  evict,
  HEADER,
  insert,
  makeRoomForLeaf,
  NEWER,
  NONE,
  READING,
} from '../../src/aggregate/chunks';
import { freezeChunks, frozenWords, keep, release } from '../../src/aggregate/frozen-chunks';
import { identityOf } from '../../src/aggregate/identities';

const LEAVES = 4;

interface Step {
  leaf: number;
  slot: number;
  gone: number;
}

const steps = fc.array(
  fc.record({
    leaf: fc.integer({ min: 1, max: LEAVES }),
    slot: fc.integer({ min: 1, max: 400 }),
    /** Above 250 a leaf gives up what it holds to that second. */
    gone: fc.integer({ min: 0, max: 300 }),
  }),
  { minLength: 0, maxLength: 300, size: 'max' },
);

function apply(chunks: Chunks, all: readonly Step[], from: number): void {
  all.forEach(({ leaf, slot, gone }, index) => {
    if (gone > 250) evict(chunks, leaf, gone);
    else insert(chunks, leaf, slot, identityOf(from + index, slot, slot * 1000, true), 1, index, true, 0);
  });
}

/** By leaf, the words of its readings, oldest first. */
function readAll(first: Uint32Array, wordsOf: (chunk: number) => [Uint32Array, number]): number[][] {
  return Array.from({ length: LEAVES }, (_, index) => {
    const readings: number[] = [];
    for (let chunk = first[index + 1]!; chunk !== NONE;) {
      const [words, at] = wordsOf(chunk);
      readings.push(...words.subarray(at + HEADER, at + HEADER + words[at + COUNT]! * READING));
      chunk = words[at + NEWER]!;
    }
    return readings;
  });
}

describe('chunks that are frozen', () => {
  it('are read as they were, however many readings come, are given up and take their places meanwhile', () => {
    fc.assert(
      fc.property(steps, steps, steps, (before, during, after) => {
        const chunks = createChunks(0);
        makeRoomForLeaf(chunks, LEAVES);
        apply(chunks, before, 0);
        const held = readAll(chunks.first, (chunk) => [chunks.words, chunk * CHUNK_WORDS]);
        const first = chunks.first.slice();
        const frozen = freezeChunks(chunks);
        for (const [index, more] of [during, after].entries()) {
          apply(chunks, more, 1_000 * (index + 1));
          expect(readAll(first, (chunk) => frozenWords(chunks, frozen, chunk))).toEqual(held);
        }
        release(chunks, frozen);
        expect(chunks.frozen).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('are copied once each, and only those that are written', () => {
    const chunks = createChunks(0);
    makeRoomForLeaf(chunks, LEAVES);
    for (let slot = 1; slot <= 100; slot++) insert(chunks, 1, slot, slot * 1024, 1, 1, true, 0);
    const frozen = freezeChunks(chunks);
    insert(chunks, 1, 101, 101 * 1024, 1, 1, true, 0);
    keep(chunks, chunks.last[1]!);
    expect(frozen.copied).toBe(1);
  });

  it('cannot be read once others were frozen', () => {
    const chunks = createChunks(0);
    const frozen = freezeChunks(chunks);
    const second = freezeChunks(chunks);
    release(chunks, frozen);
    expect(chunks.frozen).toBe(second);
    expect(() => frozenWords(chunks, frozen, 0)).toThrow('frozen again');
  });
});
