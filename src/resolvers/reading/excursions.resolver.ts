import { Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { MAXIMUM_TAIL_BUILDINGS } from '../../store/recent-tail';
import { requireContinuous } from '../average/continuous';
import { Building } from '../building/building.type';
import { pageOf } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Space } from '../space/space.type';
import { Tenant } from '../tenant/tenant.type';
import { Excursions, ExcursionsArguments } from './excursions.type';
import { answered, asking, spacesWithin, visibleQuantities } from './question';

interface Place {
  tenantId: string;
  /** Left out: every building of the tenant. */
  buildingId?: string;
  spaceId?: string;
}

async function excursionsOf(
  { tenantId, buildingId, spaceId }: Place,
  asked: ExcursionsArguments,
  context: Context,
): Promise<Excursions> {
  const { quantity, longerThan, by, first } = asked;
  const { low = null, high = null, silence = null } = asked;
  requireContinuous(quantity);
  visibleQuantities(
    context,
    { tenantId, ...(buildingId !== undefined && { buildingId }), ...(spaceId !== undefined && { spaceId }) },
    quantity,
  );
  const { services, principal, signal } = context;
  const { cursors, questions } = services;
  const [from, to] = [asked.from.getTime(), asked.to.getTime()];
  const binding = {
    principalId: principal.id,
    list: 'excursions',
    arguments: [tenantId, buildingId, spaceId, quantity, low, high, longerThan, from, to, by, silence],
  };
  const page = pageOf({ first, ...(asked.after == null ? {} : { after: asked.after }) }, cursors, binding);
  const offset = page.after === null ? 0 : Number(page.after);
  const where = {
    tenantId,
    buildingIds: buildingId === undefined ? null : [buildingId],
    spaceIds: spaceId === undefined ? null : await spacesWithin(context, buildingId!, spaceId),
    deviceId: null,
    pointId: null,
    from,
    to,
  };
  const question = {
    quantity,
    low,
    high,
    longerThan,
    by,
    silence,
    limit: page.first,
    offset,
    askedBy: principal.id,
  };
  const found = answered(await asking(questions.excursions(where, question, signal)));
  return Excursions.of(found, (end) => cursors.seal(binding, String(end)), offset);
}

const OFTEN =
  'How often, when and how far a quantity was out of a range for longer than so long. Null, with an error, where you may not see the quantity.';

@Resolver(() => Building)
export class BuildingExcursionsResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => Excursions, { nullable: true, description: OFTEN })
  excursions(
    @Root() { tenantId, id: buildingId }: Building,
    @Args(() => ExcursionsArguments) asked: ExcursionsArguments,
    @Ctx() context: Context,
  ): Promise<Excursions> {
    return excursionsOf({ tenantId, buildingId }, asked, context);
  }
}

@Resolver(() => Space)
export class SpaceExcursionsResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => Excursions, {
    nullable: true,
    description: `${OFTEN} In the space and those that lie in it; the average by \`BUILDING_AVERAGE\` is that of its readings.`,
  })
  excursions(
    @Root() { tenantId, buildingId, id: spaceId }: Space,
    @Args(() => ExcursionsArguments) asked: ExcursionsArguments,
    @Ctx() context: Context,
  ): Promise<Excursions> {
    return excursionsOf({ tenantId, buildingId, spaceId }, asked, context);
  }
}

@Resolver(() => Tenant)
export class TenantExcursionsResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => Excursions, {
    nullable: true,
    description: `${OFTEN} In all its buildings: for those whose role is of the whole tenant. Where it has more than ${MAXIMUM_TAIL_BUILDINGS} buildings, readings of the last minute may be missing.`,
  })
  excursions(
    @Root() { tenantId }: Tenant,
    @Args(() => ExcursionsArguments) asked: ExcursionsArguments,
    @Ctx() context: Context,
  ): Promise<Excursions> {
    return excursionsOf({ tenantId }, asked, context);
  }
}
