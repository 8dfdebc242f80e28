/** Lets work of many tenants through: some at once, of each tenant few, and those who wait in turn. */
export interface FairQueue {
  /**
   * Runs the work when its turn comes. Rejects with QueueFull where the tenant has too much waiting, and with the
   * signal's reason where it is aborted before the turn comes.
   */
  run<T>(tenantId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  counts(): { running: number; waiting: number };
}

export class QueueFull extends Error {
  constructor() {
    super('the tenant has too many questions waiting');
  }
}

export function createFairQueue(limits: {
  atOnce: number;
  /** Of one tenant. */
  atOnceEach: number;
  waitingEach: number;
}): FairQueue {
  interface Lane {
    running: number;
    waiting: (() => void)[];
  }
  // In the order of their turns: who was served goes to the end.
  const lanes = new Map<string, Lane>();
  let running = 0;

  const next = (): void => {
    for (const [tenantId, lane] of lanes) {
      if (running >= limits.atOnce) return;
      if (lane.waiting.length === 0 || lane.running >= limits.atOnceEach) continue;
      running++;
      lane.running++;
      lanes.delete(tenantId);
      lanes.set(tenantId, lane);
      lane.waiting.shift()!();
      return next();
    }
  };

  return {
    async run(tenantId, signal, work) {
      signal.throwIfAborted();
      let lane = lanes.get(tenantId);
      if (lane === undefined) lanes.set(tenantId, (lane = { running: 0, waiting: [] }));
      const mine = lane;
      if (mine.waiting.length >= limits.waitingEach) throw new QueueFull();
      await new Promise<void>((resolve, reject) => {
        const begin = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = (): void => {
          mine.waiting.splice(mine.waiting.indexOf(begin), 1);
          if (mine.running === 0 && mine.waiting.length === 0) lanes.delete(tenantId);
          reject(signal.reason as Error);
        };
        signal.addEventListener('abort', leave, { once: true });
        mine.waiting.push(begin);
        next();
      });
      try {
        return await work();
      } finally {
        running--;
        mine.running--;
        if (mine.running === 0 && mine.waiting.length === 0) lanes.delete(tenantId);
        next();
      }
    },
    counts: () => ({
      running,
      waiting: [...lanes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0),
    }),
  };
}
