import { allows, allowsSomewhere, type Permission, spacesWith, type TenantScope } from '../../auth/scope';
import { type Outcome, type Refusal } from '../registry';

/** What belongs to a tenant and stands in a building: in a space of it, or, without one, as a whole. */
interface Owned {
  tenantId: string;
  buildingId: string;
  spaceId?: string | null;
}

/** The document, or null where the scope has no right to it: the same answer as for one that does not exist. */
export function visible<T extends Owned>(
  scope: TenantScope,
  permission: Permission,
  document: T | null,
): T | null {
  return document && allows(scope, permission, document) ? document : null;
}

/**
 * Whose documents of a building the scope may read. A query filters by it, so that another tenant's building costs the
 * same call and gives the same nothing as one that does not exist.
 */
export function ownersIn(scope: TenantScope, permission: Permission, buildingId: string): string[] {
  const owners = scope.entitlements
    .map(({ tenantId }) => tenantId)
    .filter((tenantId) => allows(scope, permission, { tenantId, buildingId }));
  return [...new Set(owners)];
}

/** The same for a right to any space of the building: what the query gives is then asked for one by one. */
export function ownersSomewhere(scope: TenantScope, permission: Permission, buildingId: string): string[] {
  const owners = scope.entitlements
    .map(({ tenantId }) => tenantId)
    .filter((tenantId) => allowsSomewhere(scope, permission, { tenantId, buildingId }));
  return [...new Set(owners)];
}

/**
 * The condition of a query for what stands in spaces of a building (`c.tenantId`, `c.spaceId`), with its parameters: what
 * the scope holds the permission for. A foreign building costs the same call as an unknown one and gives the same nothing.
 */
export function placedIn(
  scope: TenantScope,
  permission: Permission,
  buildingId: string,
): { condition: string; parameters: { owners: string[]; partly?: string[]; within?: string[] } } {
  const tenants = [...new Set(scope.entitlements.map(({ tenantId }) => tenantId))];
  const holding = tenants
    .filter((tenantId) => allowsSomewhere(scope, permission, { tenantId, buildingId }))
    .map((tenantId) => ({ tenantId, spaces: spacesWith(scope, permission, { tenantId, buildingId }) }));
  const owners = holding.flatMap(({ tenantId, spaces }) => (spaces === null ? [tenantId] : []));
  const partly = holding.flatMap(({ tenantId, spaces }) => (spaces === null ? [] : [tenantId]));
  const whole = 'ARRAY_CONTAINS(@owners, c.tenantId)';
  if (partly.length === 0) return { condition: whole, parameters: { owners } };
  const within = holding.flatMap(({ spaces }) => spaces ?? []);
  return {
    condition: `(${whole} OR (ARRAY_CONTAINS(@partly, c.tenantId) AND ARRAY_CONTAINS(@within, c.spaceId)))`,
    parameters: { owners, partly, within },
  };
}

/**
 * The building in which a device is looked for by its entry in the directory, which tells no space; null where the scope
 * has no right to any. Whoever has a right to single spaces looks for what is foreign or unknown in a building of their own
 * all the same: otherwise the number of calls would tell which devices stand elsewhere in that building.
 */
export function whereToLook(scope: TenantScope, permission: Permission, entry: Owned | null): string | null {
  if (entry && allowsSomewhere(scope, permission, entry)) return entry.buildingId;
  for (const { tenantId, buildingId, spaceIds } of scope.entitlements) {
    if (buildingId === null || spaceIds == null) continue;
    if (allowsSomewhere(scope, permission, { tenantId, buildingId })) return buildingId;
  }
  return null;
}

export function refused<T>(code: Refusal['code'], message: string, path?: string): Outcome<T> {
  return { ok: false, refusal: path === undefined ? { code, message } : { code, message, path } };
}

export function notFound<T>(what: string, id: string, path?: string): Outcome<T> {
  return refused('NOT_FOUND', `there is no ${what} ${id}`, path);
}
