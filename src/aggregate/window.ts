import { WINDOW_SECONDS } from '../domain/window';
import { type WindowReadings } from './aggregations/aggregation';
import {
  CHUNK_WORDS,
  type Chunks,
  COUNT,
  DEVICE,
  HEADER,
  IDENTITY,
  longer,
  NONE,
  observedAtOf,
  OLDER,
  READING,
  SLOT,
  VALUE,
} from './chunks';

/**
 * Gathers the readings of a window from one leaf or several, and numbers their devices. One at a time: what it gives
 * holds until it begins anew.
 */
export interface WindowGatherer {
  readonly readings: WindowReadings;
  begin(): void;
  /** Adds a leaf's readings with a slot in (second - 300, second]. */
  add(chunks: Chunks, leaf: number, second: number): void;
}

/** The values a second time, as the words they are copied by. */
interface Gathered extends WindowReadings {
  bits: Uint32Array;
}

const SMALLEST = 256;

export function createWindowGatherer(): WindowGatherer {
  const values = new Float64Array(SMALLEST);
  const readings: Gathered = {
    count: 0,
    values,
    bits: new Uint32Array(values.buffer),
    device: new Uint32Array(SMALLEST),
    devices: 0,
    newestAt: -1,
  };
  /** By device ordinal: the gathering in which it was last seen, and its number in it. */
  let stamps = new Uint32Array(SMALLEST);
  let numbers = new Uint32Array(SMALLEST);
  let current = 0;

  const makeRoomForDevice = (device: number): void => {
    const length = 1 << (32 - Math.clz32(device));
    stamps = longer(stamps, length);
    numbers = longer(numbers, length);
  };

  return {
    readings,
    begin() {
      readings.count = 0;
      readings.devices = 0;
      readings.newestAt = -1;
      if (current === 0xffffffff) {
        stamps.fill(0);
        current = 0;
      }
      current++;
    },
    add(chunks, leaf, second) {
      const { words } = chunks;
      const left = second - WINDOW_SECONDS;
      let { count } = readings;
      let { bits, device, devices } = readings;
      let newestSlot = 0;
      let newestAt = -1;
      walking: for (
        let chunk = chunks.last[leaf]!;
        chunk !== NONE;
        chunk = words[chunk * CHUNK_WORDS + OLDER]!
      ) {
        const first = chunk * CHUNK_WORDS + HEADER;
        const held = words[chunk * CHUNK_WORDS + COUNT]!;
        if (count + held > device.length) {
          makeRoomForReadings(readings);
          ({ bits, device } = readings);
        }
        for (let word = first + (held - 1) * READING; word >= first; word -= READING) {
          const slot = words[word + SLOT]!;
          if (slot > second) continue;
          if (slot >= newestSlot) {
            newestSlot = slot;
            const observedAt = observedAtOf(slot, words[word + IDENTITY]!);
            if (observedAt > newestAt) newestAt = observedAt;
          } else if (slot <= left) break walking;
          if (slot <= left) continue;
          bits[2 * count] = words[word + VALUE]!;
          bits[2 * count + 1] = words[word + VALUE + 1]!;
          const ordinal = words[word + DEVICE]!;
          if (ordinal >= stamps.length) makeRoomForDevice(ordinal);
          if (stamps[ordinal] !== current) {
            stamps[ordinal] = current;
            numbers[ordinal] = devices++;
          }
          device[count++] = numbers[ordinal]!;
        }
      }
      readings.count = count;
      readings.devices = devices;
      if (newestAt < 0) newestAt = chunks.evictedAt[leaf]!;
      if (newestAt > readings.newestAt) readings.newestAt = newestAt;
    },
  };
}

function makeRoomForReadings(readings: Gathered): void {
  const values = new Float64Array(2 * readings.values.length);
  values.set(readings.values);
  readings.values = values;
  readings.bits = new Uint32Array(values.buffer);
  readings.device = longer(readings.device, values.length);
}
