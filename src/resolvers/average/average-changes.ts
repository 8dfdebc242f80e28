import { allows } from '../../auth/scope';
import { quantityOfCode, type QuantityName } from '../../domain/quantity';
import { loadBuilding } from '../building/building.resolver';
import { type Context } from '../context';
import { clientError } from '../errors';
import { BuildingAverage } from './average.type';
import { requireContinuous } from './continuous';
import { currentAverages } from './current-averages';

/**
 * The current values first, then every change. Rights are read again before each delivery; the stream completes when the
 * building is no longer the caller's to see. Throws NOT_FOUND for an unknown or foreign building, alike.
 */
export async function averageChanges(
  context: Context,
  { building: id, quantity }: { building: string; quantity?: QuantityName | null },
): Promise<AsyncIterableIterator<BuildingAverage>> {
  if (quantity != null) requireContinuous(quantity);
  const building = await loadBuilding(context, id);
  const target = building && {
    tenantId: building.tenantId,
    buildingId: id,
    ...(quantity == null ? {} : { quantity }),
  };
  if (building === null || target === null || !allows(context.scope, 'average.read', target)) {
    throw clientError('NOT_FOUND', 'there is no such building, or it is not yours to see');
  }
  // Listening begins before the current values are read, so that no change falls between the two.
  const changes = context.services.live.changes(id, quantity ?? undefined);

  async function* deliver(): AsyncGenerator<BuildingAverage> {
    try {
      const delivered = new Map<QuantityName, number>();
      for (const value of await currentAverages(context, building!, quantity ?? undefined)) {
        delivered.set(value.quantity, value.windowEnd.getTime());
        yield value;
      }
      for await (const change of changes) {
        const scope = await context.renew();
        const changed = quantityOfCode(change.quantity)?.name;
        if (changed === undefined || change.windowEnd * 1000 < (delivered.get(changed) ?? 0)) continue;
        const { tenantId, buildingId } = change;
        if (!allows(scope, 'average.read', target!)) return;
        if (!allows(scope, 'average.read', { tenantId, buildingId, quantity: changed })) continue;
        const value = BuildingAverage.of({ ...change, revision: 1 });
        if (value !== undefined) yield value;
      }
    } finally {
      await changes.return?.();
    }
  }
  const delivery = deliver();
  const iterator: AsyncIterableIterator<BuildingAverage> = {
    next: () => delivery.next(),
    // A generator that waits for a change cannot be told to return; the changes can, and then it does.
    async return() {
      await changes.return?.();
      return delivery.return(undefined);
    },
    throw: (error) => delivery.throw(error),
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
