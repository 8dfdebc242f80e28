import { appendAll, type Chunks, COUNT, DEVICE, HEADER, NEWER, NONE, READING, SLOT } from './chunks';
import { freezeChunks, type FrozenChunks, frozenWords, release } from './frozen-chunks';
import { type BuildingState, type Places, spaceNumber } from './places';
import { type States } from './states';

/** Some buildings as they stand in a snapshot: columns by leaf, and five words a reading, leaf after leaf. */
export interface PackedPart {
  buildings: PackedBuilding[];
  spaceIds: string[];
  codes: Uint8Array;
  counts: Uint32Array;
  evictedAt: Float64Array;
  /** Each leaf's from the oldest slot to the newest: slot, identity, device ordinal and the double of the value. */
  readings: Uint32Array;
  /** In parts that hold nothing else. */
  states?: PackedStates;
}

/** Some buildings' state quantities: spaces, their points' ordinals with how many readings each, and those in a row. */
export interface PackedStates {
  leaves: {
    tenantId: string;
    buildingId: string;
    code: number;
    spaceId: string;
    points: number[];
    counts: number[];
  }[];
  /** observedAt. */
  instants: Float64Array;
  marks: Uint8Array;
}

interface PackedBuilding {
  tenantId: string;
  buildingId: string;
  /** How many of the part's leaves are its own; they follow those of the building before. */
  leaves: number;
  /** When each undated message was last enqueued, in that order. */
  messages?: { keys: string[]; enqueuedAt: Float64Array };
  /** The same of the release before, by generations of 128 s. */
  undated?: [generation: number, keys: string[]][];
  /** By quantity code, where readings were given up with their leaf. */
  evictedAt: [code: number, at: number][];
  /** Minutes that are to be computed, each with its series' codes. */
  dirty: [minute: number, codes: number[]][];
}

/** So many readings take a millisecond or two to pack. */
const READINGS_A_PART = 50_000;
const SMALLEST = 1_000;
const GENERATION_MS = 128_000;
const NO_DEVICE = 0xffffffff;

/** What is held, as it was at one instant: it can be read through while the engine goes on. */
export interface Frozen {
  buildings: FrozenBuilding[];
  chunks: Chunks;
  frozen: FrozenChunks;
  /** By leaf. */
  first: Uint32Array;
  evictedAt: Float64Array;
  spaceIdOf: readonly string[];
  states: PackedStates[];
}

interface FrozenBuilding {
  packed: PackedBuilding;
  series: { code: number; leaves: number[] }[];
}

/**
 * What is small is copied at once; the readings, which are most of it, as they are written. To pack them in slices without
 * a copy was weighed: a position would then have to be kept for each building, or what changed be packed again.
 */
export function freeze({ buildings, chunks, leaves, spaceIdOf }: Places, states: States): Frozen {
  const found: FrozenBuilding[] = [];
  for (const owners of buildings.values()) {
    for (const building of owners) {
      const evictedAt: PackedBuilding['evictedAt'] = [];
      const series: FrozenBuilding['series'] = [];
      for (const each of building.series) {
        if (each === undefined) continue;
        if (each.evictedAt >= 0) evictedAt.push([each.code, each.evictedAt]);
        series.push({ code: each.code, leaves: each.leaves.slice() });
      }
      const packed: PackedBuilding = {
        tenantId: building.tenantId,
        buildingId: building.buildingId,
        leaves: 0,
        messages: {
          keys: [...building.undated.keys()],
          enqueuedAt: Float64Array.from(building.undated.values()),
        },
        evictedAt,
        dirty: [...building.dirty].map(([minute, marked]) => [minute, [...marked].map(({ code }) => code)]),
      };
      found.push({ packed, series });
    }
  }
  return {
    buildings: found,
    chunks,
    frozen: freezeChunks(chunks),
    first: chunks.first.slice(0, leaves),
    evictedAt: chunks.evictedAt.slice(0, leaves),
    spaceIdOf: spaceIdOf.slice(),
    states: [...states.pack()],
  };
}

