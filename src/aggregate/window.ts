import { WINDOW_SECONDS } from '../domain/window';

/**
 * The rolling window of one building and quantity, at one-second resolution.
 *
 * Only seconds that hold readings have a bucket; buckets stand in typed arrays, ascending by slot, in [start, end). A
 * ring with a bucket for every second was weighed: at 10,000 buildings with six quantities it takes 1.7 GB and its scan
 * 25 ms a tick, most of it over empty seconds; this takes what the traffic needs and degenerates to the same for a busy
 * building. Behind each bucket hangs a chain with the device of each reading, which is what makes the number of devices
 * exact for any past window still held.
 *
 * [start, low) have left the window, [low, high) are in it, [high, end) lie beyond the current second and wait.
 */
export interface RollingWindow {
  /** T: the window is (T - 300 s, T]. Never goes back. */
  second: number;
  start: number;
  low: number;
  high: number;
  end: number;
  slots: Uint32Array;
  counts: Uint32Array;
  sums: Float64Array;
  minima: Float64Array;
  maxima: Float64Array;
  /** How many milliseconds before the end of its second the bucket's newest reading was observed. */
  ages: Uint16Array;
  /** Devices whose newest reading up to T stands in this bucket: their sum over the window is the devices reporting. */
  newest: Uint32Array;
  /** First link of the bucket's chain of devices, -1 for none. */
  chains: Int32Array;
  next: Int32Array;
  devices: Uint32Array;
  links: number;
  freeLink: number;
  /** By device ordinal: the slot of its newest reading up to T; 0 for none. */
  newestOf: Uint32Array;
  /** observedAt of the newest reading whose bucket was evicted. */
  evictedAt: number | null;
}

/** One value of a window: null where there is no reading. */
export interface WindowValue {
  mean: number | null;
  minimum: number | null;
  maximum: number | null;
  readings: number;
  devicesReporting: number;
  lastReadingAt: number | null;
}

/** Scratch for counting distinct devices: which ordinals were seen in the current count. Shared by all windows. */
export interface DeviceStamps {
  stamps: Uint32Array;
  current: number;
}

export function createDeviceStamps(): DeviceStamps {
  return { stamps: new Uint32Array(64), current: 0 };
}

const SMALLEST = 8;

export function createRollingWindow(second: number): RollingWindow {
  return {
    second,
    start: 0,
    low: 0,
    high: 0,
    end: 0,
    slots: new Uint32Array(SMALLEST),
    counts: new Uint32Array(SMALLEST),
    sums: new Float64Array(SMALLEST),
    minima: new Float64Array(SMALLEST),
    maxima: new Float64Array(SMALLEST),
    ages: new Uint16Array(SMALLEST),
    newest: new Uint32Array(SMALLEST),
    chains: new Int32Array(SMALLEST),
    next: new Int32Array(SMALLEST),
    devices: new Uint32Array(SMALLEST),
    links: 0,
    freeLink: -1,
    newestOf: new Uint32Array(SMALLEST),
    evictedAt: null,
  };
}

/** Counts one distinct reading. `slot` is `slotOf(observedAt)` and lies behind nothing that was evicted. */
export function addReading(
  window: RollingWindow,
  slot: number,
  observedAt: number,
  value: number,
  device: number,
): void {
  const at = bucketAt(window, slot);
  window.counts[at]! += 1;
  window.sums[at]! += value;
  if (value < window.minima[at]!) window.minima[at] = value;
  if (value > window.maxima[at]!) window.maxima[at] = value;
  const age = slot * 1000 - observedAt;
  if (age < window.ages[at]!) window.ages[at] = age;
  let link = window.freeLink;
  if (link >= 0) window.freeLink = window.next[link]!;
  else {
    link = window.links++;
    if (link === window.next.length) {
      window.next = enlarged(window.next);
      window.devices = enlarged(window.devices);
    }
  }
  window.devices[link] = device;
  window.next[link] = window.chains[at]!;
  window.chains[at] = link;
  // A reading beyond T must not make its device's older one look superseded: that waits until T reaches it.
  if (slot <= window.second) reported(window, at, slot, device);
}

/** Moves T forward. @returns whether readings entered or left. */
export function advanceWindow(window: RollingWindow, second: number): boolean {
  window.second = second;
  const { slots } = window;
  let moved = false;
  while (window.high < window.end && slots[window.high]! <= second) {
    const at = window.high++;
    for (let link = window.chains[at]!; link >= 0; link = window.next[link]!) {
      reported(window, at, slots[at]!, window.devices[link]!);
    }
    moved = true;
  }
  const left = second - WINDOW_SECONDS;
  while (window.low < window.high && slots[window.low]! <= left) {
    window.low++;
    moved = true;
  }
  return moved;
}

/** Gives up what was observed at or before a slot that has left every window still to be computed. */
export function evict(window: RollingWindow, slot: number): void {
  while (window.start < window.low && window.slots[window.start]! <= slot) {
    const at = window.start++;
    window.evictedAt = newestIn(window, at);
    let link = window.chains[at]!;
    while (link >= 0) {
      const following = window.next[link]!;
      window.next[link] = window.freeLink;
      window.freeLink = link;
      link = following;
    }
  }
}

/** The slot of the newest reading up to T, undefined when none is held. */
export function newestSlot(window: RollingWindow): number | undefined {
  return window.high > window.start ? window.slots[window.high - 1] : undefined;
}

export function isHolding(window: RollingWindow): boolean {
  return window.end > window.start;
}

