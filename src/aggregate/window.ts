import { WINDOW_SECONDS } from '../domain/window';
import {
  bucketsFrom,
  AGE,
  type Buckets,
  CHAIN,
  COUNT,
  createBuckets,
  find,
  firstAfter,
  insertBucket,
  makeRoom,
  MAXIMUM,
  MINIMUM,
  REALS,
  SLOT,
  SUM,
  WORDS,
} from './buckets';

/**
 * The rolling window of one building and quantity, at one-second resolution.
 *
 * Only seconds that hold readings have a bucket. A ring with a bucket for every second was weighed: at 10,000 buildings
 * with six quantities it takes 1.7 GB and its scan 25 ms a tick, most of it over empty seconds; this takes what the
 * traffic needs and degenerates to the same for a busy building. Behind each bucket hangs a chain with the device of
 * each reading, which is what makes the number of devices exact for any past window still held.
 *
 * Buckets in [start, low) have left the window, those in [low, high) are in it, those in [high, end) lie beyond the
 * current second and wait.
 */
export interface RollingWindow extends Buckets {
  /** T: the window is (T - 300 s, T]. Never goes back. */
  second: number;
  low: number;
  high: number;
  /** Pairs of the following link (-1 for none) and a device ordinal. */
  links: Int32Array;
  usedLinks: number;
  freeLink: number;
  /** By device ordinal: the slot of its newest reading in the window; 0 for a device with none there. */
  newestOf: Uint32Array;
  /** How many of `newestOf` are not 0. */
  reporting: number;
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
    ...createBuckets(),
    second,
    low: 0,
    high: 0,
    links: new Int32Array(2 * SMALLEST),
    usedLinks: 0,
    freeLink: -1,
    newestOf: new Uint32Array(SMALLEST),
    reporting: 0,
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
  const at = bucketFor(window, slot);
  const { reals, words } = window;
  const real = at * REALS;
  const word = at * WORDS;
  reals[real + SUM]! += value;
  if (value < reals[real + MINIMUM]!) reals[real + MINIMUM] = value;
  if (value > reals[real + MAXIMUM]!) reals[real + MAXIMUM] = value;
  words[word + COUNT]! += 1;
  const age = slot * 1000 - observedAt;
  if (age < words[word + AGE]!) words[word + AGE] = age;
  words[word + CHAIN] = linked(window, words[word + CHAIN]! - 1, device) + 1;
  // One beyond T waits until T reaches it: its device must not be taken for one that reports already.
  if (slot <= window.second && slot > window.second - WINDOW_SECONDS) reports(window, slot, device);
}

/** Moves T forward. @returns whether readings entered or left. */
export function advanceWindow(window: RollingWindow, second: number): boolean {
  const { words, links } = window;
  const left = second - WINDOW_SECONDS;
  window.second = second;
  let moved = false;
  while (window.high < window.end && words[window.high * WORDS + SLOT]! <= second) {
    const at = window.high++;
    const slot = words[at * WORDS + SLOT]!;
    moved = true;
    for (let link = words[at * WORDS + CHAIN]! - 1; link >= 0; link = links[2 * link]!) {
      reports(window, slot, links[2 * link + 1]!);
    }
  }
  while (window.low < window.high && words[window.low * WORDS + SLOT]! <= left) {
    const at = window.low++;
    const slot = words[at * WORDS + SLOT]!;
    moved = true;
    for (let link = words[at * WORDS + CHAIN]! - 1; link >= 0; link = links[2 * link]!) {
      const device = links[2 * link + 1]!;
      // Its newest in the window has left, and with it the device.
      if (window.newestOf[device] === slot) {
        window.newestOf[device] = 0;
        window.reporting--;
      }
    }
  }
  return moved;
}

/** Gives up what was observed at or before a slot that has left every window still to be computed. */
export function evict(window: RollingWindow, slot: number): void {
  const { words, links } = window;
  while (window.start < window.low && words[window.start * WORDS + SLOT]! <= slot) {
    const at = window.start++;
    window.evictedAt = newestIn(window, at);
    let link = words[at * WORDS + CHAIN]! - 1;
    while (link >= 0) {
      const following = links[2 * link]!;
      links[2 * link] = window.freeLink;
      window.freeLink = link;
      link = following;
    }
  }
}

/** The slot of the newest reading up to T, undefined when none is held. */
export function newestSlot(window: RollingWindow): number | undefined {
  return window.high > window.start ? window.words[(window.high - 1) * WORDS + SLOT] : undefined;
}

export function isHolding(window: RollingWindow): boolean {
  return window.end > window.start;
}

/** The value at T. */
export function valueNow(window: RollingWindow): WindowValue {
  return summarise(window, window.low, window.high, window.reporting);
}

/** The value at an earlier second whose window is still held, as it is now known. */
export function valueAt(window: RollingWindow, second: number, devices: DeviceStamps): WindowValue {
  const low = firstAfter(window, second - WINDOW_SECONDS);
  const high = firstAfter(window, second);
  return summarise(window, low, high, devicesIn(window, low, high, devices));
}

