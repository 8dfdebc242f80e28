import { Extensions } from 'type-graphql';
import { type Permission } from '../auth/scope';

/**
 * Who may see a field. Every field of the schema names one, and the API refuses to start where one is missing.
 *
 * - `public`: tells of nobody's data; any signed-in caller.
 * - `signed-in`: any signed-in caller; what is returned is found through the caller's own scope and nothing else.
 * - `with-parent`: whoever may see the object may see this field of it.
 * - `{ needs, of: 'parent' }`: the permission in the object's own tenant and building, checked before the resolver.
 * - `{ needs, of: 'arguments' }`: the permission where the arguments point, checked by the store or the resolver, because
 *   only they know the owner of an id; what is unknown and what is foreign get the same answer.
 */
export type Rule =
  | 'public'
  | 'signed-in'
  | 'with-parent'
  | { needs: Permission; of: 'parent' }
  | { needs: Permission; of: 'arguments' };

/** Names the rule of a field, or of an operation. */
export function Visible(rule: Rule): MethodDecorator & PropertyDecorator {
  return Extensions({ rule });
}

/** What an object must carry, beside its fields, for a rule `of: 'parent'`. */
export interface Owned {
  tenantId: string;
  buildingId?: string;
}
