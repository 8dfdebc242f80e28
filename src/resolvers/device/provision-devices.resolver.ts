import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import {
  MAXIMUM_DEVICES_A_CALL,
  ProvisionDevicesInput,
  ProvisionDevicesResult,
  ProvisionDevicesSuccess,
  ProvisionedDevice,
} from './provision-devices.type';

@Resolver()
export class ProvisionDevicesResolver {
  @Visible({ needs: 'device.provision', of: 'arguments' })
  @Mutation(() => ProvisionDevicesResult, {
    description:
      'Provisions devices into spaces of a building, with credentials of their own. Nothing is provisioned when any of the input is refused; a call that broke off is finished by repeating it with the same key.',
  })
  async provisionDevices(
    @Arg('input', () => ProvisionDevicesInput, { description: 'The devices.' })
    { buildingId, devices, idempotencyKey }: ProvisionDevicesInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<ProvisionDevicesSuccess | UserError> {
    if (devices.length > MAXIMUM_DEVICES_A_CALL) {
      return userErrorOf({
        code: 'LIMIT_EXCEEDED',
        message: `at most ${MAXIMUM_DEVICES_A_CALL} devices a call, these are ${devices.length}: split them over several calls`,
        path: 'devices',
      });
    }
    const outcome = await registry.provisionDevices(
      scope,
      {
        buildingId,
        devices: devices.map(({ name, model, spaceId, serialNumber }) => ({
          name,
          model,
          spaceId,
          serialNumber: serialNumber ?? null,
        })),
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ProvisionDevicesSuccess(), {
      devices: outcome.value.map(({ device, keys }) =>
        Object.assign(new ProvisionedDevice(), {
          device: Device.of(device),
          connectionString:
            keys === null
              ? null
              : `HostName=${gatewayHostName};DeviceId=${device.id};SharedAccessKey=${keys.primary}`,
          secretsAlreadyShown: keys === null,
        }),
      ),
    });
  }
}
