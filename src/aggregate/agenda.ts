/**
 * Which leaves change when T reaches a second, because a reading enters or leaves their window then: what a tick costs
 * follows from what changes, not from what is held. A wheel of seconds, each a list of numbers.
 */
export interface Agenda {
  lists: Uint32Array[];
  lengths: Uint32Array;
}

/** More than the furthest a reading may lie ahead and the window's length together. */
const SECONDS = 1024;
const SMALLEST = 8;

export function createAgenda(): Agenda {
  return {
    lists: Array.from({ length: SECONDS }, () => new Uint32Array(SMALLEST)),
    lengths: new Uint32Array(SECONDS),
  };
}

/** `second` lies after T and at most 1,000 s ahead. */
export function note({ lists, lengths }: Agenda, second: number, entry: number): void {
  const index = second % SECONDS;
  const length = lengths[index]!;
  let list = lists[index]!;
  if (length === list.length) {
    const larger = new Uint32Array(length * 2);
    larger.set(list);
    lists[index] = list = larger;
  }
  list[length] = entry;
  lengths[index] = length + 1;
}

/** What was noted for a second, which is then forgotten. To be read before anything else is noted. */
export function due({ lists, lengths }: Agenda, second: number): Uint32Array {
  const index = second % SECONDS;
  const list = lists[index]!.subarray(0, lengths[index]);
  lengths[index] = 0;
  // A second that was busy must not hold its room for ever.
  if (lists[index]!.length > Math.max(SMALLEST, 4 * list.length)) lists[index] = new Uint32Array(SMALLEST);
  return list;
}
