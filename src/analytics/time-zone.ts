/** Days of one time zone as instants. */
export interface LocalDays {
  /** The local date of an instant, as days since 1970-01-01. */
  dayOf(instant: number): number;
  /**
   * The first instant of a local date, in milliseconds since 1970. Where the clock is put forward over midnight that is
   * the jump; a date that the zone left out begins where the next one does.
   */
  startOf(day: number): number;
}

const DAY_MS = 86_400_000;

/** @param timeZone an IANA name. Throws a RangeError for one that is not known. */
export function createLocalDays(timeZone: string): LocalDays {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  /** What a local clock shows at that instant, read as if it were UTC, less the instant. */
  const offsetAt = (instant: number): number => {
    const second = Math.floor(instant / 1_000) * 1_000;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) parts[type] = Number(value);
    const { year, month, day, hour, minute } = parts;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, parts.second!) - second;
  };
  return {
    dayOf: (instant) => Math.floor((instant + offsetAt(instant)) / DAY_MS),
    startOf(day) {
      const shown = day * DAY_MS;
      // No zone changes its clock twice within two days.
      const before = offsetAt(shown - DAY_MS);
      const early = shown - before;
      if (offsetAt(early) === before) return early;
      const after = offsetAt(shown + DAY_MS);
      const late = shown - after;
      // No clock ever showed this midnight: it jumped over it at this very instant.
      return offsetAt(late) === after ? late : early;
    },
  };
}
