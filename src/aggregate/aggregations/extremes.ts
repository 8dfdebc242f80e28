import { type Aggregation } from './aggregation';

/** The least reading. */
export const minimum: Aggregation = {
  name: 'minimum',
  width: 1,
  summarise({ count, values }, into, at) {
    let least = Infinity;
    for (let i = 0; i < count; i++) if (values[i]! < least) least = values[i]!;
    into[at] = least;
  },
  merge(from, fromAt, into, at) {
    if (from[fromAt]! < into[at]!) into[at] = from[fromAt]!;
  },
  value: (from, at) => from[at]!,
};

/** The greatest reading. */
export const maximum: Aggregation = {
  name: 'maximum',
  width: 1,
  summarise({ count, values }, into, at) {
    let greatest = -Infinity;
    for (let i = 0; i < count; i++) if (values[i]! > greatest) greatest = values[i]!;
    into[at] = greatest;
  },
  merge(from, fromAt, into, at) {
    if (from[fromAt]! > into[at]!) into[at] = from[fromAt]!;
  },
  value: (from, at) => from[at]!,
};
