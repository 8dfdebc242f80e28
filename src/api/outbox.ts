/** A text for one subscriber. One with the key of another that waits replaces it. */
export interface Outgoing {
  key: string;
  /** In UTF-8. */
  text: Buffer;
  /** Only of events may too many wait: of states there is one for each key. */
  isEvent: boolean;
}

/**
 * What is on its way to one subscriber: one text with the network at a time, and behind it what waits, in the order in
 * which it began to.
 */
export interface Outbox<Item extends Outgoing> {
  /** @returns false when too many would wait: then nothing waits any more. */
  put(item: Item): boolean;
  /** Resolves when the network has taken it, or never will. For who has more than may wait. */
  send(item: Item): Promise<void>;
  /** Forgets what waits, and returns it. */
  clear(): Iterable<Item>;
}

/** Texts that wait for one subscriber, beyond which no event may join them. */
const MAXIMUM_WAITING = 1_000;

export function createOutbox<Item extends Outgoing>(options: {
  /** `sent` is called when the text has left for the network, or never will. */
  transmit(text: Buffer, sent: () => void): void;
  /** It goes now. */
  onGo(item: Item): void;
}): Outbox<Item> {
  const { transmit, onGo } = options;
  let sending = false;
  let waiting: Map<string, Item> | undefined;
  let idle: { done: Promise<void>; resolve: () => void } | undefined;

  const sent = (): void => {
    sending = false;
    const next = waiting?.entries().next().value;
    if (next !== undefined) {
      waiting!.delete(next[0]);
      go(next[1]);
      return;
    }
    idle?.resolve();
    idle = undefined;
  };
  const go = (item: Item): void => {
    sending = true;
    onGo(item);
    transmit(item.text, sent);
  };
  const settled = async (): Promise<void> => {
    while (sending) {
      if (idle === undefined) {
        let resolve!: () => void;
        const done = new Promise<void>((settle) => (resolve = settle));
        idle = { done, resolve };
      }
      await idle.done;
    }
  };
  return {
    put(item) {
      if (!sending) {
        go(item);
        return true;
      }
      waiting ??= new Map();
      waiting.set(item.key, item);
      if (!item.isEvent || waiting.size <= MAXIMUM_WAITING) return true;
      waiting = undefined;
      return false;
    },
    async send(item) {
      await settled();
      go(item);
      await settled();
    },
    clear() {
      const forgotten = waiting?.values() ?? [];
      waiting = undefined;
      return forgotten;
    },
  };
}
