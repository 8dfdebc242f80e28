import { type Bounds, sideByBounds } from './bounds';
import { type PlaceCondition } from './condition';

/** The rolling average of a building or space lies beyond a bound. */
export function createAverage(condition: Bounds): PlaceCondition {
  return {
    of: 'places',
    needsFilledWindows: false,
    valueOf: (place) => place.value()?.mean ?? undefined,
    sideOf: sideByBounds(condition),
  };
}
