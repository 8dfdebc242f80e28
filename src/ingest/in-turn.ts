/** One piece of work at a time, in the order in which they were asked for. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    // Whoever comes next does not mind how this one ended.
    last = mine.catch(() => undefined);
    return mine;
  };
}
