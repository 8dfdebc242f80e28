import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Replacement } from '../../store/registry/replacing';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import { receivedFields } from './received.type';
import { ReplaceDeviceInput, ReplaceDeviceResult, ReplaceDeviceSuccess } from './replace-device.type';

@Resolver()
export class ReplaceDeviceResolver {
  @Visible({ needs: 'device.replace', of: 'arguments' })
  @Mutation(() => ReplaceDeviceResult, {
    description:
      'Puts another device in the place of one, which is retired. The other goes on with its points of the same quantities, so that their history has no break; what it measures beyond them gets new points. Safe to repeat with the same key.',
  })
  async replaceDevice(
    @Arg('input', () => ReplaceDeviceInput, { description: 'The device and what takes its place.' })
    { deviceId, newDevice, fromStock, name, idempotencyKey }: ReplaceDeviceInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<ReplaceDeviceSuccess | UserError> {
    if ((newDevice == null) === (fromStock == null)) {
      return userErrorOf({
        code: 'INVALID_INPUT',
        message: 'a replacement is either newDevice or fromStock: give one of them',
        path: newDevice == null ? 'newDevice' : 'fromStock',
      });
    }
    const replacement: Replacement =
      newDevice != null
        ? { from: 'new', model: newDevice.model, serialNumber: newDevice.serialNumber ?? null }
        : { from: 'stock', serialNumber: fromStock!.serialNumber, claimCode: fromStock!.claimCode };
    const input = { deviceId, replacement, name: name ?? null };
    const outcome = await registry.replaceDevice(scope, input, idempotencyKey);
    if (!outcome.ok) {
      const { refusal } = outcome;
      const part = newDevice != null ? 'newDevice' : 'fromStock';
      const path = refusal.path
        ?.replace(/^replacement(?=\.)/, part)
        .replace(/^claimCode$/, `${part}.claimCode`);
      return userErrorOf(path === undefined ? refusal : { ...refusal, path });
    }
    return Object.assign(new ReplaceDeviceSuccess(), {
      ...receivedFields(outcome.value, gatewayHostName),
      replaced: Device.of(outcome.value.replaced),
    });
  }
}
