import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import { SetDeviceIntervalInput, SetDeviceIntervalResult, SetDeviceIntervalSuccess } from './interval.type';

@Resolver()
export class DeviceIntervalResolver {
  @Visible({ needs: 'device.configure', of: 'arguments' })
  @Mutation(() => SetDeviceIntervalResult, {
    description:
      'Says how often a device is expected to send: what its silence is measured by. The device itself is not told; for that use `setDeviceConfiguration`.',
  })
  async setDeviceInterval(
    @Arg('input', () => SetDeviceIntervalInput, { description: 'The device and its interval.' })
    { deviceId, intervalSeconds }: SetDeviceIntervalInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<SetDeviceIntervalSuccess | UserError> {
    const outcome = await registry.setDeviceInterval(scope, deviceId, intervalSeconds ?? null);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new SetDeviceIntervalSuccess(), { device: Device.of(outcome.value) });
  }
}
