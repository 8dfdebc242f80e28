import { type Aggregation } from './aggregation';

/** The least reading. */
export const minimum: Aggregation = {
  name: 'minimum',
  keeps: ['least'],
  summarise({ count, values }, into, at) {
    let least = Infinity;
    for (let i = 0; i < count; i++) if (values[i]! < least) least = values[i]!;
    into[at] = least;
  },
  value: (kept, at) => kept[at]!,
};

/** The greatest reading. */
export const maximum: Aggregation = {
  name: 'maximum',
  keeps: ['greatest'],
  summarise({ count, values }, into, at) {
    let greatest = -Infinity;
    for (let i = 0; i < count; i++) if (values[i]! > greatest) greatest = values[i]!;
    into[at] = greatest;
  },
  value: (kept, at) => kept[at]!,
};
