import { type RecentColumns, type RecentPoint, type RecentUndated } from './recent';

/**
 * Rows as bytes: for each the point's index, observedAt less that of the row before, the sequence less that of the row
 * before, and the value. Integers are LEB128, signed ones zigzag. A value of at most three decimals, as sensors mostly send,
 * stands as thousandths times two; any other as 1 and a little-endian double. So a reading takes about 8 bytes.
 */
export function packRows(
  { point, observedAt, value, sequence }: RecentColumns,
  rows: readonly number[],
  baseAt: number,
  baseSequence: number,
  pointIndex: (point: number) => number,
): Buffer {
  let bytes = Buffer.allocUnsafe(Math.max(64, rows.length * MOST_BYTES_A_ROW));
  let at = 0;
  let lastAt = baseAt;
  let lastSequence = baseSequence;
  const put = (number: number): void => {
    let rest = number;
    while (rest >= 128) {
      bytes[at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
  };
  for (const row of rows) {
    put(pointIndex(point[row]!));
    put(zigzag(observedAt[row]! - lastAt));
    put(sequence[row]! - lastSequence);
    lastAt = observedAt[row]!;
    lastSequence = sequence[row]!;
    const number = value[row]!;
    const thousandths = Math.round(number * 1000);
    if (
      thousandths / 1000 === number &&
      Math.abs(thousandths) < LARGEST_THOUSANDTHS &&
      !isMinusZero(number)
    ) {
      put(zigzag(thousandths) * 2);
    } else {
      put(1);
      at = bytes.writeDoubleLE(number, at);
    }
  }
  bytes = bytes.subarray(0, at);
  return bytes;
}

/** @throws RangeError for damaged bytes. */
export function unpackRows(
  bytes: Buffer,
  count: number,
  baseAt: number,
  baseSequence: number,
  points: readonly RecentPoint[],
  undated: readonly RecentUndated[],
): RecentColumns {
  // A row takes four bytes at least: a damaged count makes no room for a billion.
  if (!(count * 4 <= bytes.length)) throw new RangeError(`${count} rows in ${bytes.length} bytes`);
  const point = new Uint32Array(count);
  const observedAt = new Float64Array(count);
  const value = new Float64Array(count);
  const sequence = new Float64Array(count);
  let at = 0;
  const take = (): number => {
    let number = 0;
    let scale = 1;
    for (;;) {
      if (at >= bytes.length) throw new RangeError('the rows end early');
      const byte = bytes[at++]!;
      number += (byte & 127) * scale;
      if (byte < 128) return number;
      scale *= 128;
    }
  };
  let lastAt = baseAt;
  let lastSequence = baseSequence;
  for (let row = 0; row < count; row++) {
    point[row] = take();
    if (points[point[row]!] === undefined) throw new RangeError(`row ${row} names no point`);
    lastAt += unzigzag(take());
    lastSequence += take();
    observedAt[row] = lastAt;
    sequence[row] = lastSequence;
    const coded = take();
    if (coded === 1) {
      value[row] = bytes.readDoubleLE(at);
      at += 8;
    } else value[row] = unzigzag(coded / 2) / 1000;
  }
  return { points, count, point, observedAt, value, sequence, undated };
}

/** Instants as bytes: each less the one before, the first less `base`, in milliseconds; a zigzag LEB128 integer each. */
export function packInstants(instants: ArrayLike<number>, rows: readonly number[], base: number): Buffer {
  const bytes = Buffer.allocUnsafe(rows.length * MOST_BYTES_AN_INSTANT);
  let at = 0;
  let last = base;
  for (const row of rows) {
    let rest = zigzag(instants[row]! - last);
    last = instants[row]!;
    while (rest >= 128) {
      bytes[at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
  }
  return bytes.subarray(0, at);
}

/** @throws RangeError for damaged bytes. */
export function unpackInstants(bytes: Buffer, count: number, base: number): Float64Array {
  if (!(count <= bytes.length)) throw new RangeError(`${count} instants in ${bytes.length} bytes`);
  const instants = new Float64Array(count);
  let at = 0;
  let last = base;
  for (let row = 0; row < count; row++) {
    let number = 0;
    for (let scale = 1, byte = 128; byte >= 128; scale *= 128) {
      if (at >= bytes.length) throw new RangeError('the instants end early');
      byte = bytes[at++]!;
      number += (byte & 127) * scale;
    }
    last += unzigzag(number);
    instants[row] = last;
  }
  return instants;
}

const MOST_BYTES_A_ROW = 5 + 8 + 8 + 9;
const MOST_BYTES_AN_INSTANT = 8;
/** Twice as a zigzag number, and twice again, it is still a safe integer. */
const LARGEST_THOUSANDTHS = 2 ** 50;

function zigzag(number: number): number {
  return number < 0 ? -2 * number - 1 : 2 * number;
}

function unzigzag(number: number): number {
  return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
}

function isMinusZero(number: number): boolean {
  return Object.is(number, -0);
}
