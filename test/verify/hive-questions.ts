import { NORTH } from '../api/api.support';
import { DAY } from './hive-arrivals';
import { type HiveStore } from './hive-store';

export const QUANTITY = 'AIR_TEMPERATURE' as const;
const LOW = 18;
const HIGH = 24;
const MINUTES = 10;

export type Asked = { tenant: string; from: number; to: number } & (
  | { kind: 'events by device' }
  | { kind: 'hourly averages'; quantity: typeof QUANTITY }
  | {
      kind: 'excursions';
      building: string;
      quantity: typeof QUANTITY;
      low: number;
      high: number;
      longerThan: number;
    }
);

export interface Question {
  /** Of the range. */
  label: string;
  name: string;
  script: string;
  variables: Record<string, string>;
  asked: Asked;
}

/** Each of a week that is partly landed alone, and of days in the middle of a month that became one period. */
export function questionsOf({ week, before }: HiveStore, buildings: readonly string[]): Question[] {
  const tenant = NORTH;
  return [
    { label: 'a week', from: week.from, to: week.to },
    { label: 'two days of a month', from: before.from + DAY, to: before.from + 3 * DAY },
  ].flatMap(({ label, from, to }): Question[] => {
    const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
    const range = { tenant, from: day(from), to: day(to) };
    const bounds = { low: LOW, high: HIGH };
    return [
      {
        label,
        name: `events by device, ${label}`,
        script: 'events-by-device.hql',
        variables: range,
        asked: { kind: 'events by device', tenant, from, to },
      },
      {
        label,
        name: `hourly averages, ${label}`,
        script: 'hourly-averages.hql',
        variables: { ...range, quantity: QUANTITY },
        asked: { kind: 'hourly averages', tenant, quantity: QUANTITY, from, to },
      },
      ...buildings.map((building, i) => ({
        label,
        name: `excursions in building ${i + 1}, ${label}`,
        script: 'excursions.hql',
        variables: {
          ...{ ...range, building, quantity: QUANTITY, low: String(LOW), high: String(HIGH) },
          longer_than_minutes: String(MINUTES),
        },
        asked: {
          ...{ kind: 'excursions' as const, tenant, building, quantity: QUANTITY, from, to, ...bounds },
          longerThan: MINUTES * 60_000,
        },
      })),
    ];
  });
}
