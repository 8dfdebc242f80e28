import { type CalendarDuration } from '../domain/calendar-duration';
import { createLocalDays } from './time-zone';

export const MAXIMUM_STEPS = 2_000;

const EPOCH_MONDAY = 4;
const LARGEST_INSTANT = 8.64e15;

export type Steps =
  | {
      ok: true;
      /** Ascending; step i is [edges[i], edges[i + 1]). The first edge is `from`, the last `to`. */
      edges: number[];
    }
  | { ok: false; message: string };

/**
 * The steps of [from, to) in a time zone. Months, weeks and days are the zone's own, so that a day may have 23 or 25
 * hours: months are counted from January 1970, weeks begin on Monday, several days or weeks are counted from 1970 too.
 * Hours, minutes and seconds begin at each local midnight anew and are of exact length; the next midnight cuts the last
 * one short. The range cuts the first and the last step.
 */
export function stepsOf(
  { from, to, step }: { from: number; to: number; step: CalendarDuration },
  timeZone: string,
): Steps {
  const { months, days, milliseconds } = step;
  if ([months, days, milliseconds].filter((part) => part > 0).length !== 1) {
    return refused(
      'step must be of one kind: years and months, weeks and days, or hours, minutes and seconds',
    );
  }
  if (!(from < to)) return refused('from must lie before to');
  if (months === 0 && days === 0 && milliseconds < 1_000) return refused('step must be a second at least');
  if (days === 0 && milliseconds > 86_400_000) {
    return refused('a step of hours must be at most a day long: use P1D for days');
  }
  const local = createLocalDays(timeZone);
  const edges = [from];
  /** False once the range is full, or holds too many steps. */
  const add = (edge: number): boolean => {
    if (edge > edges.at(-1)! && edge < to) edges.push(edge);
    return edge < to && edges.length <= MAXIMUM_STEPS;
  };
  if (months > 0) {
    const first = new Date(local.dayOf(from) * 86_400_000);
    const month = (first.getUTCFullYear() - 1970) * 12 + first.getUTCMonth();
    for (let next = (Math.floor(month / months) + 1) * months; ; next += months) {
      const instant = Date.UTC(1970, next, 1);
      if (!(instant < LARGEST_INSTANT / 2) || !add(local.startOf(instant / 86_400_000))) break;
    }
  } else if (days > 0) {
    // Whole weeks are counted from a Monday; 1 January 1970 was a Thursday.
    const anchor = days % 7 === 0 ? EPOCH_MONDAY : 0;
    const day = local.dayOf(from) - anchor;
    for (let next = (Math.floor(day / days) + 1) * days; ; next += days) {
      if (next * 86_400_000 > LARGEST_INSTANT / 2 || !add(local.startOf(next + anchor))) break;
    }
  } else {
    for (let day = local.dayOf(from), more = true; more; day++) {
      const midnight = local.startOf(day);
      const nextMidnight = local.startOf(day + 1);
      const begun = Math.max(0, Math.floor((from - midnight) / milliseconds) + 1);
      for (let edge = midnight + begun * milliseconds; more && edge < nextMidnight; edge += milliseconds) {
        more = add(edge);
      }
      if (more) more = add(nextMidnight);
    }
  }
  if (edges.length > MAXIMUM_STEPS) {
    return refused(
      `the range holds more than ${MAXIMUM_STEPS} steps: ask for a longer step or a shorter range`,
    );
  }
  edges.push(to);
  return { ok: true, edges };
}

function refused(message: string): Steps {
  return { ok: false, message };
}

/** Steps of equal length that follow one another: `count` of them from `start`, the first with the number `index`. */
export interface Run {
  index: number;
  start: number;
  end: number;
  width: number;
}

/** The steps as few runs of equal length, so that a number can be computed rather than looked up. */
export function runsOf(edges: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const start = edges[i]!;
    const end = edges[i + 1]!;
    const last = runs.at(-1);
    // The last step of a run may be shorter than the others: it still has the number that a division gives.
    if (last && (last.end - last.start) % last.width === 0 && end - start <= last.width) last.end = end;
    else runs.push({ index: i, start, end, width: end - start });
  }
  return runs;
}
