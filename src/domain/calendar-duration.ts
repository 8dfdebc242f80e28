/** A length of time as a calendar counts it: a day may have 23 or 25 hours, a month 28 to 31 days. */
export interface CalendarDuration {
  months: number;
  days: number;
  milliseconds: number;
}

const DURATION =
  /^P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const LARGEST_PART = 1_000_000;

/** As ISO 8601 writes it; undefined for any other text, and for one of a part beyond a million. */
export function calendarDurationOf(text: string): CalendarDuration | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map((part) => Number(part ?? 0));
  if (parts.some((part) => part > LARGEST_PART)) return undefined;
  const part = (index: number): number => parts[index]!;
  return {
    months: part(0) * 12 + part(1),
    days: part(2) * 7 + part(3),
    milliseconds: Math.round((part(4) * 3_600 + part(5) * 60 + part(6)) * 1_000),
  };
}
