import { type Principal, type TenantScope, tenantScope } from '../auth/scope';
import { type Memberships } from '../store/memberships';

/** What a principal has a right to now: at most two seconds old, so that a revocation takes effect within that. */
export interface Scopes {
  of(principal: Principal): Promise<TenantScope>;
  /** For what is open already: also while the store is away, by what was known at most a minute ago. */
  lately(principal: Principal): Promise<TenantScope>;
}

export function createScopes(memberships: Pick<Memberships, 'of' | 'lately'>): Scopes {
  return {
    of: async (principal) => tenantScope(principal, await memberships.of(principal.id)),
    lately: async (principal) => tenantScope(principal, await memberships.lately(principal.id)),
  };
}
