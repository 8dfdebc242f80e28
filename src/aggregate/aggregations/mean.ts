import { type Aggregation } from './aggregation';

/** The mean over all readings: each counts the same, whoever sent it. */
export const mean: Aggregation = {
  name: 'mean',
  width: 1,
  summarise({ count, values }, into, at) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[i]!;
    into[at] = sum;
  },
  merge(from, fromAt, into, at) {
    into[at]! += from[fromAt]!;
  },
  value: (from, at, readings) => from[at]! / readings,
};
