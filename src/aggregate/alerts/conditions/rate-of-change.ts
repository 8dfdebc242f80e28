import { type AlertCondition } from '../../../domain/alert';
import { ABOVE, BELOW, IN_ORDER, type PointCondition } from './condition';

type RateOfChange = Extract<AlertCondition, { kind: 'RATE_OF_CHANGE' }>;

/** A point reads more than `change` above or below what it read up to `withinMs` before. */
export function createRateOfChange({ change, withinMs, direction }: RateOfChange): PointCondition {
  return {
    of: 'points',
    // One value alone shows no change.
    sideOf: () => IN_ORDER,
    sideAmong(times, values, index) {
      const at = times[index]!;
      const value = values[index]!;
      for (let i = index - 1; i >= 0 && at - times[i]! <= withinMs; i--) {
        const rise = value - values[i]!;
        if (direction !== 'FALLING' && rise > change) return ABOVE;
        if (direction !== 'RISING' && -rise > change) return BELOW;
      }
      return IN_ORDER;
    },
  };
}
