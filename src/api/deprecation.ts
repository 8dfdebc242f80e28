/** How the reason of every `@deprecated` ends: the last day on which it is served. */
const WRITTEN = /^\S.*\. Removed after (\d{4}-\d{2}-\d{2})\.$/s;

/** What a written deprecation says; a string where it is not written as it must be: what is wrong with it. */
export type Deprecation = { lastDay: string } | string;

/**
 * Reads `Use x. Removed after 2027-06-01.`: what to use instead, and the day (UTC) up to which clients have time.
 */
export function deprecationOf(reason: string): Deprecation {
  const [, day] = WRITTEN.exec(reason) ?? [];
  if (day === undefined) return "must say what to use instead and end with 'Removed after YYYY-MM-DD.'";
  const read = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(read.getTime()) || read.toISOString().slice(0, 10) !== day) return `${day} is no day`;
  return { lastDay: day };
}

/** Whether what was released with this reason may be removed on the day `today` (`YYYY-MM-DD`, UTC). */
export function isOver(reason: string | null | undefined, today: string): boolean {
  if (reason == null) return false;
  const deprecation = deprecationOf(reason);
  return typeof deprecation !== 'string' && deprecation.lastDay < today;
}
