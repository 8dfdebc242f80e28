import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  ApproveColdStoreAccessInput,
  ApproveColdStoreAccessResult,
  ApproveColdStoreAccessSuccess,
  ColdStoreApproval,
  IssueColdStoreAccessInput,
  IssueColdStoreAccessResult,
  IssueColdStoreAccessSuccess,
  RevokeColdStoreAccessInput,
  RevokeColdStoreAccessResult,
  RevokeColdStoreAccessSuccess,
} from './cold-access.type';

@Resolver(() => Tenant)
export class ColdStoreAccessResolver {
  @Visible({ needs: 'cold-store.approve', of: 'parent' })
  @FieldResolver(() => [ColdStoreApproval], {
    nullable: true,
    description:
      'Who may have credentials to the files of its cold store, the latest approval first; null, with an error, where your role does not approve them.',
  })
  async coldStoreApprovals(
    @Root() { tenantId }: Tenant,
    @Ctx() { services: { coldAccess }, scope }: Context,
  ): Promise<ColdStoreApproval[]> {
    return (await coldAccess.approvals(scope, tenantId)).map((each) => ColdStoreApproval.of(each));
  }

  @Visible({ needs: 'cold-store.approve', of: 'arguments' })
  @Mutation(() => ApproveColdStoreAccessResult, {
    description:
      'Lets a person have credentials to the files of the tenant’s cold store: all its buildings, quantities and times.',
  })
  async approveColdStoreAccess(
    @Arg('input', () => ApproveColdStoreAccessInput, { description: 'Who, and until when.' })
    { tenantId, personId, until }: ApproveColdStoreAccessInput,
    @Ctx() { services: { coldAccess }, scope }: Context,
  ): Promise<ApproveColdStoreAccessSuccess | UserError> {
    const outcome = await coldAccess.approve(scope, { tenantId, personId, until: until.getTime() });
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ApproveColdStoreAccessSuccess(), {
      approval: ColdStoreApproval.of(outcome.value),
    });
  }

  @Visible({ needs: 'cold-store.approve', of: 'arguments' })
  @Mutation(() => RevokeColdStoreAccessResult, {
    description:
      'Gives a person no further credentials to the files of the tenant’s cold store. Revoking again changes nothing.',
  })
  async revokeColdStoreAccess(
    @Arg('input', () => RevokeColdStoreAccessInput, { description: 'Whose.' })
    input: RevokeColdStoreAccessInput,
    @Ctx() { services: { coldAccess }, scope }: Context,
  ): Promise<RevokeColdStoreAccessSuccess | UserError> {
    const outcome = await coldAccess.revoke(scope, input);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new RevokeColdStoreAccessSuccess(), {
      approval: ColdStoreApproval.of(outcome.value),
    });
  }

  @Visible({ needs: 'cold-store.read', of: 'arguments' })
  @Mutation(() => IssueColdStoreAccessResult, {
    description:
      'Gives you a credential to the files of the tenant’s curated readings, for tools of your own: read-only, for hours, to you whom an owner has approved. The audit log tells that you have it. What is not curated yet, up to an hour, lies elsewhere: ask `readings` for it.',
  })
  async issueColdStoreAccess(
    @Arg('input', () => IssueColdStoreAccessInput, { description: 'To what, why and for how long.' })
    { idempotencyKey, tenantId, reason, expiresIn, addresses }: IssueColdStoreAccessInput,
    @Ctx() { services: { coldAccess }, scope }: Context,
  ): Promise<IssueColdStoreAccessSuccess | UserError> {
    const wanted = { tenantId, reason, expiresIn, addresses: addresses ?? null };
    const outcome = await coldAccess.issue(scope, wanted, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return IssueColdStoreAccessSuccess.of(outcome.value);
  }
}
