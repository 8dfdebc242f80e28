import { setTimeout as delay } from 'node:timers/promises';

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/**
 * Tries until it succeeds or the signal is aborted; then it rejects with the signal's reason. `failed` is told of each
 * failure, for the log and for readiness.
 */
export async function retryUntil<T>(
  signal: AbortSignal,
  attempt: () => Promise<T>,
  failed: (error: unknown, attempts: number) => void,
): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      failed(error, attempts);
      const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1));
      // Jitter, so that workers which failed together do not come back together.
      await delay(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() =>
        signal.throwIfAborted(),
      );
    }
  }
}
