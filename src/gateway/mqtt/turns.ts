/**
 * Shares the process's turns among thousands of connections. Node hands over all that all sockets hold before anything
 * else: where devices send more than can be taken, one turn lasts seconds, and the change feed's answers, timers and
 * Event Hubs wait behind it. So messages are taken for a bounded time a turn; whoever is not served goes on in a later
 * one, in the order of asking, and is not read meanwhile.
 */
export interface Turns {
  /** Whether another message may be taken in this turn. */
  mayGoOn(): boolean;
  /** Calls `work` in a later turn, after all that was asked before. It must not throw. */
  later(work: () => void): void;
}

/** Several turns pass between asking the store and having its answer, and all of them within fractions of a second. */
const DEFAULT_TURN_MS = 25;

export function createTurns(turnMilliseconds = DEFAULT_TURN_MS): Turns {
  let waiting: (() => void)[] = [];
  /** The next of those that wait: taking from the head of a long array would move all of it. */
  let next = 0;
  let endsAt = 0;
  let scheduled = false;
  /** Those that wait are being served; whoever comes otherwise stands behind them. */
  let serving = false;

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(serve);
  };

  const serve = (): void => {
    scheduled = false;
    endsAt = performance.now() + turnMilliseconds;
    serving = true;
    while (next < waiting.length && performance.now() < endsAt) waiting[next++]!();
    serving = false;
    endsAt = 0;
    if (next === waiting.length) {
      waiting = [];
      next = 0;
    } else {
      schedule();
    }
  };

  return {
    mayGoOn() {
      if (serving) return performance.now() < endsAt;
      if (next < waiting.length) return false;
      const now = performance.now();
      if (endsAt === 0) {
        endsAt = now + turnMilliseconds;
        // Which also ends this turn.
        schedule();
      }
      return now < endsAt;
    },
    later(work) {
      waiting.push(work);
      schedule();
    },
  };
}
