import { WINDOW_SECONDS } from '../../domain/window';
import { type StoredAverage } from '../../store/averages';

/**
 * What a value says of now. A value whose whole window has passed holds nothing that is still in the window of now: that
 * one is empty, and the last mean is not its mean. A value whose window overlaps stands as it is, with its own
 * `windowEnd`.
 */
export function currentValue(value: StoredAverage, now: number): StoredAverage {
  const windowEnd = Math.floor(now / 1000);
  if (value.windowEnd > windowEnd - WINDOW_SECONDS) return value;
  return {
    ...value,
    windowEnd,
    asOf: now,
    mean: null,
    minimum: null,
    maximum: null,
    deviceMean: null,
    readings: 0,
    devicesReporting: 0,
    ...(value.further && {
      further: Object.fromEntries(Object.keys(value.further).map((name) => [name, null])),
    }),
  };
}
