import { type Owner } from './recent-record';

/** Minutes of buildings that late readings touched and that are to be computed from the stored readings. */
export interface LateMinutes {
  /** @param firstMinute since 1970, as `lastMinute`: both included. */
  mark(
    owner: Owner,
    quantity: number,
    firstMinute: number,
    lastMinute: number,
    event: { enqueuedAt: number },
  ): void;
  /**
   * Those of one building that has gathered them for long enough, its minutes up to `through` at most; undefined when there
   * is none. They stay marked until `done`.
   */
  take(now: number, through: number): Taken | undefined;
  /** Everything that was taken is computed and offered to the record. */
  done(taken: Taken): void;
  /** It could not be: it is taken again after a while. */
  failed(taken: Taken, now: number): void;
  /**
   * When the hub took the first event whose minutes are not computed; Infinity for none. No checkpoint may pass it: a
   * replay that begins behind it would not mark them again.
   */
  oldestEnqueuedAt(): number;
  size(): number;
  /** As it stands in a snapshot, those taken included. */
  pack(): PackedLate[];
}

export interface Taken extends Owner {
  /** Quantities by minute, ascending. */
  minutes: Map<number, Set<number>>;
}

export interface PackedLate extends Owner {
  enqueuedAt: number;
  minutes: [minute: number, quantities: number[]][];
}

interface Marked extends Owner {
  minutes: Map<number, Set<number>>;
  /** When the first of them was marked, by the worker's clock. */
  since: number;
  enqueuedAt: number;
  busy: Map<number, Set<number>> | undefined;
  /** Of what is busy. */
  busyEnqueuedAt: number;
}

/** Backlogs come in many messages: what a minute is recomputed for shares one look at the store. */
const GATHER_MS = 30_000;
const RETRY_MS = 10_000;

export function createLateMinutes(packed: readonly PackedLate[], now: () => number): LateMinutes {
  const buildings = new Map<string, Marked>();
  let size = 0;

  const markedOf = ({ tenantId, buildingId }: Owner, enqueuedAt: number): Marked => {
    const key = `${tenantId}/${buildingId}`;
    let marked = buildings.get(key);
    if (marked === undefined) {
      marked = {
        tenantId,
        buildingId,
        minutes: new Map(),
        since: now(),
        enqueuedAt: Infinity,
        busy: undefined,
        busyEnqueuedAt: Infinity,
      };
      buildings.set(key, marked);
    }
    if (marked.minutes.size === 0) marked.since = now();
    marked.enqueuedAt = Math.min(marked.enqueuedAt, enqueuedAt);
    return marked;
  };

  const add = (minutes: Map<number, Set<number>>, minute: number, quantity: number): void => {
    const quantities = minutes.get(minute);
    if (quantities) quantities.add(quantity);
    else {
      minutes.set(minute, new Set([quantity]));
      size++;
    }
  };

  for (const { enqueuedAt, minutes, ...owner } of packed) {
    const marked = markedOf(owner, enqueuedAt);
    for (const [minute, quantities] of minutes) {
      for (const quantity of quantities) add(marked.minutes, minute, quantity);
    }
  }

  return {
    mark(owner, quantity, firstMinute, lastMinute, { enqueuedAt }) {
      const marked = markedOf(owner, enqueuedAt);
      for (let minute = firstMinute; minute <= lastMinute; minute++) add(marked.minutes, minute, quantity);
    },
    take(at, through) {
      for (const marked of buildings.values()) {
        if (marked.busy !== undefined || at - marked.since < GATHER_MS) continue;
        const minutes = [...marked.minutes].filter(([minute]) => minute <= through);
        if (minutes.length === 0) continue;
        marked.busy = new Map(minutes.sort(([a], [b]) => a - b));
        marked.busyEnqueuedAt = marked.enqueuedAt;
        for (const [minute] of minutes) marked.minutes.delete(minute);
        if (marked.minutes.size === 0) marked.enqueuedAt = Infinity;
        const { tenantId, buildingId, busy } = marked;
        return { tenantId, buildingId, minutes: busy };
      }
      return undefined;
    },
    done({ tenantId, buildingId, minutes }) {
      const key = `${tenantId}/${buildingId}`;
      const marked = buildings.get(key)!;
      size -= minutes.size;
      marked.busy = undefined;
      marked.busyEnqueuedAt = Infinity;
      if (marked.minutes.size === 0) buildings.delete(key);
    },
    failed({ tenantId, buildingId, minutes }, at) {
      const marked = buildings.get(`${tenantId}/${buildingId}`)!;
      size -= minutes.size;
      for (const [minute, quantities] of minutes) {
        for (const quantity of quantities) add(marked.minutes, minute, quantity);
      }
      marked.since = at - GATHER_MS + RETRY_MS;
      marked.enqueuedAt = Math.min(marked.enqueuedAt, marked.busyEnqueuedAt);
      marked.busy = undefined;
      marked.busyEnqueuedAt = Infinity;
    },
    oldestEnqueuedAt() {
      let oldest = Infinity;
      for (const { enqueuedAt, busyEnqueuedAt } of buildings.values()) {
        oldest = Math.min(oldest, enqueuedAt, busyEnqueuedAt);
      }
      return oldest;
    },
    size: () => size,
    pack() {
      return [...buildings.values()].map(
        ({ tenantId, buildingId, minutes, busy, enqueuedAt, busyEnqueuedAt }) => ({
          tenantId,
          buildingId,
          enqueuedAt: Math.min(enqueuedAt, busyEnqueuedAt),
          minutes: [...minutes, ...(busy ?? [])].map(([minute, quantities]): [number, number[]] => [
            minute,
            [...quantities],
          ]),
        }),
      );
    },
  };
}
