/** Latencies in buckets of 2 per cent: percentiles of any number of samples in a fixed amount of memory. */
export interface Latencies {
  add(milliseconds: number): void;
  count(): number;
  /** The value that this share (0 to 1) of the samples does not exceed, to 2 per cent; null without samples. */
  percentile(share: number): number | null;
}

const GROWTH = Math.log(1.02);
const BUCKETS = 1200;
/** The first bucket's upper bound, in milliseconds. */
const FLOOR = 0.01;

export function createLatencies(): Latencies {
  const buckets = new Uint32Array(BUCKETS);
  let samples = 0;
  return {
    add(milliseconds) {
      const bucket = milliseconds <= FLOOR ? 0 : Math.ceil(Math.log(milliseconds / FLOOR) / GROWTH);
      buckets[Math.min(BUCKETS - 1, bucket)]!++;
      samples++;
    },
    count: () => samples,
    percentile(share) {
      if (samples === 0) return null;
      let remaining = Math.max(1, Math.ceil(samples * share));
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        remaining -= buckets[bucket]!;
        if (remaining <= 0) return FLOOR * Math.exp(bucket * GROWTH);
      }
      return null;
    },
  };
}
