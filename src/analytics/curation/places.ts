import { createTexts, type Texts } from './texts';

/** Where readings belong and who sent them, as numbers of `Texts`. */
export interface Place {
  tenant: number;
  building: number;
  quantity: number;
  point: number;
  space: number;
  device: number;
}

/** One partition of one life of the stream. */
export interface StreamSource {
  incarnation: string;
  partition: number;
  /** Lives begin one after another: what the earlier holds is first in stream order. */
  createdAt: number;
}

/**
 * What the rows of one curation refer to by number. A row's place and source are one number each, so that a row costs
 * its numbers and its ids are handled once a place.
 */
export interface Places {
  texts: Texts;
  /** The number of a place. */
  numberOf(place: Place): number;
  place(number: number): Place;
  sourceOf(incarnation: string, partition: number): number;
  source(number: number): StreamSource;
  sources(): readonly StreamSource[];
  /** By building, quantity and point, in the order of their bytes; negative where the first place comes first. */
  compare(first: number, second: number): number;
  /** Whether both are of one building, quantity and point. */
  sameSeries(first: number, second: number): boolean;
}

export function createPlaces(): Places {
  const texts = createTexts();
  const places: Place[] = [];
  /** By point: a point has several only where it was moved to another device or space. */
  const byPoint: number[][] = [];
  const sources: StreamSource[] = [];
  const sourceNumbers = new Map<string, number>();

  const compareTexts = (first: number, second: number): number => {
    if (first === second) return 0;
    // Ids are ASCII, where the order of strings is that of their bytes.
    return texts.textOf(first) < texts.textOf(second) ? -1 : 1;
  };

  return {
    texts,
    numberOf({ tenant, building, quantity, point, space, device }) {
      const known = (byPoint[point] ??= []);
      for (const number of known) {
        const each = places[number]!;
        if (
          each.device === device &&
          each.space === space &&
          each.building === building &&
          each.quantity === quantity &&
          each.tenant === tenant
        ) {
          return number;
        }
      }
      const number = places.push({ tenant, building, quantity, point, space, device }) - 1;
      known.push(number);
      return number;
    },
    place: (number) => places[number]!,
    sourceOf(incarnation, partition) {
      const key = `${incarnation}/${partition}`;
      let number = sourceNumbers.get(key);
      if (number === undefined) {
        const createdAt = Number(/^\d+/.exec(incarnation)?.[0] ?? 0);
        number = sources.push({ incarnation, partition, createdAt }) - 1;
        sourceNumbers.set(key, number);
      }
      return number;
    },
    source: (number) => sources[number]!,
    sources: () => sources,
    compare(first, second) {
      const a = places[first]!;
      const b = places[second]!;
      return (
        compareTexts(a.building, b.building) ||
        compareTexts(a.quantity, b.quantity) ||
        compareTexts(a.point, b.point)
      );
    },
    sameSeries(first, second) {
      if (first === second) return true;
      const a = places[first]!;
      const b = places[second]!;
      return a.point === b.point && a.quantity === b.quantity && a.building === b.building;
    },
  };
}
