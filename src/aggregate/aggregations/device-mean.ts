import { type Aggregation } from './aggregation';

/** Scratch of one summary: no other runs meanwhile. */
function createScratch() {
  return { sums: new Float64Array(64), counts: new Uint32Array(64) };
}

/** The mean over devices of each device's own mean: one that sends often counts no more than one that sends seldom. */
export function createDeviceMean(): Aggregation {
  let { sums, counts } = createScratch();
  return {
    name: 'deviceMean',
    keeps: ['sum'],
    summarise({ count, values, device, devices }, into, at) {
      if (devices > sums.length) {
        sums = new Float64Array(2 * devices);
        counts = new Uint32Array(2 * devices);
      }
      for (let i = 0; i < devices; i++) {
        sums[i] = 0;
        counts[i] = 0;
      }
      for (let i = 0; i < count; i++) {
        sums[device[i]!]! += values[i]!;
        counts[device[i]!]!++;
      }
      let sum = 0;
      for (let i = 0; i < devices; i++) sum += sums[i]! / counts[i]!;
      into[at] = sum;
    },
    value: (kept, at, _readings, devices) => kept[at]! / devices,
  };
}
