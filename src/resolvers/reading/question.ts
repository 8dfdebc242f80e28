import { Busy, TooCostly } from '../../analytics/engine';
import { type Answer } from '../../analytics/questions';
import { TooManyBytes } from '../../analytics/blob-cache';
import { allows, allowsSomewhere, spacesWith } from '../../auth/scope';
import { QUANTITIES, type QuantityName } from '../../domain/quantity';
import { type SpaceDocument } from '../../store/documents';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { clientError } from '../errors';

interface Place {
  tenantId: string;
  /** Left out: every building of the tenant. */
  buildingId?: string;
  /** Left out: the building as a whole. */
  spaceId?: string;
}

/**
 * The quantities whose readings the caller may see in all of a place; of those the one that is asked for. Throws FORBIDDEN
 * where there is none.
 */
export function visibleQuantities(
  { scope }: Context,
  place: Place,
  asked: QuantityName | null | undefined,
): QuantityName[] {
  return quantitiesOf(asked, (quantity) => allows(scope, 'reading.read', { ...placeOf(place), quantity }));
}

/** The same of a building or of any space of it: what is answered must be narrowed to those spaces, see `confinedTo`. */
export function quantitiesSomewhere(
  { scope }: Context,
  place: Omit<Place, 'spaceId'>,
  asked: QuantityName | null | undefined,
): QuantityName[] {
  return quantitiesOf(asked, (quantity) =>
    allowsSomewhere(scope, 'reading.read', { ...placeOf(place), quantity }),
  );
}

/** Of the quantities those that may be seen in some spaces only, with these. */
export function confinedTo(
  { scope }: Context,
  { tenantId, buildingId }: { tenantId: string; buildingId: string },
  quantities: readonly QuantityName[],
): { quantity: QuantityName; spaceIds: string[] }[] {
  return quantities.flatMap((quantity) => {
    const spaceIds = spacesWith(scope, 'reading.read', { tenantId, buildingId, quantity });
    return spaceIds === null ? [] : [{ quantity, spaceIds }];
  });
}

function quantitiesOf(
  asked: QuantityName | null | undefined,
  allowed: (quantity: QuantityName) => boolean,
): QuantityName[] {
  const visible = QUANTITIES.map(({ name }) => name).filter(
    (quantity) => (asked == null || quantity === asked) && allowed(quantity),
  );
  if (visible.length > 0) return visible;
  throw clientError('FORBIDDEN', `${asked ?? 'no quantity'} of this building is not shared with you`);
}

/** An object may carry more fields, and ones that are undefined. */
function placeOf({ tenantId, buildingId, spaceId }: Place): Place {
  return {
    tenantId,
    ...(buildingId === undefined ? {} : { buildingId }),
    ...(spaceId === undefined ? {} : { spaceId }),
  };
}

/** The spaces of a building that a question about one is about: it and all that lie in it. Of another's, that id alone. */
export async function spacesWithin(
  { loaders }: Context,
  buildingId: string,
  spaceId: string,
): Promise<string[]> {
  const below = new Map<string | null, SpaceDocument[]>();
  for (const each of await loaders.spacesOf.load(buildingId)) {
    below.set(each.parentId, [...(below.get(each.parentId) ?? []), each]);
  }
  const found = [spaceId];
  // Each space has one parent and was made after it, so that this ends.
  for (const id of found) found.push(...(below.get(id) ?? []).map((each) => each.id));
  return found;
}

/** Where a question about a building or a space of it looks. */
export function whereOf(
  { tenantId, id }: Pick<Building, 'tenantId' | 'id'>,
  { from, to }: { from: Date; to: Date },
) {
  return {
    tenantId,
    buildingIds: [id],
    spaceIds: null as string[] | null,
    deviceId: null as string | null,
    pointId: null as string | null,
    from: from.getTime(),
    to: to.getTime(),
  };
}

/** Runs a question; what is wrong with it, or with the moment, is said in the API's words. */
export async function asking<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (error instanceof Busy) throw clientError('UNAVAILABLE', `${error.message}: try again later`);
    if (error instanceof TooCostly) {
      throw clientError('QUESTION_TOO_COSTLY', `${error.message}: ask for a shorter range`);
    }
    if (error instanceof TooManyBytes) {
      throw clientError(
        'QUESTION_TOO_COSTLY',
        'the range holds more than can be looked at once: ask for less',
      );
    }
    throw error;
  }
}

/** Throws BAD_USER_INPUT for a question that cannot be asked so. */
export function answered<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value;
  throw clientError('BAD_USER_INPUT', answer.message);
}
