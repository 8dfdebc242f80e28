/** A length of time as ISO 8601 writes it. Calendar units have no fixed length: a day may have 23 hours, a month 28 days. */
export interface Duration {
  months: number;
  days: number;
  milliseconds: number;
}

const DURATION =
  /^P(?!$)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const LARGEST_PART = 1_000_000;

/** @returns undefined for what is no duration, for a negative one, and for one of a part beyond a million. */
export function parseDuration(text: string): Duration | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1).map((part) => (part === undefined ? 0 : Number(part)));
  if (parts.some((part) => part > LARGEST_PART)) return undefined;
  const [years, months, weeks, days, hours, minutes, seconds] = parts as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    months: years * 12 + months,
    days: weeks * 7 + days,
    milliseconds: Math.round((hours * 3_600 + minutes * 60 + seconds) * 1_000),
  };
}

/** Milliseconds of a duration of weeks, days of 24 hours, hours, minutes and seconds; undefined for one of months. */
export function exactMilliseconds({ months, days, milliseconds }: Duration): number | undefined {
  return months > 0 ? undefined : days * 86_400_000 + milliseconds;
}

/** As ISO 8601 writes an exact length: `PT1H30M`, `PT0S`. Days are given as hours. */
export function formatMilliseconds(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = (milliseconds - (hours * 3_600 + minutes * 60) * 1_000) / 1_000;
  const text = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 ? `${rest}S` : ''}`;
  return `PT${text === '' ? '0S' : text}`;
}
