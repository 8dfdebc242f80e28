import { Arg, Args, Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql';
import { allows } from '../../auth/scope';
import { type Assignment } from '../../domain/device';
import { type QuantityName } from '../../domain/quantity';
import { type LatestReading as Latest } from '../../store/recent';
import { type Page } from '../../store/registry';
import { Building } from '../building/building.type';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Device } from '../device/device.type';
import { Point } from '../point/point.type';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { LatestReading, LatestReadingConnection } from './latest-reading.type';
import { quantitiesSomewhere, spacesWithin, visibleQuantities } from './question';

const MINUTE = 'At most about a minute behind what was sent.';

/** A point as its latest reading is looked up: one call for all that a level of a query asks. */
interface Place {
  id: string;
  tenantId: string;
  buildingId: string;
  spaceId: string;
  ordinal: number;
  quantity: QuantityName;
}

function latestOf({ loaders }: Context, places: readonly Place[]): Promise<(Latest | null)[]> {
  if (places.length === 0) return Promise.resolve([]);
  return loaders.latestReadings.load(
    places.map(({ tenantId, buildingId, spaceId, quantity, ordinal }) => ({
      tenantId,
      buildingId,
      spaceId,
      quantity,
      pointOrdinal: ordinal,
    })),
  );
}

@Resolver(() => Point)
export class PointLatestReadingResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => LatestReading, {
    nullable: true,
    description: `What was observed there last, by whichever device; null where nothing was. Also null, with an error, where you may not see readings of that quantity. ${MINUTE}`,
  })
  async latestReading(@Root() point: Point, @Ctx() context: Context): Promise<LatestReading | null> {
    visibleQuantities(context, point, point.quantity);
    const [latest] = await latestOf(context, [point]);
    return latest ? told(context, point, latest) : null;
  }
}

@Resolver(() => Device)
export class DeviceLatestReadingsResolver {
  @Visible({ needs: 'reading.read', of: 'parent' })
  @FieldResolver(() => [LatestReading], {
    nullable: true,
    description: `What it measured last at each point that it feeds now; a point that it was not heard of, or another device since, is left out, and so is a quantity whose readings you may not see. Null, with an error, where you may not see any. ${MINUTE}`,
  })
  async latestReadings(@Root() device: Device, @Ctx() context: Context): Promise<LatestReading[]> {
    const { tenantId, buildingId, assigned } = device;
    const now = Date.now();
    const feeding = assigned.filter(
      (each) =>
        (each.to === null || each.to > now) &&
        each.tenantId === tenantId &&
        each.buildingId === buildingId &&
        allows(context.scope, 'reading.read', {
          tenantId,
          buildingId,
          spaceId: each.spaceId,
          quantity: each.quantity,
        }),
    );
    const places = feeding.map(placeOf);
    const found = await latestOf(context, places);
    return feeding.flatMap(({ deviceOrdinal }, i) => {
      const latest = found[i];
      return latest?.deviceOrdinal === deviceOrdinal ? [told(context, places[i]!, latest)] : [];
    });
  }
}

@Resolver(() => Building)
export class BuildingLatestReadingsResolver {
  @Visible({ needs: 'reading.read', of: 'parts-of-parent' })
  @FieldResolver(() => LatestReadingConnection, {
    nullable: true,
    description: `What was observed last at each of its points that you may see; points where nothing ever was are left out. A page may be short or empty although more follow: go on while \`hasNextPage\`. Null, with an error, where you may not see any. ${MINUTE}`,
  })
  async latestReadings(
    @Root() building: Building,
    @Arg('quantity', () => Quantity, {
      nullable: true,
      description: 'Only of this quantity; left out, all that you may see.',
    })
    quantity: QuantityName | null | undefined,
    @Arg('space', () => ID, { nullable: true, description: 'Only in this space and those that lie in it.' })
    space: string | null | undefined,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() context: Context,
  ): Promise<Connection<LatestReading>> {
    const { id: buildingId, tenantId } = building;
    const quantities = quantitiesSomewhere(context, { tenantId, buildingId }, quantity);
    const { services, principal, scope } = context;
    const { cursors, registry } = services;
    const within = space == null ? {} : { spaceIds: await spacesWithin(context, buildingId, space) };
    const fetch = async (options: { first: number; after: string | null }): Promise<Page<LatestReading>> => {
      const points = await registry.points(scope, buildingId, { ...options, ...within, quantities });
      const latest = await latestOf(context, points.items);
      const heard = points.items.flatMap((point, i) => {
        const reading = latest[i];
        return reading ? [{ item: told(context, point, reading), position: points.positions[i]! }] : [];
      });
      return {
        items: heard.map(({ item }) => item),
        positions: heard.map(({ position }) => position),
        next: points.next,
      };
    };
    return storePage(page, {
      cursors,
      binding: {
        principalId: principal.id,
        list: 'Building.latestReadings',
        arguments: [buildingId, quantity, space],
      },
      fetch,
      toNode: (reading) => reading,
    });
  }
}

function told({ freshness }: Context, point: Place, latest: Latest): LatestReading {
  freshness.note('latestReadings', [latest.observedAt]);
  return LatestReading.of(point, latest);
}

function placeOf(assignment: Assignment): Place {
  const { pointId: id, pointOrdinal: ordinal, tenantId, buildingId, spaceId, quantity } = assignment;
  return { id, ordinal, tenantId, buildingId, spaceId, quantity };
}
