import { type Comparison } from '../../../domain/alert';
import { ABOVE, BELOW, IN_ORDER, type Side } from './condition';

export interface Bounds {
  comparison: Comparison;
  low: number | null;
  high: number | null;
  hysteresis: number;
}

/** Where a value stands to the bounds, given where the one before it stood: back in order is `hysteresis` within. */
export function sideByBounds(bounds: Bounds): (before: Side, value: number) => Side {
  const { comparison, hysteresis } = bounds;
  // What is not compared is never crossed, and never waited for.
  const high = (comparison === 'BELOW' ? null : bounds.high) ?? Infinity;
  const low = (comparison === 'ABOVE' ? null : bounds.low) ?? -Infinity;
  return (before, value) => {
    if (value > high) return ABOVE;
    if (value < low) return BELOW;
    if (before === ABOVE && value > high - hysteresis) return ABOVE;
    if (before === BELOW && value < low + hysteresis) return BELOW;
    return IN_ORDER;
  };
}
