import { ABOVE, IN_ORDER, type PlaceCondition } from './condition';

/** Fewer than a share of the devices expected in a building or space were heard within the window. */
export function createTooFewReporting({ share: least }: { share: number }): PlaceCondition {
  return {
    of: 'places',
    needsFilledWindows: true,
    valueOf(place) {
      const expected = place.expected();
      if (expected === undefined || expected === 0) return undefined;
      return (place.value()?.devicesReporting ?? 0) / expected;
    },
    sideOf: (_before, share) => (share < least ? ABOVE : IN_ORDER),
  };
}
