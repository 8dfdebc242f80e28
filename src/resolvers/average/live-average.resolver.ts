import { Arg, Ctx, FieldResolver, ID, Resolver, Root, Subscription } from 'type-graphql';
import { type QuantityName } from '../../domain/quantity';
import { loadBuilding } from '../building/building.resolver';
import { type Building } from '../building/building.type';
import { type Context } from '../context';
import { clientError } from '../errors';
import { MIN_INTERVAL, minIntervalOf } from '../min-interval';
import { Quantity } from '../quantity.type';
import { INDEPENDENT, Visible } from '../rule';
import { Duration } from '../scalars';
import { subscriberOf } from '../shared-stream';
import { BuildingAverage } from './average.type';
import { type AveragePlace, openPlace, sealPlace } from './average-cursor';
import { averageStream } from './average-stream';
import { requireContinuous } from './continuous';
import { sightIn } from './sight';

const MAXIMUM_BUILDINGS = 100;

interface Asked {
  quantity?: QuantityName | null;
  minInterval?: number | null;
  corrections?: boolean | null;
}

const CORRECTIONS =
  'Whether to tell also of minute records that are corrected by readings that come late, up to 48 hours: each with its new `revision`, apart from `minInterval`. Of what was corrected while you were away `Building.averageHistory` tells.';

@Resolver(() => BuildingAverage)
export class AverageCursorResolver {
  @Visible('with-parent', INDEPENDENT)
  @FieldResolver(() => String, {
    nullable: true,
    description:
      'Where this value stands among those of its building: opaque, good at any time and anywhere as `after` of a subscription to the building’s averages. Null for a value of a space and for a correction, which moves no place.',
  })
  cursor(@Root() value: BuildingAverage, @Ctx() { services }: Context): string | null {
    if (value.spaceId !== null || value.delivery === 'CORRECTED') return null;
    const { buildingId, quantity, windowEnd, revision } = value;
    return sealPlace(services.cursors, {
      buildingId,
      quantity,
      windowEnd: windowEnd.getTime() / 1_000,
      revision,
    });
  }
}

@Resolver()
export class LiveAverageResolver {
  @Visible({ needs: 'average.read', of: 'arguments' }, INDEPENDENT)
  @Subscription(() => BuildingAverage, {
    description:
      'The rolling averages of a building: the current value of each quantity first, then every change of its mean or its counts, about once a second while readings come. A client that cannot keep up gets the latest and misses those between. With `after` it begins with the minute records since then.',
    subscribe: ({ args, context }) =>
      subscribeToBuilding(context as Context, args as Asked & { building: string; after?: string | null }),
  })
  buildingAverage(
    @Root() value: BuildingAverage,
    @Ctx() { freshness }: Context,
    @Arg('building', () => ID, { description: 'The building’s id.' }) _building: string,
    @Arg('quantity', () => Quantity, { nullable: true, description: 'Only this quantity; a continuous one.' })
    _quantity?: QuantityName | null,
    @Arg('minInterval', () => Duration, { nullable: true, description: MIN_INTERVAL })
    _minInterval?: number | null,
    @Arg('after', () => String, {
      nullable: true,
      description:
        'The `cursor` of the last value that was received: the minute records since then come first, oldest first, and then the current values. Where some cannot be told, the current value says which in `gap`.',
    })
    _after?: string | null,
    @Arg('corrections', () => Boolean, { nullable: true, description: CORRECTIONS })
    _corrections?: boolean | null,
  ): BuildingAverage {
    return live(freshness, value);
  }

