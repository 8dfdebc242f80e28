import { Extensions } from 'type-graphql';
import { type Permission } from '../auth/scope';

/**
 * Who may see a field. Every field of the schema names one, and the API refuses to start where one is missing.
 *
 * - `public`: tells of nobody's data; any signed-in caller.
 * - `signed-in`: any signed-in caller; what is returned is found through the caller's own scope and nothing else.
 * - `with-parent`: whoever may see the object may see this field of it.
 * - `{ needs, of: 'parent' }`: the permission in the object's own tenant, building and space, checked before the resolver.
 * - `{ needs, of: 'parts-of-parent' }`: the permission in the object's building or in any space of it, checked before the
 *   resolver; it, or the store, tells of nothing but the spaces in which the scope holds it.
 * - `{ needs, of: 'arguments' }`: the permission where the arguments point, checked by the store or the resolver, because
 *   only they know the owner of an id; what is unknown and what is foreign get the same answer.
 */
export type Rule =
  | 'public'
  | 'signed-in'
  | 'with-parent'
  | { needs: Permission; of: 'parent' }
  | { needs: Permission; of: 'parts-of-parent' }
  | { needs: Permission; of: 'arguments' };

/**
 * A field whose value is the same for everybody who may see its object: it takes nothing from the principal, the scope or
 * the loaders. A subscription that selects such fields alone is executed once for all who ask the same with the same
 * effective rights; in that execution there is no principal to look at. On a field of Subscription itself: its stream says
 * what it depends on, see `SharedStream`.
 */
export const INDEPENDENT = { independent: true } as const;

/** Names the rule of a field, or of an operation. */
export function Visible(rule: Rule, mark?: typeof INDEPENDENT): MethodDecorator & PropertyDecorator {
  return Extensions({ rule, ...mark });
}

/** What an object must carry, beside its fields, for a rule `of: 'parent'`. */
export interface Owned {
  tenantId: string;
  buildingId?: string;
  /** Where in the building; left out or null: it is of the building as a whole. */
  spaceId?: string | null;
}
