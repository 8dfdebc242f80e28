import { type QuantityName } from '../domain/quantity';
import { type BuildingAverage } from '../domain/window';
import { type Readiness } from '../observability/health';

/** The latest value of each building and quantity, as the aggregate workers publish them. */
export interface LiveAverages {
  /** What is held for a building now, one value a quantity; empty where nothing was published lately. */
  latest(buildingId: string): BuildingAverage[];
  /**
   * Every change from now on, of one quantity or of all. A reader that is slower than the changes gets the latest value
   * of each quantity and misses those between: at most one value a quantity waits for it. Ends with `return()`.
   */
  changes(buildingId: string, quantity?: QuantityName): AsyncIterableIterator<BuildingAverage>;
}

export interface Live extends LiveAverages {
  /** Throws when the namespace cannot be reached. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ready once everything that was in the hub at the start has been taken in. */
  readiness(): Readiness;
}
