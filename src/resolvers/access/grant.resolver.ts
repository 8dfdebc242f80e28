import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { Building } from '../building/building.type';
import { ApiKey } from './api-key.type';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import { Viewer } from '../viewer/viewer.type';
import {
  AcceptGrantInput,
  AcceptGrantResult,
  AcceptGrantSuccess,
  BuildingAccess,
  BuildingAccessConnection,
  Grant,
  GrantConnection,
  GrantDirection,
  OfferGrantInput,
  OfferGrantResult,
  OfferGrantSuccess,
  RevokeGrantInput,
  RevokeGrantResult,
  RevokeGrantSuccess,
} from './grant.type';

const HOUR_MS = 3_600_000;

@Resolver()
export class GrantResolver {
  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => OfferGrantResult, {
    description:
      'Offers a building, or a space of it, to whoever you give the code to. Nothing is shared until it is accepted.',
  })
  async offerGrant(
    @Arg('input', () => OfferGrantInput, { description: 'What to share, and how.' })
    { idempotencyKey, spaceId, quantities, until, note, expiresInHours, ...input }: OfferGrantInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<OfferGrantSuccess | UserError> {
    const { buildingId, role, to } = input;
    const outcome = await registry.offerGrant(
      scope,
      {
        ...{ buildingId, role, to },
        spaceId: spaceId ?? null,
        quantities: quantities ?? null,
        until: until?.getTime() ?? null,
        note: note ?? null,
        expiresInMs: expiresInHours * HOUR_MS,
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { grant, code } = outcome.value;
    return Object.assign(new OfferGrantSuccess(), {
      grant: Grant.of(grant),
      grantCode: code,
      secretsAlreadyShown: code === null,
    });
  }

  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => AcceptGrantResult, {
    description:
      'Accepts what a code offers, for a tenant of which you administer the access or for yourself. A code that is wrong, taken, withdrawn or too old gets one and the same answer.',
  })
  async acceptGrant(
    @Arg('input', () => AcceptGrantInput, { description: 'The offer, by its code.' })
    { grantCode: code, tenantId, idempotencyKey }: AcceptGrantInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<AcceptGrantSuccess | UserError> {
    const outcome = await registry.acceptGrant(scope, { code, tenantId: tenantId ?? null }, idempotencyKey);
    return outcome.ok
      ? Object.assign(new AcceptGrantSuccess(), { grant: Grant.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }

  @Visible({ needs: 'access.manage', of: 'arguments' })
  @Mutation(() => RevokeGrantResult, {
    description:
      'Ends a grant or an offer: by the side that gave it, or by the side that has it. Doing so again changes nothing.',
  })
  async revokeGrant(
    @Arg('input', () => RevokeGrantInput, { description: 'The grant.' })
    { grantId }: RevokeGrantInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RevokeGrantSuccess | UserError> {
    const outcome = await registry.revokeGrant(scope, grantId);
    return outcome.ok
      ? Object.assign(new RevokeGrantSuccess(), { grant: Grant.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }
}

@Resolver(() => Tenant)
export class TenantGrantsResolver {
  @Visible({ needs: 'access.manage', of: 'parent' })
  @FieldResolver(() => GrantConnection, {
    nullable: true,
    description:
      'What it shares with others, or others with it, the newest first; ended grants for 30 days. Null, with an error, where you do not administer its access.',
  })
  grants(
    @Root() { tenantId }: Tenant,
    @Arg('direction', () => GrantDirection, { description: 'Given or received.' })
    direction: keyof typeof GrantDirection,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<Grant>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.grants', arguments: [tenantId, direction] },
      fetch: (options) => registry.grants(scope, tenantId, { ...options, direction }),
      toNode: Grant.of,
    });
  }
}

@Resolver(() => Building)
export class BuildingAccessResolver {
  @Visible({ needs: 'access.manage', of: 'parent' })
  @FieldResolver(() => BuildingAccessConnection, {
    nullable: true,
    description:
      'Who can see it, and through what. Null, with an error, where you do not administer the access to it.',
  })
  access(
    @Root() { tenantId, id: buildingId }: Building,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<BuildingAccess>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Building.access', arguments: [buildingId] },
      fetch: (options) => registry.accessTo(scope, { tenantId, buildingId }, options),
      toNode(found) {
        const access = { personId: null, role: null, spaceIds: null, grant: null, apiKey: null };
        if ('apiKey' in found) {
          return Object.assign(new BuildingAccess(), { ...access, apiKey: ApiKey.of(found.apiKey) });
        }
        if ('grant' in found) {
          return Object.assign(new BuildingAccess(), { ...access, grant: Grant.of(found.grant) });
        }
        const { key, role, resident } = found.member;
        return Object.assign(new BuildingAccess(), {
          ...access,
          personId: key.slice('person:'.length),
          role: role ?? resident?.role ?? null,
          spaceIds:
            resident?.spaces.flatMap((each) => (each.buildingId === buildingId ? each.spaceIds : [])) ?? null,
        });
      },
    });
  }
}

@Resolver(() => Viewer)
export class ViewerGrantsResolver {
  @Visible('with-parent')
  @FieldResolver(() => [Grant], {
    description:
      'What is shared with you as a person, the newest first; not what is shared with your tenants.',
  })
  async grants(@Ctx() { services: { registry }, scope }: Context): Promise<Grant[]> {
    return (await registry.grantsToMe(scope)).map(Grant.of);
  }
}
