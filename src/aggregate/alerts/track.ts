import { type ActiveAlert } from './effect';
import { IN_ORDER, type Side } from './conditions';
import { type PointRule } from './rule';

/** The last readings of a point, in the order in which they were observed. One that comes earlier than all is not judged. */
export interface Recent {
  times: number[];
  values: number[];
}

/** How one rule sees one subject. */
export interface Track {
  readonly rule: PointRule;
  readonly key: string;
  /** Of each recent reading of the point. */
  sides: Side[];
  /** Where the reading that was given up last stood, and since when it had stood so. */
  baseSide: Side;
  baseOnset: number;
  active: ActiveAlert | null;
  /**
   * While what is read was decided by others: what they held active at that point of the stream, where `active` is already
   * what stands after all they have decided. Undefined while it is ours to decide.
   */
  replayed: Pick<ActiveAlert, 'onset' | 'raisedAt'> | null | undefined;
  /** What was told and is over: from, to, from, to; as far back as readings are kept. */
  past: number[];
  /** Clock (ms) at which what is out of order and not raised yet was first seen; Infinity for nothing. */
  seenSince: number;
  /** When (ms) what is out of order will have held for long enough; Infinity for nothing. */
  dueAt: number;
  /** For which `dueAt` the clock will look at it. */
  scheduledFor: number;
  /** How many readings in succession were in order; once it is more than are kept, all that are kept were. */
  calm: number;
  /** While an event is read: whether something is to be decided at its end. */
  touched: boolean;
}

/** Readings that a point's late ones are put among. */
export const RECENT_READINGS = 16;
/** The same under a rule that looks at more than the one before. */
export const RECENT_READINGS_AMONG = 128;
/** Beyond so many numbers those that no reading reaches back to any more are forgotten. */
const PAST_KEPT = 16;

export function createTrack(rule: PointRule, key: string, readings: number): Track {
  return {
    rule,
    key,
    sides: new Array<Side>(readings).fill(IN_ORDER),
    baseSide: IN_ORDER,
    baseOnset: 0,
    active: null,
    replayed: undefined,
    past: [],
    seenSince: Infinity,
    dueAt: Infinity,
    scheduledFor: Infinity,
    calm: 0,
    touched: false,
  };
}

/** Puts a reading in its place; -1 where one of that instant stands, or where it is older than all that are kept. */
export function place({ times, values }: Recent, at: number, value: number, capacity: number): number {
  let index = times.length;
  while (index > 0 && times[index - 1]! > at) index--;
  if (index > 0 && times[index - 1] === at) return -1;
  if (index === 0 && times.length >= capacity) return -1;
  if (index === times.length) {
    times.push(at);
    values.push(value);
  } else {
    times.splice(index, 0, at);
    values.splice(index, 0, value);
  }
  return index;
}

/** Gives the oldest reading up. To be called after every track of the point was told of the new one. */
export function giveUpOldest({ times, values }: Recent, tracks: readonly Track[]): void {
  for (const track of tracks) {
    const side = track.sides.shift()!;
    if (side !== IN_ORDER && track.baseSide === IN_ORDER) track.baseOnset = times[0]!;
    track.baseSide = side;
  }
  times.shift();
  values.shift();
}

/**
 * Takes the newest reading of a point that holds as many as it can, where nothing can follow from it: the oldest goes, all
 * were in order and are. What nearly every reading comes to, and so made cheap.
 *
 * @returns false where that is not so, and nothing was done.
 */
export function takeCalmly(
  { times, values }: Recent,
  tracks: readonly Track[],
  at: number,
  value: number,
  capacity: number,
): boolean {
  const last = capacity - 1;
  if (times.length !== capacity || !(at > times[last]!)) return false;
  for (let i = 0; i < tracks.length; i++) {
    const { calm, rule, active, replayed } = tracks[i]!;
    const { sideOf, sideAmong } = rule.condition;
    if (calm <= capacity || active !== null || replayed || sideAmong !== undefined) return false;
    if (sideOf(IN_ORDER, value) !== IN_ORDER && at >= rule.since) return false;
  }
  for (let i = 0; i < last; i++) {
    times[i] = times[i + 1]!;
    values[i] = values[i + 1]!;
  }
  times[last] = at;
  values[last] = value;
  return true;
}

/**
 * Judges the reading at `index`, which was just put there, and those after it.
 *
 * @returns whether anything can follow from it: not where all was in order and is.
 */
export function judge(track: Track, recent: Recent, index: number): boolean {
  const { rule, sides } = track;
  const { condition } = rule;
  if (index === sides.length) {
    const before = index > 0 ? sides[index - 1]! : track.baseSide;
    const side = sideAt(rule, recent, index, before);
    sides.push(side);
    track.calm = side === IN_ORDER ? track.calm + 1 : 0;
    return side !== IN_ORDER || before !== IN_ORDER || track.active !== null || !!track.replayed;
  }
  sides.splice(index, 0, IN_ORDER);
  track.calm = 0;
  for (let i = index; i < sides.length; i++) {
    const before = sides[i];
    sides[i] = sideAt(rule, recent, i, i > 0 ? sides[i - 1]! : track.baseSide);
    if (condition.sideAmong === undefined && i > index && sides[i] === before) break;
  }
  return true;
}

