/** When a delivery that was not taken is tried again. */
export interface RetrySchedule {
  /** Milliseconds after each try; behind the last it is given up. */
  delays: readonly number[];
  /** Each delay is this share longer or shorter, at random, so that what failed together does not come back together. */
  jitter: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** About four times as long each time, then eight hours at most: 25 hours and eleven tries in all. */
export const DEFAULT_SCHEDULE: RetrySchedule = {
  delays: [
    5 * SECOND,
    20 * SECOND,
    80 * SECOND,
    5 * MINUTE,
    20 * MINUTE,
    80 * MINUTE,
    3 * HOUR,
    5 * HOUR,
    7 * HOUR,
    8 * HOUR,
  ],
  jitter: 0.2,
};

/** @param tries how many went wrong. Null where it is given up. */
export function nextTryAfter({ delays, jitter }: RetrySchedule, tries: number): number | null {
  const delay = delays[tries - 1];
  return delay === undefined ? null : delay * (1 + jitter * (2 * Math.random() - 1));
}
