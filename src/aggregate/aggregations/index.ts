import { type Aggregation } from './aggregation';
import { createDeviceMean } from './device-mean';
import { maximum, minimum } from './extremes';
import { mean } from './mean';

export { type Aggregation, type Merge, type WindowReadings } from './aggregation';

/** Those that every value has a field for. */
export function createAggregations(): Aggregation[] {
  return [mean, minimum, maximum, createDeviceMean()];
}
