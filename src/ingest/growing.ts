type Column = Float64Array | Uint32Array;

/** A typed array that grows as values are pushed: a held reading costs its bytes and nothing for the collector. */
export interface Growing<T extends Column> {
  push(value: number): void;
  /** The values held. The view is good until the next push. */
  view(): T;
  clear(): void;
}

const INITIAL = 1_024;

export function createGrowing<T extends Column>(type: new (length: number) => T): Growing<T> {
  let values = new type(INITIAL);
  let length = 0;
  return {
    push(value) {
      if (length === values.length) {
        const larger = new type(length * 2);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    view: () => values.subarray(0, length) as T,
    clear() {
      // A burst is not paid for ever: what a quiet partition does not fill is given back.
      if (values.length > INITIAL && length < values.length / 4) values = new type(values.length / 2);
      length = 0;
    },
  };
}
