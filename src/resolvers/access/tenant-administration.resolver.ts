import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import { Invitation } from './invitation.type';
import { CreateTenantInput, CreateTenantResult, CreateTenantSuccess } from './tenant-administration.type';

const HOUR_MS = 3_600_000;

@Resolver()
export class TenantAdministrationResolver {
  @Visible({ needs: 'tenant.create', of: 'arguments' })
  @Mutation(() => CreateTenantResult, {
    description:
      'Creates a tenant, by an operator of the platform, who sees nothing of it afterwards: its first owner comes by invitation.',
  })
  async createTenant(
    @Arg('input', () => CreateTenantInput, { description: 'The tenant.' })
    { name, ownerNote, expiresInHours, idempotencyKey }: CreateTenantInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<CreateTenantSuccess | UserError> {
    const wanted = { name, note: ownerNote ?? null, expiresInMs: expiresInHours * HOUR_MS };
    const outcome = await registry.createTenant(scope, wanted, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { tenant, invitation, code } = outcome.value;
    return Object.assign(new CreateTenantSuccess(), {
      tenant: Tenant.of(tenant),
      invitation: Invitation.of(invitation),
      invitationCode: code,
      secretsAlreadyShown: code === null,
    });
  }
}
