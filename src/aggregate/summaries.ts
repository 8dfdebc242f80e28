import { type Aggregation, type WindowReadings } from './aggregations';

/** What is kept of a window: a few doubles in a row, of which these come first and an aggregation's own behind. */
export const NEWEST = 0;
export const READINGS = 1;
export const DEVICES = 2;
const OWN = 3;

/** Writes, merges and reads summaries, each `width` doubles of some array. */
export interface Summaries {
  readonly width: number;
  /** By aggregation: where its doubles begin. */
  readonly offsets: readonly number[];
  summarise(readings: WindowReadings, into: Float64Array, at: number): void;
  /** Of windows that share no reading and no device. */
  merge(from: Float64Array, fromAt: number, into: Float64Array, at: number): void;
  /** Puts `next` in the place of what was there. @returns whether it differs. */
  replace(next: Float64Array, into: Float64Array, at: number): boolean;
}

export function createSummaries(aggregations: readonly Aggregation[]): Summaries {
  let width = OWN;
  const offsets = aggregations.map((aggregation) => {
    const offset = width;
    width += aggregation.width;
    return offset;
  });
  return {
    width,
    offsets,
    summarise(readings, into, at) {
      into[at + NEWEST] = readings.newestAt;
      into[at + READINGS] = readings.count;
      into[at + DEVICES] = readings.devices;
      for (let i = 0; i < offsets.length; i++) aggregations[i]!.summarise(readings, into, at + offsets[i]!);
    },
    merge(from, fromAt, into, at) {
      if (from[fromAt + NEWEST]! > into[at + NEWEST]!) into[at + NEWEST] = from[fromAt + NEWEST]!;
      into[at + READINGS]! += from[fromAt + READINGS]!;
      into[at + DEVICES]! += from[fromAt + DEVICES]!;
      for (let i = 0; i < offsets.length; i++) {
        aggregations[i]!.merge(from, fromAt + offsets[i]!, into, at + offsets[i]!);
      }
    },
    replace(next, into, at) {
      let differs = false;
      for (let i = 0; i < width; i++) {
        if (into[at + i] === next[i]) continue;
        into[at + i] = next[i]!;
        differs = true;
      }
      return differs;
    },
  };
}
