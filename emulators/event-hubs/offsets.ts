/**
 * An offset is opaque to clients: a string that names one event of one incarnation. Ours is a decimal number, ten
 * thousand times the event's log position plus the incarnation's tag. So offsets grow along a partition, and one
 * that comes from another life of the hub (from a checkpoint that outlived it) is recognised by its last digits in
 * all but one of ten thousand cases, also when the new log has grown past it.
 */
const TAGS = 10_000;

export function offsetOf(position: number, tag: number): number {
  return position * TAGS + tag;
}

export type ParsedOffset = { position: number } | { problem: 'malformed' | 'other incarnation' };

export function parseOffset(offset: string, tag: number): ParsedOffset {
  const value = /^\d{1,16}$/.test(offset) ? Number(offset) : Number.NaN;
  if (!Number.isSafeInteger(value)) return { problem: 'malformed' };
  if (value % TAGS !== tag) return { problem: 'other incarnation' };
  return { position: Math.floor(value / TAGS) };
}
