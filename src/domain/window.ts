/** The rolling average's length. A window that ends at second T holds observedAt in (T - 300 s, T]. */
export const WINDOW_SECONDS = 300;

/**
 * The second whose window is the first to hold an instant: T holds `observedAt` when slot(observedAt) is in
 * (T - WINDOW_SECONDS, T].
 */
export function slotOf(observedAt: number): number {
  return Math.ceil(observedAt / 1000);
}

/** Positions mean something only within one life of a hub: its creation instant and its partition count. */
export interface StreamPosition {
  incarnation: string;
  partition: number;
  /** Sequence number of the last event counted; -1 before the first. */
  sequence: number;
}

/** One value of the rolling average of a building, or of one of its spaces, and a continuous quantity. */
export interface BuildingAverage {
  tenantId: string;
  buildingId: string;
  /** Null or left out: of the whole building. */
  spaceId?: string | null;
  /** `Quantity.code`. */
  quantity: number;
  /** Seconds since 1970: the window is (windowEnd - 300, windowEnd]. */
  windowEnd: number;
  /** Milliseconds since 1970: when this value was computed. */
  asOf: number;
  /** Null for an empty window, never the last value. */
  mean: number | null;
  minimum: number | null;
  maximum: number | null;
  /** The mean over devices of each device's own mean in the window; left out where it was not computed. */
  deviceMean?: number | null;
  /** Distinct readings in the window. */
  readings: number;
  devicesReporting: number;
  devicesExpected: number;
  /** The newest observedAt seen at or before windowEnd, also when it has left the window; null when none is known. */
  lastReadingAt: number | null;
  position: StreamPosition;
  /** By name, what further aggregations say of the window; null for an empty one. Live only. */
  further?: Readonly<Record<string, number | null>>;
}

/** What is later than this is in the cold store alone. */
export const RECORD_LATENESS_MS = 48 * 3_600_000;

/**
 * Whether a reading comes too late for the warm path. Judged by the hub's own enqueued time, so that a replay, another
 * worker and an oracle over the stored rows all judge alike.
 */
export function isTooLate(observedAt: number, enqueuedAt: number, allowedLatenessMs: number): boolean {
  return enqueuedAt - observedAt > allowedLatenessMs;
}
