/** A small repeatable source of randomness (mulberry32): the same seed gives the same run. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** About normal, mean 0 and deviation 1 (the sum of three uniforms): cheap, and never far out. */
  normal(): number;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  // The sum of three uniforms has variance 3/12; doubling it gives deviation 1.
  return { next, normal: () => (next() + next() + next() - 1.5) * 2 };
}
