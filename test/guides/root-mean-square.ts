import { type Aggregation } from '../../src/aggregate/aggregations/aggregation';

/** The root of the mean of the squares, as an example of an aggregation: what counts for the heat of a current. */
export const rootMeanSquare: Aggregation = {
  name: 'rootMeanSquare',
  keeps: ['sum'],
  summarise({ count, values }, into, at) {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += values[i]! * values[i]!;
    into[at] = sum;
  },
  value: (kept, at, readings) => Math.sqrt(kept[at]! / readings),
};
