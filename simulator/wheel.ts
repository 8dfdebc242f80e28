/**
 * A timing wheel: many timers, each of one sender, in two typed arrays. Arming and firing allocate nothing, which
 * matters with 100,000 devices that send for ever.
 */
export interface Wheel {
  /** Arms a timer; one that is armed already must not be armed again before it fired. `at` in milliseconds. */
  arm(timer: number, at: number): void;
  /** Fires what is due, oldest slot first. `fire` may arm the timer again. */
  advance(now: number, fire: (timer: number, dueAt: number) => void): void;
}

const END = -1;

/**
 * `horizonMs` is the furthest ahead that a timer is ever armed; `slotMs` how finely due times are told apart in
 * order (each fires at its own due time or up to one slot later).
 */
export function createWheel(options: {
  timers: number;
  horizonMs: number;
  slotMs: number;
  start: number;
}): Wheel {
  const slots = Math.ceil(options.horizonMs / options.slotMs) + 2;
  const head = new Int32Array(slots).fill(END);
  const next = new Int32Array(options.timers).fill(END);
  const due = new Float64Array(options.timers);
  const slotNumber = (at: number): number => Math.floor((at - options.start) / options.slotMs);
  let current = 0;

  return {
    arm(timer, at) {
      // What is overdue already fires with the next slot; nothing is dropped.
      const slot = Math.max(current, slotNumber(at));
      if (slot - current >= slots) {
        throw new RangeError(`timer ${timer} is armed ${slot - current} slots ahead of a wheel of ${slots}`);
      }
      due[timer] = at;
      next[timer] = head[slot % slots]!;
      head[slot % slots] = timer;
    },
    advance(now, fire) {
      const last = slotNumber(now);
      while (current < last) {
        const index = current % slots;
        let timer = head[index]!;
        head[index] = END;
        // Moved on first: a timer armed again for this very slot lands in the next one.
        current++;
        while (timer !== END) {
          const following = next[timer]!;
          fire(timer, due[timer]!);
          timer = following;
        }
      }
    },
  };
}
