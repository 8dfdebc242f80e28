const ZERO = 48;

/**
 * Reads an RFC 3339 date-time, strictly (`Date.parse` takes much that is none). Written by hand because it runs once a
 * reading. Fractions beyond the millisecond are cut; a leap second is the second after it, as in POSIX time.
 * @returns milliseconds since 1970, or NaN.
 */
export function parseInstant(text: string): number {
  const length = text.length;
  if (length < 20 || length > 64) return NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const separator = text.charCodeAt(10) | 32;
  if (
    text.charCodeAt(4) !== 45 ||
    text.charCodeAt(7) !== 45 ||
    separator !== 116 ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(16) !== 58
  ) {
    return NaN;
  }
  // A part that is not digits is NaN, and NaN fails every comparison.
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return NaN;

  let at = 19;
  let milliseconds = 0;
  if (text.charCodeAt(at) === 46) {
    let scale = 100;
    const first = ++at;
    for (; at < length; at++) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (scale >= 1) milliseconds += digit * scale;
      scale /= 10;
    }
    if (at === first) return NaN;
    milliseconds = Math.floor(milliseconds);
  }
  const zone = text.charCodeAt(at);
  let offsetMinutes = 0;
  if (zone === 90 || zone === 122) {
    if (at + 1 !== length) return NaN;
  } else if (zone === 43 || zone === 45) {
    if (at + 6 !== length || text.charCodeAt(at + 3) !== 58) return NaN;
    const hours = digits(text, at + 1, 2);
    const minutes = digits(text, at + 4, 2);
    if (!(hours <= 23 && minutes <= 59)) return NaN;
    offsetMinutes = (hours * 60 + minutes) * (zone === 43 ? 1 : -1);
  } else {
    return NaN;
  }
  return Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - offsetMinutes * 60_000;
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let i = from; i < from + count; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
