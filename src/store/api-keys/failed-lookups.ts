/** How many keys that turn out to be wrong an address may have looked up: a flood of made-up keys costs the store little. */
export interface FailedLookups {
  /** Null where the address has to wait. Else what is to be told whether the lookup was for nothing. */
  begin(address: string): ((forNothing: boolean) => void) | null;
}

/** At once, and restored each second. */
const CAPACITY = 50;
const PER_SECOND = 5;
/** From all addresses together. */
const MAXIMUM_UNDER_WAY = 200;
/** Beyond it the address that asked longest ago is forgotten, and has all of it again. */
const MAXIMUM_ADDRESSES = 10_000;

export function createFailedLookups({
  capacity = CAPACITY,
  perSecond = PER_SECOND,
  now = () => performance.now(),
}: {
  capacity?: number;
  perSecond?: number;
  /** Milliseconds, of a clock that never steps. */
  now?: () => number;
} = {}): FailedLookups {
  const buckets = new Map<string, { left: number; at: number }>();
  let underWay = 0;

  return {
    begin(address) {
      const at = now();
      const before = buckets.get(address) ?? { left: capacity, at };
      const left = Math.min(capacity, before.left + ((at - before.at) / 1_000) * perSecond);
      if (left < 1 || underWay >= MAXIMUM_UNDER_WAY) return null;
      // Taken beforehand and given back where the key is good: many at once spend no more than one after the other.
      const bucket = { left: left - 1, at };
      buckets.delete(address);
      buckets.set(address, bucket);
      if (buckets.size > MAXIMUM_ADDRESSES) buckets.delete(buckets.keys().next().value!);
      underWay++;
      return (forNothing) => {
        underWay--;
        const current = buckets.get(address);
        if (!forNothing && current) current.left = Math.min(capacity, current.left + 1);
      };
    },
  };
}
