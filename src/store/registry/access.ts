import { allows, type Permission, type TenantScope } from '../../auth/scope';
import { type Outcome, type Refusal } from '../registry';

/** What belongs to a tenant and stands in a building. */
interface Owned {
  tenantId: string;
  buildingId: string;
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

export function refused<T>(code: Refusal['code'], message: string, path?: string): Outcome<T> {
  return { ok: false, refusal: path === undefined ? { code, message } : { code, message, path } };
}

export function notFound<T>(what: string, id: string, path?: string): Outcome<T> {
  return refused('NOT_FOUND', `there is no ${what} ${id}`, path);
}
