import { type Bounds, sideByBounds } from './bounds';
import { type PointCondition } from './condition';

/** A point reads beyond a bound. */
export function createReading(condition: Bounds): PointCondition {
  return { of: 'points', sideOf: sideByBounds(condition) };
}
