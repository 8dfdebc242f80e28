import { allows } from '../../auth/scope';
import { QUANTITIES, quantityOfCode, type QuantityName } from '../../domain/quantity';
import { type StoredAverage } from '../../store/averages';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { type Space } from '../space/space.type';
import { BuildingAverage } from './average.type';
import { currentValue } from './current';
import { asSeen, sightIn } from './sight';

/**
 * The averages of a building now, by quantity in the catalogue's order: the live value where one is held, else the newest
 * stored point as it stands now. Only quantities that the scope may see.
 */
export async function currentAverages(
  context: Context,
  building: Building,
  only?: QuantityName,
): Promise<BuildingAverage[]> {
  const {
    services: { live },
    loaders,
    scope,
  } = context;
  const sightOf = await sightIn(context, building);
  const values = new Map<QuantityName, StoredAverage>();
  const put = (value: StoredAverage): void => {
    const quantity = quantityOfCode(value.quantity);
    if (quantity !== undefined && !values.has(quantity.name)) values.set(quantity.name, value);
  };
  // A live value was published once and not corrected yet.
  for (const value of live.latest({ tenantId: building.tenantId, buildingId: building.id }))
    put({ ...value, revision: 1 });
  const measured = (name: QuantityName): boolean => (building.devicesByQuantity[name] ?? 0) > 0;
  const wanted = QUANTITIES.filter(
    ({ kind, name }) =>
      kind === 'continuous' && (only === undefined || name === only) && sightOf(scope, name) !== null,
  );
  if (wanted.some(({ name }) => measured(name) && !values.has(name))) {
    for (const value of await loaders.latestAverages.load(building.id)) {
      const quantity = quantityOfCode(value.quantity);
      // What no device in service measures any more is told only while it is live.
      if (quantity !== undefined && measured(quantity.name)) put(value);
    }
  }
  const now = Date.now();
  return wanted.flatMap(({ name }) => {
    const value = values.get(name);
    if (value === undefined || value.tenantId !== building.tenantId) return [];
    const average = BuildingAverage.of(currentValue(value, now));
    return average === undefined ? [] : asSeen(scope, sightOf(scope, name)!, average);
  });
}

/**
 * The averages of a space now, as `currentAverages` gives a building's; only those that are live, since points of spaces
 * are not stored.
 */
export function currentSpaceAverages(
  { services: { live }, scope }: Context,
  { tenantId, buildingId, id: spaceId }: Space,
): BuildingAverage[] {
  const now = Date.now();
  const values = live.latest({ tenantId, buildingId, spaceId });
  return QUANTITIES.flatMap(({ code, name: quantity }) => {
    const value = values.find((each) => each.quantity === code);
    if (value === undefined || !allows(scope, 'average.read', { tenantId, buildingId, spaceId, quantity }))
      return [];
    const average = BuildingAverage.of(currentValue({ ...value, revision: 1 }, now));
    return average === undefined ? [] : asSeen(scope, 'WHOLE', average);
  });
}
