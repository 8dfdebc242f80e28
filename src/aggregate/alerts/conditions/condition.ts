/**
 * Where a value stands: in order, above what is allowed, or below. Which bound was crossed says what counts as back in
 * order, hence two ways of being out of it.
 */
export type Side = 0 | 1 | 2;
export const IN_ORDER = 0;
export const ABOVE = 1;
export const BELOW = 2;

/** Judges the readings of each point by themselves. */
export interface PointCondition {
  readonly of: 'points';
  /** Where a value stands, given where the one before it stood; what `sideAmong` says stands above it. */
  sideOf(before: Side, value: number): Side;
  /** Where a reading stands among those before it. Left out where the side of the one before is all that matters. */
  sideAmong?(times: readonly number[], values: readonly number[], index: number): Side;
}

/** Judges a building or a space as a whole, second by second. */
export interface PlaceCondition {
  readonly of: 'places';
  /** Whether it says nothing before every device had a whole window to be heard in, after an outage of ours. */
  readonly needsFilledWindows: boolean;
  /** What it compares; undefined where that is not known. */
  valueOf(place: PlaceView): number | undefined;
  sideOf(before: Side, value: number): Side;
}

/** A place at the engine's second. What is not known is undefined. */
export interface PlaceView {
  value(): PlaceValue | undefined;
  /** Devices that should report the rule's quantity. */
  expected(): number | undefined;
}

/** What a rule of a place looks at. */
export interface PlaceValue {
  mean: number | null;
  devicesReporting: number;
}

/** Judges whether each device is heard. */
export interface DeviceCondition {
  readonly of: 'devices';
  /** From when on (ms) a device that was heard last at an instant (ms) and should be every `intervalMs` is overdue. */
  overdueAt(heardAt: number, intervalMs: number): number;
}

export type Condition = PointCondition | PlaceCondition | DeviceCondition;
