import { type Rate } from './limits';

interface Bucket {
  /** May be negative: a debt. */
  tokens: number;
  at: number;
}

/**
 * Token buckets by key. A request is admitted while its bucket is not in debt and pays once its size is known, so that a
 * backlog costs its sender waiting time and the others nothing.
 */
export interface TokenBuckets {
  /** @returns 0 where the key may send, else the milliseconds until it may. */
  waitFor(key: string, now: number): number;
  spend(key: string, count: number, now: number): void;
  size(): number;
}

/**
 * One bucket for one owner.
 * @returns whether one more is within the rate; it is counted in either case.
 */
export function createAllowance(rate: Rate): (now: number) => boolean {
  const buckets = createTokenBuckets(rate);
  return (now) => {
    const may = buckets.waitFor(OWNER, now) === 0;
    buckets.spend(OWNER, 1, now);
    return may;
  };
}

const OWNER = '';

export function createTokenBuckets(
  rate: Rate,
  options: {
    maximumKeys?: number;
    /** What is spent beyond it is not owed. Default: all is. */
    maximumDebt?: number;
  } = {},
): TokenBuckets {
  const { maximumKeys = 500_000, maximumDebt = Infinity } = options;
  const perMillisecond = rate.perSecond / 1000;
  const buckets = new Map<string, Bucket>();

  const refill = (bucket: Bucket, now: number): void => {
    // A clock that steps back neither fills nor drains.
    if (now > bucket.at)
      bucket.tokens = Math.min(rate.burst, bucket.tokens + (now - bucket.at) * perMillisecond);
    bucket.at = now;
  };

  const forgetFull = (now: number): void => {
    for (const [key, bucket] of buckets) {
      refill(bucket, now);
      if (bucket.tokens >= rate.burst) buckets.delete(key);
    }
    // All in use: the oldest goes, so that memory stays bounded whatever happens.
    for (const key of buckets.keys()) {
      if (buckets.size < maximumKeys) break;
      buckets.delete(key);
    }
  };

  return {
    waitFor(key, now) {
      const bucket = buckets.get(key);
      if (bucket === undefined) return 0;
      refill(bucket, now);
      return bucket.tokens > 0 ? 0 : Math.ceil((1 - bucket.tokens) / perMillisecond);
    },
    spend(key, count, now) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        if (buckets.size >= maximumKeys) forgetFull(now);
        bucket = { tokens: rate.burst, at: now };
        buckets.set(key, bucket);
      } else {
        refill(bucket, now);
      }
      bucket.tokens = Math.max(-maximumDebt, bucket.tokens - count);
    },
    size: () => buckets.size,
  };
}
