import { type AverageSight, seesAllPresence, sightOfAverage } from '../../auth/presence';
import { allows, spacesWith, type TenantScope } from '../../auth/scope';
import { QUANTITY_NAMES, type QuantityName } from '../../domain/quantity';
import { type StreamPosition } from '../../domain/window';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { BuildingAverage } from './average.type';

type Place = Pick<Building, 'tenantId' | 'id'>;

/** How much a scope may see of a building's average of a quantity; null for nothing. */
export type SightOf = (scope: TenantScope, quantity: QuantityName) => AverageSight | null;

/**
 * What may be seen of a building's averages. In how many spaces a quantity is measured is asked where it matters to the
 * context's scope: to one that comes to see less later, none does.
 */
export async function sightIn({ scope, loaders, services }: Context, building: Place): Promise<SightOf> {
  const { tenantId, id: buildingId } = building;
  const partly = QUANTITY_NAMES.some((quantity) => {
    const target = { tenantId, buildingId, quantity };
    return allows(scope, 'average.read', target) && spacesWith(scope, 'average.read', target) !== null;
  });
  const measured = partly ? await loaders.measuredSpaces.load(buildingId) : {};
  const { minimumSpaces } = services;
  return (now, quantity) =>
    sightOfAverage(
      now,
      { tenantId, buildingId, quantity },
      { spaces: measured[quantity] ?? 0, minimumSpaces },
    );
}

/** An average as somebody may see it. */
export function asSeen(scope: TenantScope, sight: AverageSight, average: BuildingAverage): BuildingAverage {
  if (sight === 'BLURRED') Object.assign(average, { minimum: null, maximum: null, further: [] });
  return withPosition(scope, average);
}

const UNTOLD_SEQUENCE = -1;

/**
 * How far the stream is counted follows from all readings of many buildings, so it is told to those alone who may see what
 * tells of presence.
 */
export function withPosition<
  Value extends { tenantId: string; buildingId: string; position: StreamPosition },
>(scope: TenantScope, value: Value): Value {
  if (!seesAllPresence(scope, value)) value.position = { ...value.position, sequence: UNTOLD_SEQUENCE };
  return value;
}
