/**
 * How long to wait after the nth failure in a row: at random up to twice as long each time, so that gateways which lost
 * the same cloud at once do not come back at once; never under half, so that one that has bad luck does not hammer.
 */
export function backoffMilliseconds(
  failures: number,
  { first, longest }: { first: number; longest: number },
  random: () => number = Math.random,
): number {
  const most = Math.min(longest, first * 2 ** Math.min(failures - 1, 30));
  return most * (0.5 + random() / 2);
}

/** Resolves after a while, or at once when the signal says so; never rejects. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
