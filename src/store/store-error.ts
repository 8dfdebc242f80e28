/** The HTTP status or network code of an error from Cosmos, wherever in its causes it stands. */
export function codeOf(error: unknown): number | string | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const code = (each as { code?: unknown }).code;
    if (typeof code === 'number' || typeof code === 'string') return code;
  }
  return undefined;
}

/** How long Cosmos asked to be left alone, in milliseconds. */
export function retryAfterOf(error: unknown): number | undefined {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const after = (each as { retryAfterInMs?: unknown }).retryAfterInMs;
    if (typeof after === 'number') return after;
  }
  return undefined;
}

/** 449 asks for another try; the others are a service or a network that is briefly away. */
const TRANSIENT = new Set<number | string | undefined>([
  408,
  429,
  449,
  500,
  503,
  'REQUEST_SEND_ERROR',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'TimeoutError',
]);

export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(error));
}

/**
 * Tries `step` again while the store is briefly away. Whether an attempt that failed took effect is not known, so a
 * step that writes must be one that may be repeated.
 */
export async function retrying<T>(step: () => Promise<T>, patienceMs = 5_000): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await step();
    } catch (error) {
      const pause = Math.max(retryAfterOf(error) ?? 0, wait * (0.5 + Math.random()));
      if (!isTransient(error) || Date.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
