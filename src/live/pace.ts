/**
 * Values at a pace: of each slot at most one in its interval, the latest. A value that comes later than that after the one
 * before is passed on at once; one that has no slot always is. At most one value a slot waits, and of the others those that
 * the reader has not taken, which `source` bounds by being read no faster.
 */
export function pace<Value>(
  source: AsyncIterableIterator<Value>,
  options: {
    slotOf(value: Value): string | null;
    /** Asked as a value is passed on: milliseconds to the next of its slot. */
    intervalAfter(value: Value): number;
    now?: () => number;
  },
): AsyncIterableIterator<Value> {
  const { slotOf, intervalAfter, now = () => performance.now() } = options;
  /** In the order in which they began to wait. */
  const waiting = new Map<string, Value>();
  /** From when on a slot's next may go. */
  const dueAt = new Map<string, number>();
  let event: Value | undefined;
  let ended: { error?: unknown } | undefined;
  let wake: (() => void) | undefined;
  let taken: (() => void) | undefined;
  let reading = false;

  async function read(): Promise<void> {
    try {
      for await (const value of source) {
        const slot = slotOf(value);
        if (slot === null) {
          event = value;
          const free = new Promise<void>((resolve) => (taken = resolve));
          wake?.();
          await free;
        } else {
          waiting.set(slot, value);
          wake?.();
        }
        if (ended) return;
      }
      ended ??= {};
    } catch (error) {
      ended ??= { error };
    }
    wake?.();
  }

  function takeDue(): Value | undefined {
    if (event !== undefined) {
      const value = event;
      event = undefined;
      taken?.();
      return value;
    }
    const at = now();
    for (const [slot, value] of waiting) {
      if ((dueAt.get(slot) ?? -Infinity) > at) continue;
      waiting.delete(slot);
      const interval = intervalAfter(value);
      if (interval > 0) dueAt.set(slot, at + interval);
      else dueAt.delete(slot);
      return value;
    }
    return undefined;
  }

  /** Until something comes, or the first that waits is due. */
  async function pause(): Promise<void> {
    let first = Infinity;
    for (const slot of waiting.keys()) first = Math.min(first, dueAt.get(slot) ?? -Infinity);
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (first !== Infinity) timer = setTimeout(resolve, Math.max(Math.ceil(first - now()), 1));
    });
    clearTimeout(timer);
    wake = undefined;
  }

  const values: AsyncIterableIterator<Value> = {
    async next() {
      if (!reading) {
        reading = true;
        void read();
      }
      for (;;) {
        if (ended?.error !== undefined) throw ended.error;
        const value = ended ? undefined : takeDue();
        if (value !== undefined) return { done: false, value };
        if (ended) return { done: true, value: undefined };
        await pause();
      }
    },
    async return() {
      ended ??= {};
      waiting.clear();
      taken?.();
      wake?.();
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => values,
  };
  return values;
}
