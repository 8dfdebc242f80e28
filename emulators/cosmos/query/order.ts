/**
 * How Cosmos orders values of different types: undefined, null, false, true, numbers, strings, arrays, objects
 * (https://learn.microsoft.com/azure/cosmos-db/nosql/query/order-by). A value's place is its type's rank and, within
 * the type, a value that SQLite compares alike: numbers by value, strings by code point.
 */
export type Place = readonly [rank: number, value: number | string];

export const UNDEFINED_RANK = 0;
const NULL_RANK = 1;
const BOOLEAN_RANK = 2;
const NUMBER_RANK = 3;
export const STRING_RANK = 4;
const ARRAY_RANK = 5;
const OBJECT_RANK = 6;

export function placeOf(value: unknown): Place {
  switch (typeof value) {
    case 'undefined':
      return [UNDEFINED_RANK, 0];
    case 'boolean':
      return [BOOLEAN_RANK, value ? 1 : 0];
    case 'number':
      // SQLite tells -0 from 0 in no comparison, and neither does Cosmos.
      return [NUMBER_RANK, value === 0 ? 0 : value];
    case 'string':
      return [STRING_RANK, value];
    default:
      if (value === null) return [NULL_RANK, 0];
      // Arrays among themselves, and objects, stand in no order of their own: their id decides.
      return Array.isArray(value) ? [ARRAY_RANK, 0] : [OBJECT_RANK, 0];
  }
}

/** Whether two values of this rank can be told apart by their place alone. */
export function isScalarRank(rank: number): boolean {
  return rank > UNDEFINED_RANK && rank < ARRAY_RANK;
}

export function comparePlaces(a: Place, b: Place): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (a[0] === STRING_RANK) return compareText(a[1] as string, b[1] as string);
  return (a[1] as number) - (b[1] as number);
}

/**
 * By code point, as UTF-8 bytes compare. JavaScript's own `<` goes by UTF-16 unit and puts U+10000 and above before
 * U+E000 to U+FFFF.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates move above the rest of the basic plane.
    if (x >= 0xd800) x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
    if (y >= 0xd800) y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
    return x - y;
  }
  return a.length - b.length;
}

/** Deep equality of JSON values. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((each, i) => same(each, b[i]));
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) =>
      Object.hasOwn(b, name) &&
      same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
  );
}
