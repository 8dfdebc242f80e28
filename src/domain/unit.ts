import { type Quantity } from './quantity';

/** A linear conversion: canonical = value * factor + offset. */
interface Conversion {
  factor: number;
  offset: number;
}

const same: Conversion = { factor: 1, offset: 0 };

/**
 * Units accepted beside the canonical one, by canonical unit. SenML's own names (RFC 8428 section 12.1 and RFC 8798)
 * stand beside UCUM's.
 */
const accepted: Record<string, Record<string, Conversion>> = {
  Cel: {
    Cel: same,
    '[degF]': { factor: 5 / 9, offset: -160 / 9 },
    K: { factor: 1, offset: -273.15 },
  },
  '%': {
    '%': same,
    '%RH': same,
    '%EL': same,
    '/': { factor: 100, offset: 0 },
    '1': { factor: 100, offset: 0 },
  },
  '[ppm]': {
    '[ppm]': same,
    ppm: same,
    '[ppb]': { factor: 0.001, offset: 0 },
    ppb: { factor: 0.001, offset: 0 },
  },
  lx: { lx: same, klx: { factor: 1000, offset: 0 } },
  '1': { '1': same, '': same, '/': same, count: same },
};

/** @returns the value in the quantity's unit, or undefined when the unit does not measure that quantity. */
export function toCanonical(quantity: Quantity, value: number, unit: string | undefined): number | undefined {
  if (unit === undefined || unit === quantity.unit) return value;
  const known = accepted[quantity.unit] ?? {};
  // A device writes the unit: `constructor` is none, although every object has one.
  if (!Object.hasOwn(known, unit)) return undefined;
  const { factor, offset } = known[unit]!;
  // Twelve digits are more than any sensor has, and drop what the arithmetic adds: 185 degrees Fahrenheit are 85 Celsius
  // and not a little more, which would be out of range.
  return Number((value * factor + offset).toPrecision(12));
}

export function acceptedUnits(quantity: Quantity): string[] {
  return Object.keys(accepted[quantity.unit] ?? {});
}
