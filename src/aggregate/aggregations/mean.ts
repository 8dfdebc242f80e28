import { type Aggregation } from './aggregation';

/** The mean over all readings: each counts the same, whoever sent it. */
export const mean: Aggregation = {
  name: 'mean',
  keeps: ['sum'],
  summarise({ count, values }, into, at) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[i]!;
    into[at] = sum;
  },
  value: (kept, at, readings) => kept[at]! / readings,
};
