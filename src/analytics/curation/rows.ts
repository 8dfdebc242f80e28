/** What few readings have. */
export interface Extra {
  undated: boolean;
  messageId: string | null;
  messageIndex: number | null;
  originalValue: number | null;
  originalUnit: string | null;
}

/**
 * Readings in columns; places and sources by their numbers in `Places`, instants in milliseconds since 1970. Only the
 * first `length` values of each array count.
 */
export interface Rows {
  length: number;
  place: Uint32Array;
  source: Uint32Array;
  observedAt: Float64Array;
  value: Float64Array;
  receivedAt: Float64Array;
  enqueuedAt: Float64Array;
  sequence: Float64Array;
  row: Int32Array;
  /** Null while no row has any. */
  extras: (Extra | null)[] | null;
}

/** Of memory, for each row. */
export const ROW_BYTES = 52;
/** About; for each row that has an `Extra`. */
export const EXTRA_BYTES = 200;

export function createRows(capacity = 1_024): Rows {
  return {
    length: 0,
    place: new Uint32Array(capacity),
    source: new Uint32Array(capacity),
    observedAt: new Float64Array(capacity),
    value: new Float64Array(capacity),
    receivedAt: new Float64Array(capacity),
    enqueuedAt: new Float64Array(capacity),
    sequence: new Float64Array(capacity),
    row: new Int32Array(capacity),
    extras: null,
  };
}

/** Makes room for so many more rows. */
export function reserve(rows: Rows, more: number): void {
  const capacity = rows.place.length;
  if (rows.length + more <= capacity) return;
  const larger = createRows(Math.max(capacity * 2, rows.length + more));
  copyRange(rows, 0, rows.length, larger);
  Object.assign(rows, { ...larger, extras: larger.extras });
}

/** Appends the rows from `from` up to and without `to`. */
export function appendRange(target: Rows, source: Rows, from: number, to: number): void {
  reserve(target, to - from);
  copyRange(source, from, to, target);
}

/** Appends the rows whose numbers stand in `order` from `from` up to and without `to`. */
export function appendPicked(target: Rows, source: Rows, order: Uint32Array, from: number, to: number): void {
  reserve(target, to - from);
  let at = target.length;
  for (let i = from; i < to; i++, at++) {
    const row = order[i]!;
    target.place[at] = source.place[row]!;
    target.source[at] = source.source[row]!;
    target.observedAt[at] = source.observedAt[row]!;
    target.value[at] = source.value[row]!;
    target.receivedAt[at] = source.receivedAt[row]!;
    target.enqueuedAt[at] = source.enqueuedAt[row]!;
    target.sequence[at] = source.sequence[row]!;
    target.row[at] = source.row[row]!;
  }
  if (source.extras !== null || target.extras !== null) {
    const extras = (target.extras ??= new Array<null>(target.length).fill(null));
    for (let i = from; i < to; i++) extras.push(source.extras?.[order[i]!] ?? null);
  }
  target.length = at;
}

export function clear(rows: Rows): void {
  rows.length = 0;
  rows.extras = null;
}

function copyRange(source: Rows, from: number, to: number, target: Rows): void {
  const at = target.length;
  target.place.set(source.place.subarray(from, to), at);
  target.source.set(source.source.subarray(from, to), at);
  target.observedAt.set(source.observedAt.subarray(from, to), at);
  target.value.set(source.value.subarray(from, to), at);
  target.receivedAt.set(source.receivedAt.subarray(from, to), at);
  target.enqueuedAt.set(source.enqueuedAt.subarray(from, to), at);
  target.sequence.set(source.sequence.subarray(from, to), at);
  target.row.set(source.row.subarray(from, to), at);
  if (source.extras !== null || target.extras !== null) {
    const extras = (target.extras ??= new Array<null>(at).fill(null));
    for (let i = from; i < to; i++) extras.push(source.extras?.[i] ?? null);
  }
  target.length = at + (to - from);
}
