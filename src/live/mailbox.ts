import { type BuildingAverage } from '../domain/window';

/** What waits for one reader: at most one value a building and quantity, the latest. */
export interface Mailbox {
  put(value: BuildingAverage): void;
  /** Reading is by one reader at a time. Ends after `close`, or when the reader returns. */
  readonly values: AsyncIterableIterator<BuildingAverage>;
  close(): void;
}

export function createMailbox(onClose: () => void): Mailbox {
  const waiting = new Map<string, BuildingAverage>();
  let wake: ((result: IteratorResult<BuildingAverage>) => void) | undefined;
  let closed = false;

  const close = (): void => {
    if (closed) return;
    closed = true;
    waiting.clear();
    wake?.({ done: true, value: undefined });
    wake = undefined;
    onClose();
  };
  const values: AsyncIterableIterator<BuildingAverage> = {
    next() {
      if (closed) return Promise.resolve({ done: true, value: undefined });
      // The oldest place is served first, so that a busy quantity does not starve another.
      for (const [key, value] of waiting) {
        waiting.delete(key);
        return Promise.resolve({ done: false, value });
      }
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    return() {
      close();
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => values,
  };
  return {
    values,
    close,
    put(value) {
      if (closed) return;
      if (wake === undefined) {
        // A value that is replaced keeps its place: what waited longest is still served next.
        waiting.set(`${value.buildingId} ${value.quantity}`, value);
        return;
      }
      const deliver = wake;
      wake = undefined;
      deliver({ done: false, value });
    },
  };
}
