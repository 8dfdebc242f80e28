import { type FleetBuilding } from '../../simulator/fleet';
import { deviceModelNamed } from '../../src/domain/device';
import { quantityNamed, type QuantityName } from '../../src/domain/quantity';

/** How many devices of a building measure each continuous quantity. */
export function devicesByQuantity({ devices }: FleetBuilding): Map<QuantityName, number> {
  const found = new Map<QuantityName, number>();
  for (const { model } of devices) {
    for (const { quantity } of deviceModelNamed(model)!.channels) {
      if (quantityNamed(quantity).kind !== 'continuous') continue;
      found.set(quantity, (found.get(quantity) ?? 0) + 1);
    }
  }
  return found;
}

/** The quantities of buildings that have a rolling average. */
export function continuousQuantities(buildings: readonly FleetBuilding[]): QuantityName[] {
  return [...new Set(buildings.flatMap((building) => [...devicesByQuantity(building).keys()]))];
}
