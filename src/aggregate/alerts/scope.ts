import { type AlertScope } from '../../domain/alert';
import { type Inventory } from '../../store/building-inventory';
import { type Rule } from './rule';

/**
 * Whether a rule of a building looks at what stands in a space. `inventory` is asked where spaces must be known; undefined
 * where they are not.
 */
export function looksAt(
  { document: { scope } }: Rule,
  { deviceId, spaceId }: { deviceId: string; spaceId: string },
  inventory: () => Inventory | undefined,
): boolean | undefined {
  if (scope.deviceId !== null && scope.deviceId !== deviceId) return false;
  if (scope.spaceId === null || scope.spaceId === spaceId) return true;
  return inventory()?.isWithin(spaceId, scope.spaceId);
}

export function mayLieIn(scope: AlertScope, buildingId: string): boolean {
  return scope.buildingId === null || scope.buildingId === buildingId;
}
