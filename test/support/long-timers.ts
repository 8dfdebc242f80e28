/**
 * Set up before every test file: timers longer than any test no longer keep the process alive.
 *
 * A receiver of the Event Hubs SDK 6.0.4 that is closed while it connects (its partition was taken by another), or that
 * makes its link anew after a detach, leaves the timer behind that would renew its token after 45 minutes.
 */
const LONGER_THAN_A_TEST_MS = 3 * 60_000;

const original = globalThis.setTimeout;
globalThis.setTimeout = Object.assign(
  (...parameters: Parameters<typeof original>) => {
    const timer = original(...parameters);
    if ((parameters[1] ?? 0) > LONGER_THAN_A_TEST_MS) timer.unref();
    return timer;
  },
  { __promisify__: original.__promisify__ },
) as typeof original;
