/**
 * What a question over stored readings costs by the range that it asks about, beside the objects of its answer: for each day
 * begun this much, for 400 days at most. Of all buildings of a tenant five times as much as of one. A page of readings
 * looks at one day at first and at more only where that does not fill it. Nothing of it is given back: what was looked at
 * was looked at, whatever was found.
 */
const A_DAY: Readonly<Record<string, number>> = {
  'Building.history': 10,
  'Space.history': 10,
  'Building.excursions': 10,
  'Space.excursions': 10,
  'Tenant.excursions': 50,
  'Building.readings': 1,
};
export const QUESTIONS = Object.keys(A_DAY);

const DAY_MS = 86_400_000;
const MAXIMUM_DAYS = 400;

/**
 * @param field `Type.field`.
 * @param argument the value of an argument as the client gave it.
 * @returns 0 for a field that asks nothing of the cold store. What is read as no range costs as the longest does, so that no
 * way of writing one is cheaper; one that ends before it begins costs a day.
 */
export function questionCost(field: string, argument: (name: string) => unknown): number {
  const each = Object.hasOwn(A_DAY, field) ? A_DAY[field]! : 0;
  if (each === 0) return 0;
  const days = Math.ceil((instantOf(argument('to')) - instantOf(argument('from'))) / DAY_MS);
  return each * Math.min(Math.max(Number.isNaN(days) ? MAXIMUM_DAYS : days, 1), MAXIMUM_DAYS);
}

function instantOf(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) : NaN;
}
