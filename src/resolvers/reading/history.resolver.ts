import { ArgsType, Args, Ctx, Field, FieldResolver, Resolver, Root } from 'type-graphql';
import { MAXIMUM_STEPS } from '../../analytics/steps';
import { type CalendarDuration as Step } from '../../domain/calendar-duration';
import { type QuantityName } from '../../domain/quantity';
import { requireContinuous } from '../average/continuous';
import { Building } from '../building/building.type';
import { type Context } from '../context';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { CalendarDuration, DateTime } from '../scalars';
import { theBuilding } from '../space/space.resolver';
import { Space } from '../space/space.type';
import { HistoryStep } from './history.type';
import { answered, asking, spacesWithin, visibleQuantities, whereOf } from './question';

@ArgsType()
class HistoryArguments {
  @Field(() => Quantity, { description: 'Which quantity; a continuous one.' })
  quantity!: QuantityName;

  @Field(() => DateTime, { description: 'Readings observed from this instant on.' })
  from!: Date;

  @Field(() => DateTime, { description: 'Readings observed before this instant.' })
  to!: Date;

  @Field(() => CalendarDuration, {
    description: `How long a step is, in the building’s time zone: \`P1D\`, \`P1W\` (from Monday), \`P1M\`, \`PT1H\`. Hours and less are counted from each local midnight. The range cuts the first and the last; it may hold ${MAXIMUM_STEPS}.`,
  })
  step!: Step;
}

const STEPS =
  'Mean, least and greatest reading of each step, oldest first; every step of the range is told, also one without a reading. Null, with an error, where you may not see the quantity.';

async function historyOf(
  building: Building,
  spaceId: string | null,
  { quantity, step, ...range }: HistoryArguments,
  context: Context,
): Promise<HistoryStep[]> {
  requireContinuous(quantity);
  const { tenantId, id: buildingId } = building;
  visibleQuantities(context, { tenantId, buildingId, ...(spaceId !== null && { spaceId }) }, quantity);
  const where = {
    ...whereOf(building, range),
    spaceIds: spaceId === null ? null : await spacesWithin(context, building.id, spaceId),
  };
  const asked = { quantity, step, timeZone: building.timeZone };
  const steps = await asking(context.services.questions.history(where, asked, context.signal));
  return answered(steps).map(HistoryStep.of);
}

@Resolver(() => Building)
export class BuildingHistoryResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => [HistoryStep], { nullable: true, description: STEPS })
  history(
    @Root() building: Building,
    @Args(() => HistoryArguments) asked: HistoryArguments,
    @Ctx() context: Context,
  ): Promise<HistoryStep[]> {
    return historyOf(building, null, asked, context);
  }
}

@Resolver(() => Space)
export class SpaceHistoryResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => [HistoryStep], {
    nullable: true,
    description: `${STEPS} Of the space and those that lie in it.`,
  })
  async history(
    @Root() space: Space,
    @Args(() => HistoryArguments) asked: HistoryArguments,
    @Ctx() context: Context,
  ): Promise<HistoryStep[]> {
    return historyOf(await theBuilding(context, space.buildingId), space.id, asked, context);
  }
}
