/** Distinct texts by number. Ids are looked up by their bytes: making a string of each row's would cost ten times more. */
export interface Texts {
  /** The number of the UTF-8 text that stands in bytes from `from` up to and without `to`. */
  intern(bytes: Uint8Array, from: number, to: number): number;
  numberOf(text: string): number;
  textOf(number: number): string;
  size(): number;
}

const INITIAL_SLOTS = 1_024;

export function createTexts(): Texts {
  let slots = new Int32Array(INITIAL_SLOTS).fill(-1);
  let hashes = new Int32Array(INITIAL_SLOTS / 2);
  let ends = new Uint32Array(INITIAL_SLOTS / 2);
  let store = new Uint8Array(INITIAL_SLOTS * 16);
  let count = 0;
  const strings: (string | undefined)[] = [];
  const decoder = new TextDecoder();
  const startOf = (number: number): number => (number === 0 ? 0 : ends[number - 1]!);

  const grow = (): void => {
    const larger = new Int32Array(slots.length * 2).fill(-1);
    const mask = larger.length - 1;
    for (let number = 0; number < count; number++) {
      let slot = hashes[number]! & mask;
      while (larger[slot] !== -1) slot = (slot + 1) & mask;
      larger[slot] = number;
    }
    slots = larger;
    hashes = copied(hashes, new Int32Array(larger.length / 2));
    ends = copied(ends, new Uint32Array(larger.length / 2));
  };

  const intern: Texts['intern'] = (bytes, from, to) => {
    let hash = 0x811c9dc5 | 0;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    // FNV's low bits are weak where only the last bytes differ.
    hash ^= hash >>> 15;
    const mask = slots.length - 1;
    const length = to - from;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!;
      if (number === -1) {
        if ((count + 1) * 2 > slots.length) {
          grow();
          return intern(bytes, from, to);
        }
        const start = startOf(count);
        if (start + length > store.length) {
          store = copied(store, new Uint8Array(Math.max(store.length * 2, start + length)));
        }
        for (let i = 0; i < length; i++) store[start + i] = bytes[from + i]!;
        ends[count] = start + length;
        hashes[count] = hash;
        slots[slot] = count;
        return count++;
      }
      if (hashes[number] !== hash) continue;
      const start = startOf(number);
      if (ends[number]! - start !== length) continue;
      let same = true;
      for (let i = 0; i < length && same; i++) same = store[start + i] === bytes[from + i];
      if (same) return number;
    }
  };

  return {
    intern,
    numberOf(text) {
      const bytes = Buffer.from(text, 'utf8');
      return intern(bytes, 0, bytes.length);
    },
    textOf: (number) => (strings[number] ??= decoder.decode(store.subarray(startOf(number), ends[number]!))),
    size: () => count,
  };
}

function copied<T extends Int32Array | Uint32Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
