/** What is heard is noted once a minute, and read a while later. */
const NOTED_WITHIN_MS = 120_000;

/**
 * When a device was last heard, as it is told where the instant itself would tell of presence: for one that sends as often
 * as it is expected to, only that it does, as where the running interval begins; for one that fell silent, the interval in
 * which it did. So what a sensor sends beside its heartbeat changes nothing of what is told.
 *
 * @param at milliseconds since 1970.
 */
export function steppedLastSeen(at: number, intervalSeconds: number, now: number): number {
  const step = intervalSeconds * 1_000;
  const isWell = now - at <= 2 * step + NOTED_WITHIN_MS;
  return Math.floor((isWell ? now : at) / step) * step;
}
