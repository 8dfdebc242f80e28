import { STATE_HOLDS_SECONDS } from '../domain/state';
import { WINDOW_SECONDS } from '../domain/window';

/**
 * The readings of one point of a state quantity, oldest first, without an object a reading: as many as can still matter
 * to the state at T and to the 300 s before it.
 */
export interface StatePoint {
  readonly ordinal: number;
  /** observedAt of each. */
  readonly instants: number[];
  /** What each says: `ACTIVE` and `UNDATED`, or 0. */
  readonly marks: number[];
}

export const ACTIVE = 1;
/** Identified by its message, so that no dated reading of the same instant is like it. */
export const UNDATED = 2;

const HOLDS_MS = STATE_HOLDS_SECONDS * 1000;
const WINDOW_MS = WINDOW_SECONDS * 1000;
/** What was observed longer before T than this says nothing of the 300 s up to T. */
export const STATE_REACH_SECONDS = WINDOW_SECONDS + STATE_HOLDS_SECONDS;

/** What points say at T, and how they are added up. */
export interface StateSummary {
  active: number;
  clear: number;
  activeMs: number;
  knownMs: number;
  /** -1 for none. */
  changedAt: number;
  /** -1 for none. */
  newestAt: number;
  /** Until this second nothing changes unless a reading comes; 0 where each second may. */
  steadyUntil: number;
}

export function emptySummary(): StateSummary {
  return {
    active: 0,
    clear: 0,
    activeMs: 0,
    knownMs: 0,
    changedAt: -1,
    newestAt: -1,
    steadyUntil: Infinity,
  };
}

/**
 * Puts a reading in its place. Of two dated ones of an instant the first in stream order stands; others of one instant
 * are in stream order, so that the later of them holds from then on.
 *
 * @returns whether it was taken.
 */
export function insertState(
  { instants, marks }: StatePoint,
  instant: number,
  mark: number,
  gone: number,
): boolean {
  let at = instants.length;
  while (at > 0 && instants[at - 1]! > instant) at--;
  if ((mark & UNDATED) === 0) {
    for (let i = at - 1; i >= 0 && instants[i] === instant; i--) {
      if ((marks[i]! & UNDATED) === 0) return false;
    }
  }
  instants.splice(at, 0, instant);
  marks.splice(at, 0, mark);
  evictStates({ instants, marks }, gone);
  return true;
}

/** Gives up what was observed at or before `gone` (ms). */
export function evictStates({ instants, marks }: Pick<StatePoint, 'instants' | 'marks'>, gone: number): void {
  let count = 0;
  while (count < instants.length && instants[count]! <= gone) count++;
  if (count === 0) return;
  instants.splice(0, count);
  marks.splice(0, count);
}

/** Adds to a summary what a point says at second T, of readings observed up to T. */
export function addPoint({ instants, marks }: StatePoint, second: number, into: StateSummary): void {
  const end = second * 1000;
  const begin = end - WINDOW_MS;
  let known = 0;
  let active = 0;
  let last = -1;
  let changed = false;
  for (let i = 0; i < instants.length; i++) {
    const from = instants[i]!;
    if (from > end) break;
    const next = i + 1 < instants.length ? instants[i + 1]! : Infinity;
    const isActive = (marks[i]! & ACTIVE) !== 0;
    const held = Math.min(from + HOLDS_MS, next, end) - Math.max(from, begin);
    if (held > 0) {
      known += held;
      if (isActive) active += held;
    }
    if (
      from > begin &&
      last >= 0 &&
      from < instants[last]! + HOLDS_MS &&
      ((marks[last]! ^ marks[i]!) & ACTIVE) !== 0
    ) {
      changed = true;
      if (from > into.changedAt) into.changedAt = from;
    }
    last = i;
  }
  into.knownMs += known;
  into.activeMs += active;
  if (last < 0) {
    if (instants.length > 0) into.steadyUntil = 0;
    return;
  }
  const newestAt = instants[last]!;
  if (newestAt > into.newestAt) into.newestAt = newestAt;
  const isKnown = end < newestAt + HOLDS_MS;
  if (isKnown) {
    if ((marks[last]! & ACTIVE) !== 0) into.active++;
    else into.clear++;
  }
  const isSteady =
    last === instants.length - 1 &&
    !changed &&
    newestAt < end &&
    (isKnown ? known === WINDOW_MS : known === 0);
  if (!isSteady) into.steadyUntil = 0;
  else if (isKnown) {
    into.steadyUntil = Math.min(into.steadyUntil, Math.ceil((newestAt + HOLDS_MS) / 1000));
  }
}
