import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { revealsPresence } from '../../auth/presence';
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

  @Visible('with-parent')
  @FieldResolver(() => Boolean, {
    description:
      'Whether what is measured there tells of presence: readings of it go only to those who may see that (owners, managers and analysts).',
  })
  presenceRevealing(@Root() point: Point, @Ctx() { scope }: Context): boolean {
    return revealsPresence(scope, point);
  }
}