function sideAt(
  { since, condition }: PointRule,
  { times, values }: Recent,
  index: number,
  before: Side,
): Side {
  if (times[index]! < since) return IN_ORDER;
  if (condition.sideAmong !== undefined) return condition.sideAmong(times, values, index);
  return condition.sideOf(before, values[index]!);
}

export interface Decision {
  raise?: { onset: number; value: number | null; clearedAt: number | null };
  /** The alert that was active is over since then. */
  clear?: { at: number; onset: number };
}

/**
 * What follows from a point's readings in the order of their instants, beyond what was told before. What was told is not
 * taken back: an alert keeps its onset although an earlier reading comes to light, and one that was raised too soon is
 * cleared. An alert that was over before its first reading came is raised and cleared at once.
 *
 * @param clock milliseconds: what stood out of order at the newest reading has held until then.
 */
export function decide(
  track: Track,
  { times, values }: Recent,
  clock: number,
  told: Pick<ActiveAlert, 'onset' | 'raisedAt'> | null = track.active,
): Decision[] {
  const { sides, rule } = track;
  const decisions: Decision[] = [];
  const count = times.length;
  let toldUntil = Infinity;
  if (told !== null) {
    for (let i = 0; i < count; i++) {
      if (sides[i] !== IN_ORDER || times[i]! <= told.onset) continue;
      toldUntil = Math.max(times[i]!, told.raisedAt);
      decisions.push({ clear: { at: toldUntil, onset: told.onset } });
      tellPast(track, told.onset, toldUntil, times);
      break;
    }
  }
  let i = 0;
  let from = track.baseSide === IN_ORDER ? NaN : track.baseOnset;
  let openOnset = NaN;
  while (i <= count) {
    const out = i < count && sides[i] !== IN_ORDER;
    if (out && Number.isNaN(from)) from = times[i]!;
    if (!out && !Number.isNaN(from)) {
      const to = i < count ? times[i]! : Infinity;
      const untold = afterPast(track, times, sides, from, to);
      const isActives = told !== null && untold !== undefined && untold < toldUntil && to > told.onset;
      if (untold !== undefined && !isActives) {
        const held = to === Infinity ? Math.max(clock, times[count - 1] ?? 0) : to;
        if (held - untold >= rule.forMs) {
          const shown = valueAt(times, values, untold, untold + rule.forMs);
          const clearedAt = to === Infinity ? null : Math.max(to, untold + rule.forMs);
          decisions.push({ raise: { onset: untold, value: shown, clearedAt } });
          if (clearedAt !== null) tellPast(track, untold, clearedAt, times);
        } else if (to === Infinity) openOnset = untold;
      }
      from = NaN;
    }
    i++;
  }
  track.dueAt = Number.isNaN(openOnset) ? Infinity : openOnset + rule.forMs;
  return decisions;
}

function tellPast(track: Track, from: number, to: number, times: readonly number[]): void {
  track.past.push(from, to);
  if (track.past.length <= PAST_KEPT) return;
  const oldest = track.baseSide === IN_ORDER ? times[0]! : Math.min(times[0]!, track.baseOnset);
  track.past = track.past.filter((_, i, past) => past[i | 1]! > oldest);
}

/**
 * The same, where others have decided already: nothing follows, and what is told and over is what they told, not all that
 * was out of order. A run of readings may hold what was never told, for a late reading to part from the rest.
 */
export function observe(track: Track, recent: Recent, clock: number): void {
  let told = track.replayed === undefined ? track.active : track.replayed;
  for (const { clear, raise } of decide(track, recent, clock, told)) {
    if (clear !== undefined) told = null;
    if (raise?.clearedAt === null) told = { onset: raise.onset, raisedAt: raise.onset + track.rule.forMs };
  }
  track.replayed = told;
  // To be looked at once it is ours to decide.
  if (told !== null && track.active === null) track.dueAt = told.raisedAt;
}

/** What was read last from `onset` until it was raised; null where that is no longer kept. */
function valueAt(
  times: readonly number[],
  values: readonly number[],
  onset: number,
  raisedAt: number,
): number | null {
  for (let i = times.length - 1; i >= 0 && times[i]! >= onset; i--)
    if (times[i]! <= raisedAt) return values[i]!;
  return null;
}

/** Since when what is out of order from `from` to `to` was not told; undefined where all of it was. */
function afterPast(
  { past }: Track,
  times: readonly number[],
  sides: readonly Side[],
  from: number,
  to: number,
): number | undefined {
  let begin = from;
  for (let pair = 0; pair < past.length; pair += 2) {
    if (begin >= past[pair + 1]! || to <= past[pair]!) continue;
    if (to <= past[pair + 1]!) return undefined;
    const next = times.findIndex((at, i) => at >= past[pair + 1]! && at < to && sides[i] !== IN_ORDER);
    if (next < 0) return undefined;
    begin = times[next]!;
    pair = -2;
  }
  return begin;
}
