import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type BuildingDocument, type SpacesOfBuilding } from '../documents';
import { type Outcome, type Refusal } from '../registry';
import { notFound, refused, visible } from '../registry/access';
import { withThoseWithin } from '../registry/spaces-within';
import { MEMBER_ROLES, type MemberRole } from './documents';
import { type Standing } from './standing';

const MAXIMUM_BUILDINGS = 20;
const MAXIMUM_NAMED = 100;
/** Of all buildings together, with those that lie in the named ones: what a membership may hold. */
const MAXIMUM_SPACES = 5_000;

/** What somebody is to be: a role, of residents in some spaces alone. */
export interface Wanted {
  role: MemberRole;
  /** Null: in all of the tenant. */
  spaces: SpacesOfBuilding[] | null;
}

export function standingProblem({ role, spaces }: Wanted): Refusal | undefined {
  const invalid = (path: string, message: string): Refusal => ({ code: 'INVALID_INPUT', message, path });
  if (!MEMBER_ROLES.includes(role)) return invalid('role', `nobody can be ${String(role)} of a tenant`);
  if (spaces === null) return undefined;
  if (role !== 'VIEWER') return invalid('role', 'a role in single spaces is a resident’s: VIEWER');
  if (spaces.length === 0) return invalid('spaces', 'spaces must not be empty: leave it out for all');
  if (spaces.length > MAXIMUM_BUILDINGS) return invalid('spaces', `at most ${MAXIMUM_BUILDINGS} buildings`);
  if (new Set(spaces.map(({ buildingId }) => buildingId)).size < spaces.length) {
    return invalid('spaces', 'a building is named twice');
  }
  const wrong = spaces.findIndex(({ spaceIds: { length } }) => length === 0 || length > MAXIMUM_NAMED);
  return wrong < 0
    ? undefined
    : invalid(`spaces.${wrong}.spaceIds`, `name 1 to ${MAXIMUM_NAMED} spaces of each building`);
}

/** The spaces with all that lie in them, of buildings of this tenant. */
export async function residentSpaces(
  cosmos: Cosmos,
  scope: TenantScope,
  tenantId: string,
  wanted: readonly SpacesOfBuilding[],
): Promise<Outcome<SpacesOfBuilding[]>> {
  const found: SpacesOfBuilding[] = [];
  for (const [i, { buildingId, spaceIds }] of wanted.entries()) {
    const building = visible(
      scope,
      'building.read',
      await cosmos.read<BuildingDocument>('registry', buildingId, buildingId),
    );
    if (building?.type !== 'building' || building.tenantId !== tenantId) {
      return notFound('building', buildingId, `spaces.${i}.buildingId`);
    }
    const within = await withThoseWithin(cosmos, building, spaceIds);
    if (within.missing !== undefined) return notFound('space', within.missing, `spaces.${i}.spaceIds`);
    found.push({ buildingId, spaceIds: within.spaceIds });
  }
  const { length } = found.flatMap(({ spaceIds }) => spaceIds);
  if (length > MAXIMUM_SPACES) {
    return refused('LIMIT_EXCEEDED', `they hold ${length} spaces and may hold ${MAXIMUM_SPACES}`, 'spaces');
  }
  return { ok: true, value: found };
}

/** A resident's role stands beside `role`, which is null: see `MembershipDocument`. */
export function standingFor({ role, spaces }: Wanted): Standing {
  return spaces === null ? { role } : { role: null, resident: { role, spaces } };
}
