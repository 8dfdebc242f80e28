import { type Aggregation } from './aggregation';
import { createDeviceMean } from './device-mean';
import { maximum, minimum } from './extremes';
import { mean } from './mean';

export { type Aggregation, type Merge, type WindowReadings } from './aggregation';

/** Those that every value has a field for: mean, minimum, maximum and the mean over devices, in this order. */
export function createAggregations(): [Aggregation, Aggregation, Aggregation, Aggregation] {
  return [mean, minimum, maximum, createDeviceMean()];
}

/** Those that are told by their names. */
export const FURTHER: readonly Aggregation[] = [];
