import { type Page } from '../registry';

/** A place in a listing: the sort key of the item it comes after, opaque to callers. */
export function positionAfter(sortKey: string): string {
  return Buffer.from(sortKey).toString('base64url');
}

/** The sort key that the page follows; the empty one comes before all. */
export function sortKeyAfter(position: string | null): string {
  return position === null ? '' : Buffer.from(position, 'base64url').toString();
}

/** Cuts a listing that was read one item too far. */
export function pageOf<T>(found: readonly { item: T; sortKey: string }[], first: number): Page<T> {
  const shown = found.slice(0, first);
  const positions = shown.map(({ sortKey }) => positionAfter(sortKey));
  return {
    items: shown.map(({ item }) => item),
    positions,
    next: found.length > first ? (positions.at(-1) ?? null) : null,
  };
}

/** As Cosmos orders strings: by code point, which is the order of their UTF-8 bytes. */
export function bySortKey(a: { sortKey: string }, b: { sortKey: string }): number {
  return a.sortKey === b.sortKey ? 0 : Buffer.compare(Buffer.from(a.sortKey), Buffer.from(b.sortKey));
}
