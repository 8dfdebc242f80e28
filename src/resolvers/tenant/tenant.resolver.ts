import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Tenant } from './tenant.type';

@Resolver(() => Tenant)
export class TenantResolver {
  @Visible('signed-in')
  @Query(() => Tenant, {
    nullable: true,
    description: 'A tenant by its id; null where there is none or it is not yours to see.',
  })
  async tenant(
    @Arg('id', () => ID, { description: 'The tenant’s id.' }) id: string,
    @Ctx() { loaders }: Context,
  ): Promise<Tenant | null> {
    const document = await loaders.tenant.load(id);
    return document === null ? null : Tenant.of(document);
  }
}

/** The tenant of something that the caller may see. */
export async function loadTenant({ loaders }: Context, id: string): Promise<Tenant> {
  const document = await loaders.tenant.load(id);
  // Whoever may see a building may see whose it is; the document is missing only when the store is damaged.
  if (document === null) throw new Error(`tenant ${id} of a visible object was not found`);
  return Tenant.of(document);
}
