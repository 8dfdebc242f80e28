import { type CuratedPeriod } from '../../domain/curated';

const DAY_MS = 86_400_000;
/** A month that ended so long ago is over: what still comes for it is late. */
export const MONTH_SETTLES_MS = 3 * DAY_MS;
/** A tenant's month of at most so many bytes is one period; beyond twice as many it is days again. */
export const MONTH_BYTES = 32 * 1024 * 1024;
/** Of a curated reading, about, where the file is not written yet. */
const READING_BYTES = 6;

/** A period that is to be written, and the present generations that go into it. */
export interface PeriodPlan {
  period: string;
  from: number;
  to: number;
  /** Their rows within [from, to) go into it; each is gone once everything planned is published. */
  sources: CuratedPeriod[];
}

/**
 * Which periods are written for new rows, so that no two periods of a tenant ever overlap.
 *
 * Days while a month is under way. Once it is over, a small tenant's days become one month, so that files stay few; rows
 * that come later go where their instant is. A month that late rows have made great becomes days.
 *
 * @param rowsByDay new rows by the start of their day.
 */
export function planPeriods(options: {
  periods: readonly CuratedPeriod[];
  rowsByDay: ReadonlyMap<number, number>;
  now: number;
  monthBytes?: number;
}): PeriodPlan[] {
  const { periods, rowsByDay, now, monthBytes = MONTH_BYTES } = options;
  const plans: PeriodPlan[] = [];
  const months = new Set([
    ...periods.map(({ from }) => monthOf(from)),
    ...[...rowsByDay.keys()].map(monthOf),
  ]);
  for (const month of [...months].sort((a, b) => a - b)) {
    const end = monthAfter(month);
    const standing = periods.filter(({ from }) => from >= month && from < end);
    const days = [...rowsByDay].filter(([day]) => day >= month && day < end);
    const fresh = days.reduce((sum, [, rows]) => sum + rows, 0);
    const bytes = standing.reduce((sum, each) => sum + each.bytes, 0) + fresh * READING_BYTES;
    const whole = standing.find(({ period }) => period.length === 7);
    const over = now >= end + MONTH_SETTLES_MS;
    if (whole) {
      if (fresh === 0) continue;
      if (bytes <= 2 * monthBytes) {
        plans.push({ period: whole.period, from: month, to: end, sources: [whole] });
      } else {
        for (let day = month; day < end; day += DAY_MS) plans.push(dayPlan(day, [whole]));
      }
    } else if (over && bytes <= monthBytes && (fresh > 0 || standing.length > 0)) {
      plans.push({ period: isoMonth(month), from: month, to: end, sources: standing });
    } else {
      for (const [day] of days.sort(([a], [b]) => a - b)) {
        plans.push(
          dayPlan(
            day,
            standing.filter(({ from }) => from === day),
          ),
        );
      }
    }
  }
  return plans;
}

/** The start of an instant's day of UTC. */
export function dayOf(instant: number): number {
  return Math.floor(instant / DAY_MS) * DAY_MS;
}

function dayPlan(day: number, sources: CuratedPeriod[]): PeriodPlan {
  return { period: new Date(day).toISOString().slice(0, 10), from: day, to: day + DAY_MS, sources };
}

function monthOf(instant: number): number {
  const date = new Date(instant);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function monthAfter(month: number): number {
  const date = new Date(month);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}

function isoMonth(month: number): string {
  return new Date(month).toISOString().slice(0, 7);
}
