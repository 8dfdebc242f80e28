import { Arg, Args, Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql';
import { type QuantityName } from '../../domain/quantity';
import { Building } from '../building/building.type';
import { type Connection, connectionOf, PageArguments, pageOf } from '../connection';
import { type Context } from '../context';
import { clientError } from '../errors';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { asking, confinedTo, quantitiesSomewhere, spacesWithin, whereOf } from './question';
import { Reading, ReadingConnection } from './reading.type';

@Resolver(() => Building)
export class BuildingReadingsResolver {
  @Visible({ needs: 'reading.read', of: 'parts-of-parent' })
  @FieldResolver(() => ReadingConnection, {
    nullable: true,
    description:
      'Its readings by when they were observed, oldest first, over any range: each once, however often it was sent. One is there about a minute after it was taken, at the latest. Null, with an error, where you may not see any.',
  })
  async readings(
    @Root() building: Building,
    @Arg('from', () => DateTime, { description: 'The earliest `observedAt`, inclusive.' }) from: Date,
    @Arg('to', () => DateTime, { description: 'The latest `observedAt`, exclusive.' }) to: Date,
    @Arg('quantity', () => Quantity, {
      nullable: true,
      description: 'Only this quantity; left out, all that you may see.',
    })
    quantity: QuantityName | null | undefined,
    @Arg('space', () => ID, { nullable: true, description: 'Only in this space and those that lie in it.' })
    space: string | null | undefined,
    @Arg('device', () => ID, { nullable: true, description: 'Only from this device.' })
    device: string | null | undefined,
    @Arg('point', () => ID, { nullable: true, description: 'Only of this point.' })
    point: string | null | undefined,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() context: Context,
  ): Promise<Connection<Reading>> {
    const quantities = quantitiesSomewhere(
      context,
      { tenantId: building.tenantId, buildingId: building.id },
      quantity,
    );
    if (!(from < to)) throw clientError('BAD_USER_INPUT', 'from must lie before to');
    const { services, principal, signal } = context;
    const { cursors, questions } = services;
    const where = {
      ...whereOf(building, { from, to }),
      spaceIds: space == null ? null : await spacesWithin(context, building.id, space),
      deviceId: device ?? null,
      pointId: point ?? null,
      confined: confinedTo(context, building, quantities),
    };
    const binding = {
      principalId: principal.id,
      list: 'Building.readings',
      arguments: [building.id, from.getTime(), to.getTime(), quantity, space, device, point],
    };
    const { first, after } = pageOf(page, cursors, binding);
    const { items, positions, more } = await asking(
      questions.readings({ ...where, quantities }, { first, after }, signal),
    );
    return connectionOf(
      items.map((item, i) => ({ node: Reading.of(item), position: positions[i]! })),
      { hasNextPage: more, after, cursors, binding },
    );
  }
}
