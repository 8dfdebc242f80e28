import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { theSpace } from '../space/space.resolver';
import { Space } from '../space/space.type';
import { Point } from './point.type';

@Resolver(() => Point)
export class PointResolver {
  @Visible('with-parent')
  @FieldResolver(() => Space, { description: 'The place it is sensed in.' })
  space(@Root() { buildingId, spaceId }: Point, @Ctx() context: Context): Promise<Space> {
    return theSpace(context, buildingId, spaceId);
  }
}
