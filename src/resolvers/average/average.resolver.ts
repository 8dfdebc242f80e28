import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type QuantityName } from '../../domain/quantity';
import { Building } from '../building/building.type';
import { type Connection, connectionOf, PageArguments, pageOf } from '../connection';
import { type Context } from '../context';
import { clientError } from '../errors';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { Space } from '../space/space.type';
import { BuildingAverage, BuildingAverageConnection } from './average.type';
import { requireContinuous } from './continuous';
import { currentAverages, currentSpaceAverages } from './current-averages';
import { asSeen, sightIn } from './sight';

const MINUTE_MS = 60_000;

@Resolver(() => Building)
export class BuildingAveragesResolver {
  @Visible({ needs: 'average.read', of: 'parent' })
  @FieldResolver(() => [BuildingAverage], {
    description:
      'The rolling averages now: one for each quantity that is or was lately measured here and that you may see. Whoever has a right to single spaces sees those that are measured in enough spaces to tell of no other one by itself, without least and greatest.',
  })
  async averages(@Root() building: Building, @Ctx() context: Context): Promise<BuildingAverage[]> {
    return noted(context, await currentAverages(context, building));
  }

  @Visible({ needs: 'average.read', of: 'parent' })
  @FieldResolver(() => BuildingAverageConnection, {
    nullable: true,
    description:
      'The rolling record: one point a minute, at second 0, oldest first. Null, with an error, where you may not see the quantity.',
  })
  async averageHistory(
    @Root() building: Building,
    @Arg('quantity', () => Quantity, { description: 'Which quantity; a continuous one.' })
    quantity: QuantityName,
    @Arg('from', () => DateTime, { description: 'The earliest `windowEnd`, inclusive.' }) from: Date,
    @Arg('to', () => DateTime, { description: 'The latest `windowEnd`, inclusive.' }) to: Date,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() context: Context,
  ): Promise<Connection<BuildingAverage>> {
    requireContinuous(quantity);
    const { services, principal, scope } = context;
    const { averages, cursors } = services;
    const { id: buildingId } = building;
    const sight = (await sightIn(context, building))(scope, quantity);
    if (sight === null) {
      throw clientError('FORBIDDEN', `${quantity} of this building is not shared with you`);
    }
    const binding = {
      principalId: principal.id,
      list: 'Building.averageHistory',
      arguments: [buildingId, quantity, from.getTime(), to.getTime()],
    };
    const { first, after } = pageOf(page, cursors, binding);
    const fromMinute = after === null ? Math.ceil(from.getTime() / MINUTE_MS) : Number(after) + 1;
    const toMinute = Math.floor(to.getTime() / MINUTE_MS);
    const points =
      fromMinute > toMinute
        ? []
        : // One more than asked for tells whether another page follows.
          await averages.history(scope, { buildingId, quantity, fromMinute, toMinute, limit: first + 1 });
    return connectionOf(
      points.slice(0, first).map((point) => ({
        node: asSeen(scope, sight, BuildingAverage.of(point)!),
        position: String((point.windowEnd * 1000) / MINUTE_MS),
      })),
      { hasNextPage: points.length > first, after, cursors, binding },
    );
  }
}

@Resolver(() => Space)
export class SpaceAveragesResolver {
  @Visible({ needs: 'average.read', of: 'parent' })
  @FieldResolver(() => [BuildingAverage], {
    description:
      'The rolling averages of the space now, from the devices in it: one for each quantity that was measured in the last minutes and that you may see. Empty where nothing was.',
  })
  averages(@Root() space: Space, @Ctx() context: Context): BuildingAverage[] {
    return noted(context, currentSpaceAverages(context, space));
  }
}

/** An average that the caller is not told has no age either. */
function noted({ freshness }: Context, values: BuildingAverage[]): BuildingAverage[] {
  const told = values.filter(({ mean }) => mean !== null);
  freshness.note(
    'averages',
    told.map(({ asOf }) => asOf.getTime()),
  );
  return values;
}
