import { type TenantScope } from '../auth/scope';
import { type QuantityName } from '../domain/quantity';
import { type BuildingAverage } from '../domain/window';

/** A stored point of the rolling record, `windowEnd` at second 0 of a minute. */
export interface StoredAverage extends BuildingAverage {
  revision: number;
}

/** What the API reads of the rolling record. Null or empty for a building outside the scope, as for an unknown one. */
export interface AveragesReader {
  /** Points with windowEnd in [fromMinute, toMinute] (minutes since 1970), ascending, at most `limit`. */
  history(
    scope: TenantScope,
    query: {
      buildingId: string;
      quantity: QuantityName;
      fromMinute: number;
      toMinute: number;
      limit: number;
    },
  ): Promise<StoredAverage[]>;
  /** The newest stored point of each quantity, for each building asked. */
  latest(scope: TenantScope, buildingIds: readonly string[]): Promise<StoredAverage[][]>;
}

/** What the aggregate worker writes: only the owner of a building's partition, only forward in stream position. */
export interface AveragesWriter {
  /**
   * The minute points of one building, all quantities, in one write a chunk; a stored later position stands.
   *
   * @returns those that say something new, as they stand now.
   */
  write(buildingId: string, points: readonly BuildingAverage[]): Promise<readonly StoredAverage[]>;
}