function devicesIn(window: RollingWindow, low: number, high: number, devices: DeviceStamps): number {
  const { words, links } = window;
  if (devices.current === 0xffffffff) {
    devices.stamps.fill(0);
    devices.current = 0;
  }
  const stamp = ++devices.current;
  let count = 0;
  for (let at = low; at < high; at++) {
    for (let link = words[at * WORDS + CHAIN]! - 1; link >= 0; link = links[2 * link]!) {
      const device = links[2 * link + 1]!;
      if (device >= devices.stamps.length) devices.stamps = withRoomFor(devices.stamps, device);
      if (devices.stamps[device] === stamp) continue;
      devices.stamps[device] = stamp;
      count++;
    }
  }
  return count;
}

/**
 * Sums the buckets afresh each time, so that nothing of what came and went (a huge value that has left) lingers in the
 * result.
 */
function summarise(window: RollingWindow, low: number, high: number, devicesReporting: number): WindowValue {
  const { reals, words } = window;
  let readings = 0;
  let sum = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  for (let at = low; at < high; at++) {
    const real = at * REALS;
    readings += words[at * WORDS + COUNT]!;
    sum += reals[real + SUM]!;
    if (reals[real + MINIMUM]! < minimum) minimum = reals[real + MINIMUM]!;
    if (reals[real + MAXIMUM]! > maximum) maximum = reals[real + MAXIMUM]!;
  }
  const lastReadingAt = high > window.start ? newestIn(window, high - 1) : window.evictedAt;
  if (readings === 0) {
    return { mean: null, minimum: null, maximum: null, readings, devicesReporting, lastReadingAt };
  }
  // Rounding, or a sum beyond what a double holds, must not carry the mean outside the values it is the mean of.
  const mean = Math.min(maximum, Math.max(minimum, sum / readings));
  return { mean, minimum, maximum, readings, devicesReporting, lastReadingAt };
}

function newestIn({ words }: RollingWindow, at: number): number {
  return words[at * WORDS + SLOT]! * 1000 - words[at * WORDS + AGE]!;
}

/** Keeps `newestOf` and `reporting` for a reading in the window. */
function reports(window: RollingWindow, slot: number, device: number): void {
  if (device >= window.newestOf.length) window.newestOf = withRoomFor(window.newestOf, device);
  const before = window.newestOf[device]!;
  if (slot <= before) return;
  window.newestOf[device] = slot;
  if (before === 0) window.reporting++;
}

function linked(window: RollingWindow, following: number, device: number): number {
  let link = window.freeLink;
  if (link >= 0) window.freeLink = window.links[2 * link]!;
  else {
    link = window.usedLinks++;
    if (2 * link === window.links.length) {
      const larger = new Int32Array(2 * Math.ceil(link * 1.5));
      larger.set(window.links);
      window.links = larger;
    }
  }
  window.links[2 * link] = following;
  window.links[2 * link + 1] = device;
  return link;
}

function bucketFor(window: RollingWindow, slot: number): number {
  const found = find(window, slot);
  if (found >= 0) return found;
  const down = makeRoom(window);
  window.low -= down;
  window.high -= down;
  const at = -1 - found - down;
  insertBucket(window, at, slot);
  if (slot <= window.second) window.high++;
  if (slot <= window.second - WINDOW_SECONDS) window.low++;
  return at;
}

function withRoomFor(array: Uint32Array, index: number): Uint32Array {
  const larger = new Uint32Array(Math.max(SMALLEST, 1 << (32 - Math.clz32(index))));
  larger.set(array);
  return larger;
}

/** As it stands in a snapshot: what is held and no room beside it. */
export interface PackedWindow {
  second: number;
  low: number;
  high: number;
  words: Uint32Array;
  links: Int32Array;
  freeLink: number;
  newestOf: Uint32Array;
  reporting: number;
  evictedAt: number | null;
}

export function packWindow(window: RollingWindow): PackedWindow {
  const { start, end, words, links, usedLinks, newestOf } = window;
  let devices = newestOf.length;
  while (devices > 0 && newestOf[devices - 1] === 0) devices--;
  return {
    second: window.second,
    low: window.low - start,
    high: window.high - start,
    words: words.subarray(start * WORDS, end * WORDS),
    links: links.subarray(0, 2 * usedLinks),
    freeLink: window.freeLink,
    newestOf: newestOf.subarray(0, devices),
    reporting: window.reporting,
    evictedAt: window.evictedAt,
  };
}

export function unpackWindow(packed: PackedWindow): RollingWindow {
  const { links, newestOf, words, ...rest } = packed;
  const ownLinks = new Int32Array(Math.max(2 * SMALLEST, links.length));
  ownLinks.set(links);
  const ownNewest = new Uint32Array(Math.max(SMALLEST, newestOf.length));
  ownNewest.set(newestOf);
  return {
    ...bucketsFrom(words),
    ...rest,
    links: ownLinks,
    usedLinks: links.length / 2,
    newestOf: ownNewest,
  };
}
