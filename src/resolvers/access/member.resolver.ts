import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  ChangeMemberRoleInput,
  ChangeMemberRoleResult,
  ChangeMemberRoleSuccess,
  Member,
  MemberConnection,
  RemoveMemberInput,
  RemoveMemberResult,
  RemoveMemberSuccess,
} from './member.type';

@Resolver()
export class MemberResolver {
  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => ChangeMemberRoleResult, {
    description:
      'Makes a member something else, also a resident of some spaces, or a resident a member of all. The last owner stays one: WRONG_STATE. What is so already is changed no further.',
  })
  async changeMemberRole(
    @Arg('input', () => ChangeMemberRoleInput, { description: 'Who, and what they are to be.' })
    { tenantId, personId, role, spaces }: ChangeMemberRoleInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<ChangeMemberRoleSuccess | UserError> {
    const change = { tenantId, personId, role, spaces: spaces ?? null };
    const outcome = await registry.changeMemberRole(scope, change);
    return outcome.ok
      ? Object.assign(new ChangeMemberRoleSuccess(), { member: Member.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }

  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => RemoveMemberResult, {
    description:
      'Ends a membership: an owner anybody’s, and everybody their own. The last owner cannot go: WRONG_STATE. What was shared with the person themselves is a grant, and stays until it is revoked.',
  })
  async removeMember(
    @Arg('input', () => RemoveMemberInput, { description: 'Who goes.' })
    { tenantId, personId }: RemoveMemberInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RemoveMemberSuccess | UserError> {
    const outcome = await registry.removeMember(scope, { tenantId, personId });
    return outcome.ok ? Object.assign(new RemoveMemberSuccess(), { personId }) : userErrorOf(outcome.refusal);
  }
}

@Resolver(() => Tenant)
export class TenantMembersResolver {
  @Visible({ needs: 'access.manage', of: 'parent' })
  @FieldResolver(() => MemberConnection, {
    nullable: true,
    description:
      'Who belongs to it, as what, and who lives where. Null, with an error, where you do not administer its access.',
  })
  members(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<Member>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.members', arguments: [tenantId] },
      fetch: (options) => registry.members(scope, tenantId, options),
      toNode: Member.of,
    });
  }
}
