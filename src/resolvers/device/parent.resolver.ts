import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { loadDevice } from './device.resolver';
import { Device } from './device.type';
import { SetDeviceParentInput, SetDeviceParentResult, SetDeviceParentSuccess } from './parent.type';

@Resolver(() => Device)
export class DeviceParentResolver {
  @Visible({ needs: 'device.read', of: 'parent' })
  @FieldResolver(() => Device, {
    nullable: true,
    description:
      'The field gateway that may relay for it; null where it speaks for itself alone, or the field gateway is not yours to see.',
  })
  parent(@Root() { parentId }: Device, @Ctx() context: Context): Promise<Device | null> | null {
    return parentId === null ? null : loadDevice(context, parentId);
  }

  @Visible({ needs: 'device.move', of: 'arguments' })
  @Mutation(() => SetDeviceParentResult, {
    description:
      'Names the field gateway that may relay for a device, beside the device itself. Naming the same again changes nothing.',
  })
  async setDeviceParent(
    @Arg('input', () => SetDeviceParentInput, { description: 'The device and its field gateway.' })
    { deviceId, parentId }: SetDeviceParentInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<SetDeviceParentSuccess | UserError> {
    const outcome = await registry.setDeviceParent(scope, deviceId, parentId ?? null);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new SetDeviceParentSuccess(), { device: Device.of(outcome.value) });
  }
}