  @Visible({ needs: 'average.read', of: 'arguments' }, INDEPENDENT)
  @Subscription(() => BuildingAverage, {
    description:
      'The rolling averages of several buildings, as `buildingAverage` tells of one. Buildings that do not exist or are not yours to see are not told of; where none is left, it completes.',
    subscribe: ({ args, context }) =>
      subscribeToBuildings(
        context as Context,
        args as Asked & { buildingIds: string[]; after?: string[] | null },
      ),
  })
  buildingAverages(
    @Root() value: BuildingAverage,
    @Ctx() { freshness }: Context,
    @Arg('buildingIds', () => [ID], { description: `The buildings’ ids, 1 to ${MAXIMUM_BUILDINGS}.` })
    _buildingIds: string[],
    @Arg('quantity', () => Quantity, { nullable: true, description: 'Only this quantity; a continuous one.' })
    _quantity?: QuantityName | null,
    @Arg('minInterval', () => Duration, { nullable: true, description: MIN_INTERVAL })
    _minInterval?: number | null,
    @Arg('after', () => [String], {
      nullable: true,
      description:
        'The `cursor` of the last value that was received, of each building: of those the minute records since then come first. A building without one begins with its current values.',
    })
    _after?: string[] | null,
    @Arg('corrections', () => Boolean, { nullable: true, description: CORRECTIONS })
    _corrections?: boolean | null,
  ): BuildingAverage {
    return live(freshness, value);
  }
}

/** What is told of now has an age; minutes of the record, missed or corrected, are what they are. */
function live(freshness: Context['freshness'], value: BuildingAverage): BuildingAverage {
  if (value.delivery === 'LIVE' && value.mean !== null) freshness.note('averages', [value.asOf.getTime()]);
  return value;
}

/** Throws NOT_FOUND for an unknown or foreign building, alike. */
async function subscribeToBuilding(
  context: Context,
  { building: id, after, ...asked }: Asked & { building: string; after?: string | null },
): Promise<AsyncIterableIterator<BuildingAverage>> {
  const places = placesOf(context, after == null ? [] : [after], [id]);
  const stream = await streamOf(context, (await loadBuilding(context, id)) ?? [], asked, places);
  if (stream.rightsOf(context.scope) === null) {
    throw clientError('NOT_FOUND', 'there is no such building, or it is not yours to see');
  }
  return subscriberOf(stream);
}

async function subscribeToBuildings(
  context: Context,
  { buildingIds, after, ...asked }: Asked & { buildingIds: string[]; after?: string[] | null },
): Promise<AsyncIterableIterator<BuildingAverage>> {
  const ids = [...new Set(buildingIds)];
  if (ids.length < 1 || buildingIds.length > MAXIMUM_BUILDINGS) {
    throw clientError(
      'BAD_USER_INPUT',
      `buildingIds must be 1 to ${MAXIMUM_BUILDINGS}, they are ${buildingIds.length}`,
    );
  }
  const places = placesOf(context, after ?? [], ids);
  const found = await Promise.all(ids.map((id) => loadBuilding(context, id)));
  const buildings = found.filter((building) => building !== null);
  return subscriberOf(await streamOf(context, buildings, asked, places));
}

async function streamOf(
  context: Context,
  asked: Building | Building[],
  { quantity, minInterval, corrections }: Asked,
  places: readonly AveragePlace[],
) {
  if (quantity != null) requireContinuous(quantity);
  const buildings = [asked].flat();
  const sights = await Promise.all(
    buildings.map(async (building) => [building.id, await sightIn(context, building)] as const),
  );
  return averageStream(context, {
    buildings,
    sights: new Map(sights),
    quantity: quantity ?? undefined,
    minInterval: minIntervalOf(minInterval),
    places,
    corrections: corrections ?? false,
  });
}

/** Throws BAD_USER_INPUT for a cursor of another building, and for two of one. */
function placesOf(
  { services }: Context,
  cursors: readonly string[],
  buildingIds: readonly string[],
): AveragePlace[] {
  if (cursors.length > buildingIds.length) {
    throw clientError('BAD_USER_INPUT', 'after must hold at most one cursor of each building');
  }
  const places = cursors.map((cursor) => openPlace(services.cursors, cursor));
  const named = new Set(places.map(({ buildingId }) => buildingId));
  if (named.size < places.length || places.some(({ buildingId }) => !buildingIds.includes(buildingId))) {
    throw clientError(
      'BAD_USER_INPUT',
      'after must hold cursors of the buildings that are asked for, one of each at most',
    );
  }
  return places;
}
