import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import { MoveDeviceInput, MoveDeviceResult, MoveDeviceSuccess } from './move-device.type';

@Resolver()
export class MoveDeviceResolver {
  @Visible({ needs: 'device.move', of: 'arguments' })
  @Mutation(() => MoveDeviceResult, {
    description:
      'Moves a device to another space, also of another building of the same tenant. From three seconds later on, when every gateway has heard of it, it feeds new points there; what it measured before stays with the points of where it was, also what arrives later. It keeps its credentials and its configuration. Moving it to where it is changes nothing.',
  })
  async moveDevice(
    @Arg('input', () => MoveDeviceInput, { description: 'The device and its new place.' })
    { deviceId, buildingId, spaceId }: MoveDeviceInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<MoveDeviceSuccess | UserError> {
    const input = { deviceId, buildingId: buildingId ?? null, spaceId };
    const outcome = await registry.moveDevice(scope, input);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new MoveDeviceSuccess(), { device: Device.of(outcome.value) });
  }
}
