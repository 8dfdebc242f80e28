import { type QuantityName } from '../domain/quantity';
import { allows, type Permission, type Target, type TenantScope } from './scope';

/** What tells whether somebody is there. Their states go to those who may see readings, not to whoever sees averages. */
export const PRESENCE_REVEALING: readonly QuantityName[] = ['OCCUPANCY', 'INTRUSION', 'MOTION_LEVEL'];

/** Whether a quantity's state may be seen: the one place where that is decided. */
export function allowsState(
  scope: TenantScope,
  target: Target & { quantity: QuantityName },
  now = Date.now(),
): boolean {
  const permission: Permission = PRESENCE_REVEALING.includes(target.quantity)
    ? 'presence.read'
    : 'state.read';
  return allows(scope, permission, target, now);
}
