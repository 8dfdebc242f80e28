import { type AverageSight, seesAllPresence } from '../../auth/presence';
import { type TenantScope } from '../../auth/scope';
import { QUANTITIES, type QuantityName } from '../../domain/quantity';
import { type BuildingAverage as LiveAverage } from '../../domain/window';
import { merged } from '../../live/merged';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { type SharedStream } from '../shared-stream';
import { BuildingAverage } from './average.type';
import { type AveragePlace } from './average-cursor';
import { correctedAverages } from './corrected-averages';
import { currentAverages } from './current-averages';
import { createMissedAverages } from './missed-averages';
import { asSeen, type SightOf } from './sight';

/**
 * The averages of buildings: the minutes that were missed, the current values, then every change. What the scope does not
 * hold of them is not told.
 */
export function averageStream(
  { services: { averages, live } }: Context,
  options: {
    buildings: readonly Building[];
    /** Left out: all. */
    quantity: QuantityName | undefined;
    /** Milliseconds. */
    minInterval: number;
    /** Where it left off, by building; empty for who begins. */
    places: readonly AveragePlace[];
    /** Whether to tell of records that are corrected later. */
    corrections: boolean;
    /** What may be seen of each building. */
    sights: ReadonlyMap<string, SightOf>;
  },
): SharedStream<BuildingAverage> {
  const { buildings, quantity: only, places } = options;
  const missed = places.length === 0 ? undefined : createMissedAverages({ buildings, places });

  /** What may be seen, by building. */
  const visible = (scope: TenantScope): Map<string, Map<QuantityName, AverageSight>> => {
    const found = new Map<string, Map<QuantityName, AverageSight>>();
    for (const { id } of buildings) {
      const sightOf = options.sights.get(id)!;
      const quantities = QUANTITIES.flatMap(({ kind, name }) => {
        const wanted = kind === 'continuous' && (only === undefined || name === only);
        const sight = wanted ? sightOf(scope, name) : null;
        return sight === null ? [] : [[name, sight] as const];
      });
      if (quantities.length > 0) found.set(id, new Map(quantities));
    }
    return found;
  };
  const owners = new Map(buildings.map(({ id, tenantId }) => [id, tenantId]));

  return {
    rightsOf(scope) {
      const found = visible(scope);
      return found.size === 0
        ? null
        : JSON.stringify(
            [...found].map(([id, quantities]) => {
              const tenantId = owners.get(id)!;
              return [tenantId, id, [...quantities], seesAllPresence(scope, { tenantId, buildingId: id })];
            }),
          );
    },
    async current(context) {
      const all = await Promise.all(buildings.map((building) => currentAverages(context, building, only)));
      return all.flat().map((value) => Object.assign(value, { delivery: 'LIVE' as const }));
    },
    changes(scope) {
      const seen = visible(scope);
      const ids = [...seen.keys()];
      const isShown = (of: { tenantId: string; buildingId: string }, quantity: QuantityName): boolean =>
        // A building may have another owner by now.
        Boolean(owners.get(of.buildingId) === of.tenantId && seen.get(of.buildingId)?.has(quantity));
      const changes = delivered(live.changes(ids, only), isShown, asShown(scope, seen));
      if (!options.corrections) return changes;
      const told = live.corrections(ids, only);
      const corrected = each(correctedAverages(told, { averages, scope, isShown }), asShown(scope, seen));
      return merged(changes, endingWith(corrected, told));
    },
    eventOf: ({ delivery, buildingId, quantity, windowEnd, revision }) =>
      delivery === 'CORRECTED' ? `${buildingId} ${quantity} ${windowEnd.getTime()} ${revision}` : null,
    slotOf: ({ buildingId, quantity }) => `${buildingId} ${quantity}`,
    instantOf: ({ windowEnd }) => windowEnd.getTime(),
    isUnchanged: (value, told) => !value.differsFrom(told),
    minInterval: options.minInterval,
    tenantOf: ({ tenantId }) => tenantId,
    startArguments: ['after'],
    ...(missed && {
      missed(context: Context) {
        const seen = visible(context.scope);
        const quantities = new Map([...seen].map(([id, sights]) => [id, [...sights.keys()]]));
        return each(missed.read(context, quantities), asShown(context.scope, seen));
      },
    }),
  };
}

type Seen = ReadonlyMap<string, ReadonlyMap<QuantityName, AverageSight>>;

const asShown =
  (scope: TenantScope, seen: Seen) =>
  (value: BuildingAverage): BuildingAverage =>
    asSeen(scope, seen.get(value.buildingId)!.get(value.quantity)!, value);

async function* each(
  values: AsyncGenerator<BuildingAverage>,
  shown: (value: BuildingAverage) => BuildingAverage,
): AsyncGenerator<BuildingAverage> {
  for await (const value of values) yield shown(value);
}

/** Of the changes those that are shown. */
function delivered(
  changes: AsyncIterableIterator<LiveAverage>,
  isShown: (value: LiveAverage, quantity: QuantityName) => boolean,
  shown: (value: BuildingAverage) => BuildingAverage,
): AsyncIterableIterator<BuildingAverage> {
  const values: AsyncIterableIterator<BuildingAverage> = {
    async next() {
      for (;;) {
        const { done, value } = await changes.next();
        if (done) return { done, value: undefined };
        const quantity = BuildingAverage.quantityOf(value);
        if (quantity === undefined || !isShown(value, quantity)) continue;
        const average = shown(BuildingAverage.of({ ...value, revision: 1 })!);
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

/** A generator that waits for its source cannot be told to return; the source can, and then it does. */
function endingWith<Value>(
  generator: AsyncGenerator<Value>,
  source: AsyncIterableIterator<unknown>,
): AsyncIterableIterator<Value> {
  const values: AsyncIterableIterator<Value> = {
    next: () => generator.next(),
    async return() {
      await source.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => values,
  };
  return values;
}
