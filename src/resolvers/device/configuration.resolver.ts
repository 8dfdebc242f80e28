import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  DeviceConfiguration,
  SetDeviceConfigurationInput,
  SetDeviceConfigurationResult,
  SetDeviceConfigurationSuccess,
} from './configuration.type';
import { Device } from './device.type';

@Resolver(() => Device)
export class DeviceConfigurationResolver {
  @Visible({ needs: 'device.read', of: 'parent' })
  @FieldResolver(() => DeviceConfiguration, {
    nullable: true,
    description:
      'What it was told to be and what it says it is; null where nothing was ever told or reported.',
  })
  async configuration(
    @Root() { id, buildingId, spaceId }: Device,
    @Ctx() { loaders }: Context,
  ): Promise<DeviceConfiguration | null> {
    const twin = await loaders.twin.load({ buildingId, spaceId, deviceId: id });
    return twin === null ? null : DeviceConfiguration.of(twin);
  }

  @Visible({ needs: 'device.configure', of: 'arguments' })
  @Mutation(() => SetDeviceConfigurationResult, {
    description:
      'Changes what a device is told to be. A connected device hears of it at once, another one when it next asks. A patch that changes nothing keeps the version, whichever was expected: a call may be repeated.',
  })
  async setDeviceConfiguration(
    @Arg('input', () => SetDeviceConfigurationInput, { description: 'The device and the patch.' })
    { deviceId, desired, expectedVersion }: SetDeviceConfigurationInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<SetDeviceConfigurationSuccess | UserError> {
    const outcome = await registry.setDeviceConfiguration(scope, {
      deviceId,
      desired,
      expectedVersion: expectedVersion ?? null,
    });
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new SetDeviceConfigurationSuccess(), {
      device: Device.of(outcome.value.device),
      configuration: DeviceConfiguration.of(outcome.value.twin),
    });
  }
}
