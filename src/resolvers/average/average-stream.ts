import { allows, type TenantScope } from '../../auth/scope';
import { QUANTITIES, type QuantityName } from '../../domain/quantity';
import { type BuildingAverage as LiveAverage } from '../../domain/window';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { type SharedStream } from '../shared-stream';
import { BuildingAverage } from './average.type';
import { type AveragePlace } from './average-cursor';
import { currentAverages } from './current-averages';
import { createMissedAverages } from './missed-averages';

/**
 * The averages of buildings: the minutes that were missed, the current values, then every change. What the scope does not
 * hold of them is not told.
 */
export function averageStream(
  { services: { live } }: Context,
  options: {
    buildings: readonly Building[];
    /** Left out: all. */
    quantity: QuantityName | undefined;
    /** Milliseconds. */
    minInterval: number;
    /** Where it left off, by building; empty for who begins. */
    places: readonly AveragePlace[];
  },
): SharedStream<BuildingAverage> {
  const { buildings, quantity: only, places } = options;
  const missed = places.length === 0 ? undefined : createMissedAverages({ buildings, places });

  /** What may be seen, by building. */
  const visible = (scope: TenantScope): Map<string, QuantityName[]> => {
    const found = new Map<string, QuantityName[]>();
    for (const { id, tenantId } of buildings) {
      const quantities = QUANTITIES.filter(
        ({ kind, name }) =>
          kind === 'continuous' &&
          (only === undefined || name === only) &&
          allows(scope, 'average.read', { tenantId, buildingId: id, quantity: name }),
      ).map(({ name }) => name);
      if (quantities.length > 0) found.set(id, quantities);
    }
    return found;
  };
  const owners = new Map(buildings.map(({ id, tenantId }) => [id, tenantId]));

  return {
    rightsOf(scope) {
      const found = visible(scope);
      return found.size === 0
        ? null
        : JSON.stringify([...found].map(([id, quantities]) => [owners.get(id), id, quantities]));
    },
    async current(context) {
      const all = await Promise.all(buildings.map((building) => currentAverages(context, building, only)));
      return all.flat().map((value) => Object.assign(value, { delivery: 'LIVE' as const }));
    },
    changes(scope) {
      const seen = visible(scope);
      return delivered(live.changes([...seen.keys()], only), ({ tenantId, buildingId }, quantity) =>
        // A building may have another owner by now.
        Boolean(owners.get(buildingId) === tenantId && seen.get(buildingId)?.includes(quantity)),
      );
    },
    slotOf: ({ buildingId, quantity }) => `${buildingId} ${quantity}`,
    instantOf: ({ windowEnd }) => windowEnd.getTime(),
    isUnchanged: (value, told) => !value.differsFrom(told),
    minInterval: options.minInterval,
    tenantOf: ({ tenantId }) => tenantId,
    startArguments: ['after'],
    ...(missed && { missed: (context) => missed.read(context, visible(context.scope)) }),
  };
}

/** Of the changes those that are shown. */
function delivered(
  changes: AsyncIterableIterator<LiveAverage>,
  isShown: (value: LiveAverage, quantity: QuantityName) => boolean,
): AsyncIterableIterator<BuildingAverage> {
  const values: AsyncIterableIterator<BuildingAverage> = {
    async next() {
      for (;;) {
        const { done, value } = await changes.next();
        if (done) return { done, value: undefined };
        const quantity = BuildingAverage.quantityOf(value);
        if (quantity === undefined || !isShown(value, quantity)) continue;
        const average = BuildingAverage.of({ ...value, revision: 1 })!;
        return { done: false, value: Object.assign(average, { delivery: 'LIVE' as const }) };
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