/** What it yields holds until the next is asked for. */
export function* packFrozen({
  buildings,
  chunks,
  frozen,
  first,
  evictedAt,
  spaceIdOf,
  states,
}: Frozen): Iterable<PackedPart> {
  let scratch = new Uint32Array(SMALLEST * READING);
  let used = 0;
  let part = emptyPart();
  const finish = (): PackedPart => ({
    buildings: part.buildings,
    spaceIds: part.spaceIds,
    codes: Uint8Array.from(part.codes),
    counts: Uint32Array.from(part.counts),
    evictedAt: Float64Array.from(part.evictedAt),
    readings: scratch.subarray(0, used),
  });

  try {
    for (const { packed, series } of buildings) {
      part.buildings.push(packed);
      for (const { code, leaves } of series) {
        for (const leaf of leaves) {
          packed.leaves++;
          part.spaceIds.push(spaceIdOf[leaf]!);
          part.codes.push(code);
          part.evictedAt.push(evictedAt[leaf]!);
          const before = used;
          for (let chunk = first[leaf]!; chunk !== NONE;) {
            const [words, from] = frozenWords(chunks, frozen, chunk);
            const length = words[from + COUNT]! * READING;
            if (used + length > scratch.length) {
              const larger = new Uint32Array(2 * scratch.length);
              larger.set(scratch);
              scratch = larger;
            }
            const begin = from + HEADER;
            for (let i = 0; i < length; i++) scratch[used + i] = words[begin + i]!;
            used += length;
            chunk = words[from + NEWER]!;
          }
          part.counts.push((used - before) / READING);
        }
      }
      if (used < READINGS_A_PART * READING) continue;
      yield finish();
      part = emptyPart();
      used = 0;
    }
    yield finish();
  } finally {
    release(chunks, frozen);
  }
  for (const packed of states) yield partOfStates(packed);
}

function emptyPart() {
  return {
    buildings: [] as PackedBuilding[],
    spaceIds: [] as string[],
    codes: [] as number[],
    counts: [] as number[],
    evictedAt: [] as number[],
  };
}

/** How many readings parts hold. */
export function countOf(parts: readonly PackedPart[]): number {
  return parts.reduce((sum, { readings }) => sum + readings.length / READING, 0);
}

/**
 * Puts a part's buildings in their places. Of a quantity that this release does not know nothing can be told.
 *
 * @param onReading is told of each reading's leaf and slot.
 * @returns the buildings with minutes to compute.
 */
export function unpackPlaces(
  places: Places,
  part: PackedPart,
  onReading: (leaf: number, slot: number) => void,
): BuildingState[] {
  const { readings, codes, counts, evictedAt, spaceIds } = part;
  const { chunks } = places;
  const dirty: BuildingState[] = [];
  let index = 0;
  let word = 0;
  for (const packed of part.buildings) {
    const building = places.buildingOf(packed.tenantId, packed.buildingId);
    for (const [generation, keys] of packed.undated ?? []) {
      for (const key of keys) building.undated.set(key, (generation + 1) * GENERATION_MS);
    }
    packed.messages?.keys.forEach((key, at) => building.undated.set(key, packed.messages!.enqueuedAt[at]!));
    for (const end = index + packed.leaves; index < end; index++) {
      const series = places.seriesFor(building, codes[index]!);
      const next = word + counts[index]! * READING;
      if (series === undefined) {
        word = next;
        continue;
      }
      const spaceId = spaceIds[index]!;
      const leaf = places.leafOfSpace(series, spaceId);
      const space = spaceNumber(building, spaceId);
      chunks.evictedAt[leaf] = evictedAt[index]!;
      let last = NO_DEVICE;
      for (let at = word; at < next; at += READING) {
        const device = readings[at + DEVICE]!;
        if (device !== last) places.seen(building, device, space);
        last = device;
        onReading(leaf, readings[at + SLOT]!);
      }
      // They were told apart when they came.
      appendAll(chunks, leaf, readings, word, next);
      word = next;
    }
    for (const [code, at] of packed.evictedAt) {
      const series = places.seriesFor(building, code);
      if (series !== undefined) series.evictedAt = at;
    }
    for (const [minute, marked] of packed.dirty) {
      const known = marked.flatMap((code) => building.series[code] ?? []);
      if (known.length === 0) continue;
      building.dirty.set(minute, new Set(known));
      dirty.push(building);
    }
  }
  return dirty;
}

/** A part that holds states alone. */
function partOfStates(states: PackedStates): PackedPart {
  const nothing = emptyPart();
  return {
    ...nothing,
    codes: Uint8Array.from(nothing.codes),
    counts: Uint32Array.from(nothing.counts),
    evictedAt: Float64Array.from(nothing.evictedAt),
    readings: new Uint32Array(0),
    states,
  };
}
