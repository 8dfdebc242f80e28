import { type Principal, type TenantScope, tenantScope } from '../auth/scope';
import { type Origin } from '../domain/origin';
import { type Memberships } from '../store/memberships';

/** What a principal has a right to now: at most two seconds old, so that a revocation takes effect within that. */
export interface Scopes {
  of(principal: Principal, from: Origin): Promise<TenantScope>;
  /** For what is open already: also while the store is away, by what was known at most a minute ago. */
  lately(principal: Principal, from: Origin): Promise<TenantScope>;
}

export function createScopes(memberships: Pick<Memberships, 'of' | 'lately'>): Scopes {
  return {
    of: async (principal, from) => tenantScope(principal, await memberships.of(principal.id), from),
    lately: async (principal, from) => tenantScope(principal, await memberships.lately(principal.id), from),
  };
}
