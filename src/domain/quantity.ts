/**
 * The quantities Atrium knows, named after Brick point classes, with their UCUM unit and physical range.
 *
 * `code` is what stands in frames and files of the stream: a code is never reused and never changes its meaning.
 */
export interface Quantity {
  readonly name: QuantityName;
  readonly code: number;
  /** A continuous quantity has a mean; a state has a current value and a share of time, no mean. */
  readonly kind: 'continuous' | 'state';
  /** UCUM, case sensitive. */
  readonly unit: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly description: string;
}

export const QUANTITY_NAMES = [
  'AIR_TEMPERATURE',
  'RELATIVE_HUMIDITY',
  'CO2_LEVEL',
  'ILLUMINANCE',
  'MOTION_LEVEL',
  'BATTERY_LEVEL',
  'SMOKE',
  'INTRUSION',
  'OCCUPANCY',
] as const;

export type QuantityName = (typeof QUANTITY_NAMES)[number];

const all: readonly Quantity[] = [
  {
    name: 'AIR_TEMPERATURE',
    code: 1,
    kind: 'continuous',
    unit: 'Cel',
    minimum: -60,
    maximum: 85,
    description: 'Temperature of the air',
  },
  {
    name: 'RELATIVE_HUMIDITY',
    code: 2,
    kind: 'continuous',
    unit: '%',
    minimum: 0,
    maximum: 100,
    description: 'Relative humidity of the air',
  },
  {
    name: 'CO2_LEVEL',
    code: 3,
    kind: 'continuous',
    unit: '[ppm]',
    minimum: 0,
    maximum: 50_000,
    description: 'Carbon dioxide in the air, by volume',
  },
  {
    name: 'ILLUMINANCE',
    code: 4,
    kind: 'continuous',
    unit: 'lx',
    minimum: 0,
    maximum: 200_000,
    description: 'Light that falls on the sensor',
  },
  {
    name: 'MOTION_LEVEL',
    code: 5,
    kind: 'continuous',
    unit: '1',
    minimum: 0,
    maximum: Number.MAX_VALUE,
    description: 'How much movement the sensor sees, in its maker’s own measure',
  },
  {
    name: 'BATTERY_LEVEL',
    code: 6,
    kind: 'continuous',
    unit: '%',
    minimum: 0,
    maximum: 100,
    description: 'Charge left in the device’s battery',
  },
  {
    name: 'SMOKE',
    code: 7,
    kind: 'state',
    unit: '1',
    minimum: 0,
    maximum: 1,
    description: 'Smoke detected (1) or not (0)',
  },
  {
    name: 'INTRUSION',
    code: 8,
    kind: 'state',
    unit: '1',
    minimum: 0,
    maximum: 1,
    description: 'Intrusion detected (1) or not (0)',
  },
  {
    name: 'OCCUPANCY',
    code: 9,
    kind: 'state',
    unit: '1',
    minimum: 0,
    maximum: 1,
    description: 'Somebody present (1) or not (0)',
  },
];

const byName = new Map<string, Quantity>(all.map((quantity) => [quantity.name, quantity]));
const byCode = new Map<number, Quantity>(all.map((quantity) => [quantity.code, quantity]));

export const QUANTITIES: readonly Quantity[] = all;

export function quantityNamed(name: QuantityName): Quantity;
export function quantityNamed(name: string): Quantity | undefined;
export function quantityNamed(name: string): Quantity | undefined {
  return byName.get(name);
}

/** @returns undefined for a code of a later release, which the caller leaves alone. */
export function quantityOfCode(code: number): Quantity | undefined {
  return byCode.get(code);
}
