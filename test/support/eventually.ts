import { setTimeout as delay } from 'node:timers/promises';

/** Waits until a condition holds: tries again and again, and past the deadline throws what the last try threw. */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { within = 60_000, every = 50 }: { within?: number; every?: number } = {},
): Promise<T> {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await delay(every);
    }
  }
}
