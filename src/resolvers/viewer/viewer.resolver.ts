import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { tenantsWith } from '../../auth/scope';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Tenant } from '../tenant/tenant.type';
import { loadTenant } from '../tenant/tenant.resolver';
import { TenantMembership, Viewer } from './viewer.type';

@Resolver(() => Viewer)
export class ViewerResolver {
  @Visible('signed-in')
  @Query(() => Viewer, { description: 'Who you are, and what you belong to.' })
  viewer(@Ctx() { principal }: Context): Viewer {
    return Object.assign(new Viewer(), { id: principal.id, email: principal.email });
  }

  @Visible('with-parent')
  @FieldResolver(() => [TenantMembership], {
    description: 'The tenants you belong to in a role that may read, by id.',
  })
  tenants(@Ctx() { scope }: Context): TenantMembership[] {
    const readable = new Set(tenantsWith(scope, 'building.read'));
    // A resident has a right for each building, and what others share is no membership.
    const roles = new Map(
      scope.entitlements.flatMap(({ tenantId, role, grantId }) =>
        grantId === undefined && readable.has(tenantId) ? [[tenantId, role]] : [],
      ),
    );
    return [...roles]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([tenantId, role]) => Object.assign(new TenantMembership(), { tenantId, role }));
  }
}

@Resolver(() => TenantMembership)
export class TenantMembershipResolver {
  @Visible('with-parent')
  @FieldResolver(() => Tenant, { description: 'Where you belong.' })
  tenant(@Root() { tenantId }: TenantMembership, @Ctx() context: Context): Promise<Tenant> {
    return loadTenant(context, tenantId);
  }
}
