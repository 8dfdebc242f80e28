/** So many pieces of work at a time; further ones wait for a place, in the order in which they came. */
export interface Places {
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function createPlaces(atOnce: number): Places {
  let taken = 0;
  const waiting = new Set<() => void>();

  return {
    async take(work) {
      if (taken < atOnce) taken++;
      else await new Promise<void>((resolve) => waiting.add(resolve));
      try {
        return await work();
      } finally {
        const [first] = waiting;
        if (first === undefined) {
          taken--;
        } else {
          // The place goes from one to the next.
          waiting.delete(first);
          first();
        }
      }
    },
  };
}
