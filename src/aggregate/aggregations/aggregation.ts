/** The distinct readings of one window, gathered from wherever they are held. */
export interface WindowReadings {
  count: number;
  /** In no particular order; the first `count` hold. */
  values: Float64Array;
  /** Which of the window's devices each is of, from 0 to `devices` - 1: not an ordinal. */
  device: Uint32Array;
  /** Distinct devices. */
  devices: number;
  /** observedAt of the newest at or before the window's end, also where it has left the window; -1 for none. */
  newestAt: number;
}

/** How what is kept of two windows becomes what is kept of both. */
export type Merge = 'sum' | 'least' | 'greatest';

/**
 * One thing to tell of a window beside how many readings and devices it holds. It keeps a few doubles of every space
 * and quantity, written afresh whenever a window changed: nothing is ever subtracted, so nothing that came and went
 * lingers in a result.
 */
export interface Aggregation {
  /** What it is called in a value. */
  readonly name: string;
  /**
   * The doubles it keeps, each by how those of a building's spaces become the building's. Windows that share a device are
   * summarised together instead.
   */
  readonly keeps: readonly Merge[];
  /** Writes what it keeps of a window's readings to `into`, from `at` on. There may be none. */
  summarise(readings: WindowReadings, into: Float64Array, at: number): void;
  /** The value of a window that holds at least one reading. */
  value(kept: Float64Array, at: number, readings: number, devices: number): number;
}
