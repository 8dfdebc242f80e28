import { OperatorError } from '../src/observability/operator-error';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `60s`, `8m`, `1.5h`, `2d` in milliseconds. Throws an OperatorError that names the option. */
export function duration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const milliseconds = match ? Number(match[1]) * UNITS[match[2]!]! : NaN;
  if (!(milliseconds > 0)) {
    throw new OperatorError(
      `--${option} ${text} is not a duration: write a number and its unit, such as 90s or 8m`,
    );
  }
  return milliseconds;
}

/** A number above zero. */
export function positive(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new OperatorError(`--${option} ${text} is not a number above zero`);
  }
  return value;
}

/** A whole number from 1 to `most`. */
export function count(text: string, option: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw new OperatorError(
      `--${option} ${text} is not a whole number from 1${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`,
    );
  }
  return value;
}
