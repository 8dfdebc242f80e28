/** Bytes of one connection in the sums of all: apart from those of devices while nobody knows yet whose it is. */
export interface Holding {
  /**
   * What it holds now. A connection that was proved once stays so.
   * @returns false where those that are not proved hold together more than they may.
   */
  set(bytes: number, proved: boolean): boolean;
}

/** The sums. */
export interface Held {
  /** Bytes that devices hold more, or fewer. */
  held(bytes: number): void;
  /** The same of connections that have not proved whose they are. False where they hold all that they may. */
  heldUnproved(bytes: number): boolean;
}

export function createHolding({ held, heldUnproved }: Held): Holding {
  let accounted = 0;
  let unproved = true;
  return {
    set(bytes, proved) {
      if (unproved && proved) {
        unproved = false;
        if (accounted !== 0) heldUnproved(-accounted);
        accounted = 0;
      }
      if (bytes === accounted) return true;
      const more = bytes - accounted;
      accounted = bytes;
      if (unproved) return heldUnproved(more);
      held(more);
      return true;
    },
  };
}
