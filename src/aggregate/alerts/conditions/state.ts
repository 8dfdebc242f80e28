import { ABOVE, IN_ORDER, type PointCondition } from './condition';

/** A point says a state, such as smoke. */
export function createState({ value: looked }: { value: number }): PointCondition {
  return { of: 'points', sideOf: (_before, value) => (value === looked ? ABOVE : IN_ORDER) };
}
