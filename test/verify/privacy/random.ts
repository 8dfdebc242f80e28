/** Numbers that follow from a seed. */
export interface Random {
  /** In [0, 1). */
  share(): number;
  /** In [0, below). */
  whole(below: number): number;
}

/** Mulberry32, which is short and good enough to make readings of. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const share = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { share, whole: (below) => Math.floor(share() * below) };
}
