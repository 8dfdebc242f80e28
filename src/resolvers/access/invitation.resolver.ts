import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  AcceptInvitationInput,
  AcceptInvitationResult,
  AcceptInvitationSuccess,
  Invitation,
  InvitationConnection,
  InviteMemberInput,
  InviteMemberResult,
  InviteMemberSuccess,
  RevokeInvitationInput,
  RevokeInvitationResult,
  RevokeInvitationSuccess,
} from './invitation.type';
import { Member } from './member.type';

const HOUR_MS = 3_600_000;

@Resolver()
export class InvitationResolver {
  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => InviteMemberResult, {
    description:
      'Invites whoever you give the code to. Nobody is looked up, and nobody belongs to the tenant before they accept. An operator may invite the owner of a tenant to which nobody has come yet.',
  })
  async inviteMember(
    @Arg('input', () => InviteMemberInput, { description: 'Whom to let in, as what.' })
    { idempotencyKey, expiresInHours, tenantId, role, spaces, note }: InviteMemberInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<InviteMemberSuccess | UserError> {
    const wanted = { tenantId, role, spaces: spaces ?? null, note: note ?? null };
    const outcome = await registry.inviteMember(
      scope,
      { ...wanted, expiresInMs: expiresInHours * HOUR_MS },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { invitation, code } = outcome.value;
    return Object.assign(new InviteMemberSuccess(), {
      invitation: Invitation.of(invitation),
      invitationCode: code,
      secretsAlreadyShown: code === null,
    });
  }

  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => RevokeInvitationResult, {
    description: 'Withdraws an invitation that nobody has accepted. Doing so again changes nothing.',
  })
  async revokeInvitation(
    @Arg('input', () => RevokeInvitationInput, { description: 'The invitation.' })
    { invitationId }: RevokeInvitationInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RevokeInvitationSuccess | UserError> {
    const outcome = await registry.revokeInvitation(scope, invitationId);
    return outcome.ok
      ? Object.assign(new RevokeInvitationSuccess(), { invitation: Invitation.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }

  @Visible('signed-in')
  @Mutation(() => AcceptInvitationResult, {
    description:
      'Makes you a member of the tenant that a code invites to. A code that is wrong, taken, withdrawn or too old gets one and the same answer; where you belong already, it is WRONG_STATE and the invitation stays open.',
  })
  async acceptInvitation(
    @Arg('input', () => AcceptInvitationInput, { description: 'The invitation, by its code.' })
    { invitationCode, idempotencyKey }: AcceptInvitationInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<AcceptInvitationSuccess | UserError> {
    const outcome = await registry.acceptInvitation(scope, invitationCode, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { tenant, member } = outcome.value;
    const { role, spaces } = Member.of(member);
    return Object.assign(new AcceptInvitationSuccess(), {
      ...{ tenantId: tenant.tenantId, tenantName: tenant.name, role, spaces },
    });
  }
}

@Resolver(() => Tenant)
export class TenantInvitationsResolver {
  @Visible({ needs: 'access.manage', of: 'parent' })
  @FieldResolver(() => InvitationConnection, {
    nullable: true,
    description:
      'Who was invited to it, the newest first; those that were accepted or revoked for 30 days. Null, with an error, where you do not administer its access.',
  })
  invitations(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<Invitation>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.invitations', arguments: [tenantId] },
      fetch: (options) => registry.invitations(scope, tenantId, options),
      toNode: Invitation.of,
    });
  }
}
