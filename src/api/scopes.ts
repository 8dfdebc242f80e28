import { type Principal, type TenantScope, tenantScope } from '../auth/scope';
import { type Registry } from '../store/registry';

/** What a principal has a right to now: at most a second old, so that a revocation takes effect within that. */
export interface Scopes {
  of(principal: Principal): Promise<TenantScope>;
}

export function createScopes(registry: Pick<Registry, 'memberships'>): Scopes {
  return { of: async (principal) => tenantScope(principal, await registry.memberships(principal.id)) };
}