/** The value at T. */
export function valueNow(window: RollingWindow): WindowValue {
  let devicesReporting = 0;
  for (let at = window.low; at < window.high; at++) devicesReporting += window.newest[at]!;
  return summarise(window, window.low, window.high, devicesReporting);
}

/** The value at an earlier second whose window is still held, as it is now known. */
export function valueAt(window: RollingWindow, second: number, devices: DeviceStamps): WindowValue {
  const low = firstAfter(window, second - WINDOW_SECONDS);
  const high = firstAfter(window, second);
  if (devices.stamps.length < window.newestOf.length) {
    devices.stamps = new Uint32Array(window.newestOf.length);
    devices.current = 0;
  }
  if (devices.current === 0xffffffff) {
    devices.stamps.fill(0);
    devices.current = 0;
  }
  const stamp = ++devices.current;
  let devicesReporting = 0;
  for (let at = low; at < high; at++) {
    for (let link = window.chains[at]!; link >= 0; link = window.next[link]!) {
      const device = window.devices[link]!;
      if (devices.stamps[device] !== stamp) {
        devices.stamps[device] = stamp;
        devicesReporting++;
      }
    }
  }
  return summarise(window, low, high, devicesReporting);
}

/**
 * Sums the buckets afresh each time, so that nothing of what came and went (a huge value that has left) lingers in the
 * result.
 */
function summarise(window: RollingWindow, low: number, high: number, devicesReporting: number): WindowValue {
  const { counts, sums, minima, maxima } = window;
  let readings = 0;
  let sum = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let at = low; at < high; at++) {
    readings += counts[at]!;
    sum += sums[at]!;
    if (minima[at]! < minimum) minimum = minima[at]!;
    if (maxima[at]! > maximum) maximum = maxima[at]!;
  }
  const lastReadingAt = high > window.start ? newestIn(window, high - 1) : window.evictedAt;
  if (readings === 0) {
    return { mean: null, minimum: null, maximum: null, readings, devicesReporting, lastReadingAt };
  }
  // Rounding, or a sum beyond what a double holds, must not carry the mean outside the values it is the mean of.
  const mean = Math.min(maximum, Math.max(minimum, sum / readings));
  return { mean, minimum, maximum, readings, devicesReporting, lastReadingAt };
}

function newestIn(window: RollingWindow, at: number): number {
  return window.slots[at]! * 1000 - window.ages[at]!;
}

/** Keeps `newest`: a device counts in the bucket of its newest reading up to T and in no other. */
function reported(window: RollingWindow, at: number, slot: number, device: number): void {
  if (device >= window.newestOf.length) {
    const larger = new Uint32Array(1 << (32 - Math.clz32(device)));
    larger.set(window.newestOf);
    window.newestOf = larger;
  }
  const before = window.newestOf[device]!;
  if (slot <= before) return;
  window.newestOf[device] = slot;
  window.newest[at]! += 1;
  if (before === 0) return;
  const old = firstAfter(window, before - 1);
  if (old < window.end && window.slots[old] === before) window.newest[old]! -= 1;
}

/** The index of the first bucket whose slot is greater. */
function firstAfter(window: RollingWindow, slot: number): number {
  const { slots } = window;
  let low = window.start;
  let high = window.end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (slots[middle]! <= slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bucketAt(window: RollingWindow, slot: number): number {
  let at = window.end;
  // Most readings belong to the last few seconds.
  for (let steps = 0; at > window.start && window.slots[at - 1]! >= slot; steps++) {
    if (window.slots[at - 1] === slot) return at - 1;
    if (steps === 8) {
      at = firstAfter(window, slot - 1);
      if (window.slots[at] === slot) return at;
      break;
    }
    at--;
  }
  if (window.end === window.slots.length) at -= makeRoom(window);
  if (at < window.end) for (const column of columnsOf(window)) column.copyWithin(at + 1, at, window.end);
  window.end++;
  if (slot <= window.second) window.high++;
  if (slot <= window.second - WINDOW_SECONDS) window.low++;
  window.slots[at] = slot;
  window.counts[at] = 0;
  window.sums[at] = 0;
  window.minima[at] = Infinity;
  window.maxima[at] = -Infinity;
  window.ages[at] = 0xffff;
  window.newest[at] = 0;
  window.chains[at] = -1;
  return at;
}

function columnsOf(window: RollingWindow): (Uint32Array | Int32Array | Uint16Array | Float64Array)[] {
  const { slots, counts, sums, minima, maxima, ages, newest, chains } = window;
  return [slots, counts, sums, minima, maxima, ages, newest, chains];
}

/** @returns by how much every index went down. */
function makeRoom(window: RollingWindow): number {
  const { start } = window;
  if (start * 4 >= window.slots.length) {
    for (const column of columnsOf(window)) column.copyWithin(0, start, window.end);
    window.start = 0;
    window.low -= start;
    window.high -= start;
    window.end -= start;
    return start;
  }
  window.slots = enlarged(window.slots);
  window.counts = enlarged(window.counts);
  window.sums = enlarged(window.sums);
  window.minima = enlarged(window.minima);
  window.maxima = enlarged(window.maxima);
  window.ages = enlarged(window.ages);
  window.newest = enlarged(window.newest);
  window.chains = enlarged(window.chains);
  return 0;
}

function enlarged<T extends Uint32Array | Int32Array | Uint16Array | Float64Array>(column: T): T {
  const larger = new (column.constructor as new (length: number) => T)(Math.ceil(column.length * 1.5));
  larger.set(column);
  return larger;
}
