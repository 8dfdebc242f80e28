import { type DeviceCondition } from './condition';

/** A device has missed so many of its intervals. */
export function createDeviceSilent({ intervals }: { intervals: number }): DeviceCondition {
  return { of: 'devices', overdueAt: (heardAt, intervalMs) => heardAt + intervals * intervalMs };
}
