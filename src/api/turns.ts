/** Who may begin an operation now, while others wait to. */
export interface Turns {
  /**
   * Resolves when an operation of the client may begin: at once, unless what began since the event loop last looked for input
   * has already taken its time. Those who wait then are let in one at a time, client by client in turn, and input is looked
   * for in between: who sends a thousand at once waits behind whoever sends one.
   *
   * While others ask too, a client's next waits as long as its last took, so that half of the processor is left to them: an
   * operation of theirs that asks the store five times comes back into the loop five times, and would wait as often behind
   * one of whoever has many.
   */
  next(client: string): Promise<void> | undefined;
}

/** How long operations of one turn of the event loop may take before the rest of them waits. */
const MAXIMUM_TURN_MS = 10;
/** Whoever began an operation within this still asks. */
const ASKING_MS = 1_000;
/** A turn in which much else was done says little of the operation that began in it. */
const LONGEST_REST_MS = 50;

export function createTurns({ now = () => performance.now() }: { now?: () => number } = {}): Turns {
  /** By client, in the order in which clients are let in. */
  const waiting = new Map<string, { begins: (() => void)[]; restsUntil: number }>();
  let turnFrom: number | undefined;
  /** Who began last, and when; and the last one who was somebody else. */
  let last = { client: '', at: -Infinity };
  let lastOther = -Infinity;
  /** Whose operation was let in in this turn, and when. */
  let letIn: { client: string; at: number } | undefined;

  const began = (client: string): void => {
    const at = now();
    if (last.client !== client) lastOther = last.at;
    last = { client, at };
  };
  const othersAsk = (client: string): boolean =>
    now() - (last.client === client ? lastOther : last.at) < ASKING_MS;

  let scheduled = false;
  let resting: NodeJS.Timeout | undefined;
  const schedule = (): void => {
    clearTimeout(resting);
    if (!scheduled) setImmediate(advance);
    scheduled = true;
  };

  const advance = (): void => {
    scheduled = false;
    turnFrom = undefined;
    const at = now();
    const before = letIn && waiting.get(letIn.client);
    if (before && othersAsk(letIn!.client)) {
      before.restsUntil = at + Math.min(at - letIn!.at, LONGEST_REST_MS);
    }
    letIn = undefined;
    if (waiting.size === 0) return;
    const ready = [...waiting].find(([, { restsUntil }]) => restsUntil <= at);
    if (ready === undefined) {
      const next = Math.min(...[...waiting.values()].map(({ restsUntil }) => restsUntil));
      resting = setTimeout(schedule, next - at);
      return;
    }
    const [client, own] = ready;
    waiting.delete(client);
    const begin = own.begins.shift()!;
    // Whoever has more to begin stands at the end of the line again.
    if (own.begins.length > 0) waiting.set(client, own);
    began(client);
    letIn = { client, at };
    begin();
    schedule();
  };

  return {
    next(client) {
      if (waiting.size === 0) {
        const at = now();
        if (turnFrom === undefined) {
          turnFrom = at;
          began(client);
          schedule();
          return undefined;
        }
        if (at - turnFrom < MAXIMUM_TURN_MS) {
          began(client);
          return undefined;
        }
      }
      return new Promise((resolve) => {
        const own = waiting.get(client);
        if (own) own.begins.push(resolve);
        else {
          waiting.set(client, { begins: [resolve], restsUntil: 0 });
          // Somebody who rests keeps nobody else waiting.
          schedule();
        }
      });
    },
  };
}
