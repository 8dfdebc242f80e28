import { type QuantityName } from '../domain/quantity';

/** How many devices should report, by building and quantity, kept current by the registry's change feed. */
export interface BuildingCounts {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined until the building is loaded; the first asking starts that, and never blocks. */
  devicesExpected(buildingId: string, quantity: QuantityName): number | undefined;
}
