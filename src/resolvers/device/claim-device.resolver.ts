import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { ClaimDeviceInput, ClaimDeviceResult, ClaimDeviceSuccess } from './claim-device.type';
import { receivedFields } from './received.type';

@Resolver()
export class ClaimDeviceResolver {
  @Visible({ needs: 'device.claim', of: 'arguments' })
  @Mutation(() => ClaimDeviceResult, {
    description:
      'Takes a device from its manufacturer’s stock into a space, by its serial number and one-time claim code. Safe to repeat with the same key. An unknown serial number, a wrong code and a used one are told apart by nothing; after several failures the next attempt has to wait, longer each time.',
  })
  async claimDevice(
    @Arg('input', () => ClaimDeviceInput, { description: 'The device and its place.' })
    { idempotencyKey, serialNumber, claimCode, buildingId, spaceId, name }: ClaimDeviceInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<ClaimDeviceSuccess | UserError> {
    const input = { serialNumber, claimCode, buildingId, spaceId, name };
    const outcome = await registry.claimDevice(scope, input, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ClaimDeviceSuccess(), receivedFields(outcome.value, gatewayHostName));
  }
}
