import { type BuildingAverage } from '../domain/window';

/** What became of a value: it is news, it only says that nothing changed, or it is older than what is held. */
export type Taken = 'changed' | 'unchanged' | 'stale';

export interface LatestAverages {
  take(value: BuildingAverage): Taken;
  of(place: Place): BuildingAverage[];
  /** What a building's last whole minute said, one value a quantity. */
  lastMinuteOf(place: Omit<Place, 'spaceId'>): BuildingAverage[];
}

/** A building of one owner, or with `spaceId` a space in it. Two owners' values of a building are never mixed. */
export interface Place {
  tenantId: string;
  buildingId: string;
  spaceId?: string | null;
}

/**
 * The latest value of each building or space and quantity. Bounded by what is registered: one value for each quantity of
 * each place and the one of its last minute, replaced for ever.
 */
export function createLatestAverages(): LatestAverages {
  const places = new Map<string, Map<number, BuildingAverage>>();
  const minutes = new Map<string, Map<number, BuildingAverage>>();
  const put = (held: typeof places, key: string, value: BuildingAverage): void => {
    const quantities = held.get(key);
    if (quantities === undefined) held.set(key, new Map([[value.quantity, value]]));
    else quantities.set(value.quantity, value);
  };
  return {
    take(value) {
      const key = keyOf(value);
      const held = places.get(key)?.get(value.quantity);
      if (held !== undefined && isOlder(value, held)) return 'stale';
      put(places, key, value);
      if (value.windowEnd % 60 === 0 && value.spaceId == null) put(minutes, key, value);
      return held === undefined || differs(value, held) ? 'changed' : 'unchanged';
    },
    of: (place) => [...(places.get(keyOf(place))?.values() ?? [])],
    lastMinuteOf: (place) => [...(minutes.get(keyOf(place))?.values() ?? [])],
  };
}

/** Ids hold no blank. */
function keyOf({ tenantId, buildingId, spaceId }: Place): string {
  return spaceId == null ? `${tenantId} ${buildingId}` : `${tenantId} ${buildingId} ${spaceId}`;
}

/**
 * Within one life of the stream a value that counts fewer events is an old owner's, however young it says it is. Across
 * lives positions cannot be compared, and the later computed one stands.
 */
function isOlder(value: BuildingAverage, held: BuildingAverage): boolean {
  if (value.position.incarnation !== held.position.incarnation) return value.asOf < held.asOf;
  return value.position.sequence < held.position.sequence || value.windowEnd < held.windowEnd;
}

/** Whether a reader would learn anything; that time went by is no news, nor that a reading took an equal one's place. */
function differs(value: BuildingAverage, held: BuildingAverage): boolean {
  return (
    value.mean !== held.mean ||
    value.minimum !== held.minimum ||
    value.maximum !== held.maximum ||
    value.deviceMean !== held.deviceMean ||
    value.readings !== held.readings ||
    value.devicesReporting !== held.devicesReporting ||
    value.devicesExpected !== held.devicesExpected ||
    Object.entries(value.further ?? {}).some(([name, each]) => held.further?.[name] !== each)
  );
}
