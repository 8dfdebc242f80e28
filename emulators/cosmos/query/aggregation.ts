import { comparePlaces, placeOf } from './order';
import { type Aggregate, QueryProblem } from './syntax';

/** An aggregate over values that are added one by one. Undefined values are not counted. */
export interface Aggregation {
  add(value: unknown): void;
  /** `undefined` where the aggregate has no value: a sum with a value that is no number, a minimum of nothing. */
  result(): unknown;
}

export function createAggregation(aggregate: Aggregate): Aggregation {
  let count = 0;
  let sum = 0;
  let allNumbers = true;
  let best: unknown;

  const add: Record<Aggregate, (value: unknown) => void> = {
    COUNT: () => undefined,
    SUM: addNumber,
    AVG: addNumber,
    MIN: (value) => keep(value, -1),
    MAX: (value) => keep(value, 1),
  };
  function addNumber(value: unknown): void {
    if (typeof value === 'number') sum += value;
    else allNumbers = false;
  }
  function keep(value: unknown, sign: number): void {
    if (typeof value === 'object' && value !== null) {
      throw new QueryProblem(
        `${aggregate} of arrays or objects is not supported by the local Cosmos stand-in.`,
      );
    }
    if (best === undefined || sign * comparePlaces(placeOf(value), placeOf(best)) > 0) best = value;
  }

  return {
    add(value) {
      if (value === undefined) return;
      count += 1;
      add[aggregate](value);
    },
    result() {
      switch (aggregate) {
        case 'COUNT':
          return count;
        case 'SUM':
          return allNumbers ? sum : undefined;
        case 'AVG':
          return allNumbers && count > 0 ? sum / count : undefined;
        default:
          return best;
      }
    },
  };
}
