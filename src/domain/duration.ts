const DURATION =
  /^P(?=\d|T\d)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?$/;
const SECONDS = [7 * 86_400, 86_400, 3_600, 60, 1] as const;

/**
 * Milliseconds of a duration as ISO 8601 writes it, of parts that are always as long (weeks to seconds); undefined for any
 * other text.
 */
export function millisecondsOf(duration: string): number | undefined {
  const parts = DURATION.exec(duration);
  if (parts === null) return undefined;
  const seconds = SECONDS.reduce((sum, each, index) => sum + each * Number(parts[index + 1] ?? 0), 0);
  return Number.isFinite(seconds) ? Math.round(seconds * 1_000) : undefined;
}

/** As `millisecondsOf` reads it. */
export function durationOf(milliseconds: number): string {
  const [days, hours, minutes] = [86_400_000, 3_600_000, 60_000].map((unit) => {
    const count = Math.floor(milliseconds / unit);
    milliseconds -= count * unit;
    return count;
  });
  const part = (count: number, unit: string): string => (count > 0 ? `${count}${unit}` : '');
  const time = part(hours!, 'H') + part(minutes!, 'M') + part(milliseconds / 1_000, 'S');
  const text = `P${part(days!, 'D')}${time === '' ? '' : `T${time}`}`;
  return text === 'P' ? 'PT0S' : text;
}
