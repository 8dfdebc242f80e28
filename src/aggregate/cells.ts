/**
 * What is kept of the windows of numbered places: a summary each, in one array, and which of them were touched since it
 * was written and which changed since they were told.
 */
export interface Cells {
  readonly width: number;
  /** `width` doubles a place. */
  cells: Float64Array;
  isTouched: Uint8Array;
  readonly touched: number[];
  isChanged: Uint8Array;
  readonly changed: number[];
}

const SMALLEST = 64;

export function createCells(width: number): Cells {
  return {
    width,
    // What no summary is, so that the first one differs.
    cells: new Float64Array(SMALLEST * width).fill(NaN),
    isTouched: new Uint8Array(SMALLEST),
    touched: [],
    isChanged: new Uint8Array(SMALLEST),
    changed: [],
  };
}

/** What it holds is to be summarised anew. */
export function touch(cells: Cells, place: number): void {
  if (place >= cells.isTouched.length) makeRoomFor(cells, place);
  if (cells.isTouched[place] === 1) return;
  cells.isTouched[place] = 1;
  cells.touched.push(place);
}

/** Its summary is to be told. */
export function change(cells: Cells, place: number): void {
  if (cells.isChanged[place] === 1) return;
  cells.isChanged[place] = 1;
  cells.changed.push(place);
}

export function clearChanged({ isChanged, changed }: Cells): void {
  for (const place of changed) isChanged[place] = 0;
  changed.length = 0;
}

/** The place is given up: another of its number begins with nothing. */
export function forget({ width, cells }: Cells, place: number): void {
  cells.fill(NaN, place * width, (place + 1) * width);
}

function makeRoomFor(cells: Cells, place: number): void {
  const places = Math.ceil((place + 1) * 1.5);
  const larger = new Float64Array(places * cells.width).fill(NaN);
  larger.set(cells.cells);
  cells.cells = larger;
  cells.isTouched = longer(cells.isTouched, places);
  cells.isChanged = longer(cells.isChanged, places);
}

function longer(column: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(column);
  return larger;
}
