import fc from 'fast-check';
import { createTokenBuckets } from '../../src/gateway/token-bucket';

describe('token buckets', () => {
  test('a sender may send a burst, then waits until its debt is paid', () => {
    const buckets = createTokenBuckets({ perSecond: 10, burst: 100 });
    expect(buckets.waitFor('a', 0)).toBe(0);
    buckets.spend('a', 120, 0);
    expect(buckets.waitFor('a', 0)).toBe(2_100);
    expect(buckets.waitFor('a', 2_000)).toBe(100);
    expect(buckets.waitFor('a', 2_100)).toBe(0);
  });

  test('one sender’s debt is no other’s', () => {
    const buckets = createTokenBuckets({ perSecond: 1, burst: 1 });
    buckets.spend('a', 1_000, 0);
    expect(buckets.waitFor('b', 0)).toBe(0);
  });

  test('a clock that steps back gives nothing away', () => {
    const buckets = createTokenBuckets({ perSecond: 10, burst: 10 });
    buckets.spend('a', 20, 10_000);
    expect(buckets.waitFor('a', 0)).toBeGreaterThan(0);
    expect(buckets.waitFor('a', 100)).toBeGreaterThan(0);
  });

  test('keys are bounded, and a full bucket is the first to be forgotten', () => {
    const buckets = createTokenBuckets({ perSecond: 1, burst: 10 }, { maximumKeys: 3 });
    buckets.spend('debtor', 10_000, 0);
    for (let i = 0; i < 100; i++) buckets.spend(`k${i}`, 1, i * 60_000);
    expect(buckets.size()).toBeLessThanOrEqual(3);
    expect(buckets.waitFor('debtor', 100 * 60_000)).toBeGreaterThan(0);
  });

  test('over any time, no more than the burst, the rate and one request’s debt gets through', () => {
    const step = fc.record({ after: fc.nat(2_000), count: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const buckets = createTokenBuckets({ perSecond: 20, burst: 40 });
        let now = 0;
        let through = 0;
        for (const { after, count } of steps) {
          now += after;
          if (buckets.waitFor('a', now) > 0) continue;
          buckets.spend('a', count, now);
          through += count;
        }
        expect(through).toBeLessThanOrEqual(40 + (now / 1000) * 20 + 50);
      }),
    );
  });
});
