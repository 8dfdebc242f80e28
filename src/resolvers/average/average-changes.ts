import { allows, type TenantScope } from '../../auth/scope';
import { QUANTITIES, quantityOfCode, type QuantityName } from '../../domain/quantity';
import { type BuildingAverage as LiveAverage } from '../../domain/window';
import { loadBuilding } from '../building/building.resolver';
import { type Context } from '../context';
import { clientError } from '../errors';
import { subscriberOf } from '../shared-stream';
import { BuildingAverage } from './average.type';
import { requireContinuous } from './continuous';
import { currentAverages } from './current-averages';

/**
 * The current values of a building first, then every change. Completes when the building is no longer the caller's to see.
 * Throws NOT_FOUND for an unknown or foreign building, alike.
 */
export async function averageChanges(
  context: Context,
  { building: id, quantity }: { building: string; quantity?: QuantityName | null },
): Promise<AsyncIterableIterator<BuildingAverage>> {
  if (quantity != null) requireContinuous(quantity);
  const only = quantity ?? undefined;
  const { live } = context.services;
  const building = await loadBuilding(context, id);
  const tenantId = building?.tenantId ?? '';

  const visible = (scope: TenantScope): QuantityName[] =>
    QUANTITIES.filter(
      ({ kind, name }) =>
        kind === 'continuous' &&
        (only === undefined || name === only) &&
        allows(scope, 'average.read', { tenantId, buildingId: id, quantity: name }),
    ).map(({ name }) => name);

  if (building === null || visible(context.scope).length === 0) {
    throw clientError('NOT_FOUND', 'there is no such building, or it is not yours to see');
  }
  return subscriberOf(context, {
    rightsOf(scope) {
      const quantities = visible(scope);
      return quantities.length === 0 ? null : JSON.stringify([tenantId, id, quantities]);
    },
    current: (asking) => currentAverages(asking, building, only),
    changes: (scope) => seen(live.changes(id, only), { tenantId, quantities: visible(scope) }),
    slotOf: ({ quantity: slot }) => slot,
    instantOf: ({ windowEnd }) => windowEnd.getTime(),
  });
}

/** Of the changes of a building those of one tenant's quantities: a building may have another owner by now. */
function seen(
  changes: AsyncIterableIterator<LiveAverage>,
  { tenantId, quantities }: { tenantId: string; quantities: readonly QuantityName[] },
): AsyncIterableIterator<BuildingAverage> {
  const values: AsyncIterableIterator<BuildingAverage> = {
    async next() {
      for (;;) {
        const { done, value } = await changes.next();
        if (done) return { done, value: undefined };
        const quantity = quantityOfCode(value.quantity)?.name;
        if (value.tenantId !== tenantId || quantity === undefined || !quantities.includes(quantity)) continue;
        const average = BuildingAverage.of({ ...value, revision: 1 });
        if (average !== undefined) return { done: false, value: average };
      }
    },
    async return() {
      await changes.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => values,
  };
  return values;
}
