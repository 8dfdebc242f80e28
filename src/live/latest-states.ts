import { type PlaceState, STATE_HOLDS_SECONDS } from '../domain/state';
import { type Place, type Taken } from './latest';

/** The latest states of each building or space, by quantity. */
export interface LatestStates {
  take(value: PlaceState): Taken;
  /** Those that can still hold at an instant (ms): what was told longer ago says nothing of now. */
  of(place: Place, now: number): PlaceState[];
}

/** Bounded by what is registered: one value for each state quantity of each place, replaced for ever. */
export function createLatestStates(): LatestStates {
  const places = new Map<string, Map<number, PlaceState>>();
  return {
    take(value) {
      const key = keyOf(value);
      let quantities = places.get(key);
      if (quantities === undefined) places.set(key, (quantities = new Map()));
      const held = quantities.get(value.quantity);
      if (held !== undefined && isOlder(value, held)) return 'stale';
      quantities.set(value.quantity, value);
      return held === undefined || differs(value, held) ? 'changed' : 'unchanged';
    },
    of: (place, now) =>
      [...(places.get(keyOf(place))?.values() ?? [])].filter(
        ({ windowEnd }) => windowEnd > now / 1000 - STATE_HOLDS_SECONDS,
      ),
  };
}

function keyOf({ tenantId, buildingId, spaceId }: Place): string {
  return `${tenantId} ${buildingId} ${spaceId ?? ''}`;
}

/** As for averages: within one life of the stream what counts fewer events is an old owner's. */
function isOlder(value: PlaceState, held: PlaceState): boolean {
  if (value.position.incarnation !== held.position.incarnation) return value.asOf < held.asOf;
  return value.position.sequence < held.position.sequence || value.windowEnd < held.windowEnd;
}

function differs(value: PlaceState, held: PlaceState): boolean {
  return (
    value.active !== held.active ||
    value.clear !== held.clear ||
    value.activeMs !== held.activeMs ||
    value.knownMs !== held.knownMs ||
    value.changedAt !== held.changedAt ||
    value.lastReadingAt !== held.lastReadingAt
  );
}
