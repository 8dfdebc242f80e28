import { type Aggregation, type Merge, type WindowReadings } from './aggregations';

/** What is kept of a window: a few doubles in a row, of which these come first and an aggregation's own behind. */
export const NEWEST = 0;
export const READINGS = 1;
export const DEVICES = 2;
const OWN: readonly Merge[] = ['greatest', 'sum', 'sum'];

const SUM = 0;
const LEAST = 1;
const GREATEST = 2;
const CODES = { sum: SUM, least: LEAST, greatest: GREATEST } as const;

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
  const merges: Merge[] = [...OWN];
  const offsets = aggregations.map(({ keeps }) => merges.push(...keeps) - keeps.length);
  const width = merges.length;
  // As numbers in one array: a tick merges tens of thousands, and calls of many functions would be most of it.
  const codes = Uint8Array.from(merges, (merge) => CODES[merge]);
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
      for (let i = 0; i < width; i++) {
        const value = from[fromAt + i]!;
        const code = codes[i]!;
        if (code === SUM) into[at + i]! += value;
        else if (code === LEAST ? value < into[at + i]! : value > into[at + i]!) into[at + i] = value;
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
