import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import { RetireDeviceInput, RetireDeviceResult, RetireDeviceSuccess } from './retire-device.type';

@Resolver()
export class RetireDeviceResolver {
  @Visible({ needs: 'device.retire', of: 'arguments' })
  @Mutation(() => RetireDeviceResult, {
    description:
      'Takes a device out of service for good: its credentials are destroyed and its assignments end now; its history stays. Retiring a retired device changes nothing.',
  })
  async retireDevice(
    @Arg('input', () => RetireDeviceInput, { description: 'The device.' }) { deviceId }: RetireDeviceInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RetireDeviceSuccess | UserError> {
    const outcome = await registry.retireDevice(scope, deviceId);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new RetireDeviceSuccess(), { device: Device.of(outcome.value) });
  }
}
