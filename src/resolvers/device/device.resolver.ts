import { Arg, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { allows } from '../../auth/scope';
import { Building } from '../building/building.type';
import { type Context } from '../context';
import { Point } from '../point/point.type';
import { Visible } from '../rule';
import { theBuilding, theSpace } from '../space/space.resolver';
import { Space } from '../space/space.type';
import { Device, DeviceAssignment } from './device.type';

@Resolver(() => Device)
export class DeviceResolver {
  @Visible({ needs: 'device.read', of: 'arguments' })
  @Query(() => Device, {
    nullable: true,
    description: 'A device by its id; null where there is none or it is not yours to see.',
  })
  device(
    @Arg('id', () => ID, { description: 'The device’s id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Device | null> {
    return loadDevice(context, id);
  }

  @Visible('with-parent')
  @FieldResolver(() => Building, { description: 'The building it is in.' })
  building(@Root() { buildingId }: Device, @Ctx() context: Context): Promise<Building> {
    return theBuilding(context, buildingId);
  }

  @Visible('with-parent')
  @FieldResolver(() => Space, { description: 'The space it is in.' })
  space(@Root() { buildingId, spaceId }: Device, @Ctx() context: Context): Promise<Space> {
    return theSpace(context, buildingId, spaceId);
  }

  @Visible({ needs: 'device.read', of: 'parent' })
  @FieldResolver(() => [DeviceAssignment], {
    description:
      'Which points its channels feed and fed. Those of an owner whose devices you may not see are left out.',
  })
  assignments(@Root() { assigned }: Device, @Ctx() { scope }: Context): DeviceAssignment[] {
    return assigned
      .filter(({ tenantId, buildingId, spaceId, quantity }) =>
        allows(scope, 'device.read', { tenantId, buildingId, spaceId, quantity }),
      )
      .map(DeviceAssignment.of);
  }
}

@Resolver(() => DeviceAssignment)
export class DeviceAssignmentResolver {
  @Visible('with-parent')
  @FieldResolver(() => Point, { description: 'What the channel feeds.' })
  point(@Root() { source }: DeviceAssignment): Point {
    return Point.of(source);
  }
}

export async function loadDevice({ loaders }: Context, id: string): Promise<Device | null> {
  const document = await loaders.device.load(id);
  return document === null ? null : Device.of(document);
}
