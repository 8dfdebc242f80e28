/** Who may begin an operation now, while others wait to. */
export interface Turns {
  /**
   * Resolves when an operation of the client may begin: at once, unless what began since the event loop last looked for input
   * has already taken its time. Those who wait then are let in one at a time, client by client in turn, and input is looked
   * for in between: who sends a thousand at once waits behind whoever sends one.
   */
  next(client: string): Promise<void> | undefined;
}

/** How long operations of one turn of the event loop may take before the rest of them waits. */
const MAXIMUM_TURN_MS = 10;

export function createTurns({ now = () => performance.now() }: { now?: () => number } = {}): Turns {
  /** By client, in the order in which clients are let in. */
  const waiting = new Map<string, (() => void)[]>();
  let turnFrom: number | undefined;

  let scheduled = false;
  const schedule = (): void => {
    if (!scheduled) setImmediate(advance);
    scheduled = true;
  };

  const advance = (): void => {
    scheduled = false;
    turnFrom = undefined;
    const first = waiting.entries().next();
    if (first.done) return;
    const [client, own] = first.value;
    waiting.delete(client);
    const begin = own.shift()!;
    // Whoever has more to begin stands at the end of the line again.
    if (own.length > 0) waiting.set(client, own);
    begin();
    schedule();
  };

  return {
    next(client) {
      if (waiting.size === 0) {
        if (turnFrom === undefined) {
          turnFrom = now();
          schedule();
          return undefined;
        }
        if (now() - turnFrom < MAXIMUM_TURN_MS) return undefined;
      }
      return new Promise((resolve) => {
        const own = waiting.get(client);
        if (own) own.push(resolve);
        else waiting.set(client, [resolve]);
      });
    },
  };
}
