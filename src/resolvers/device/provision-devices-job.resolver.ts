import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type NewDevice } from '../../store/registry';
import { type Context } from '../context';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { ProvisionDevicesInput } from './provision-devices.type';
import { ProvisionDevicesJobResult, ProvisionDevicesJobSuccess } from './provision-devices-job.type';

@Resolver()
export class ProvisionDevicesJobResolver {
  @Visible({ needs: 'device.provision', of: 'arguments' })
  @Mutation(() => ProvisionDevicesJobResult, {
    description:
      'Provisions devices into spaces of a building, as `provisionDevices` does, but in the background and row by row: a row that is refused keeps no other back.',
  })
  async provisionDevicesJob(
    @Arg('input', () => ProvisionDevicesInput, { description: 'The devices.' })
    { buildingId, devices, idempotencyKey }: ProvisionDevicesInput,
    @Ctx() { services: { jobs }, loaders, scope }: Context,
  ): Promise<ProvisionDevicesJobSuccess | UserError> {
    // Whose building it is the store knows; one that is not the caller's is answered like one that does not exist.
    const building = await loaders.building.load(buildingId);
    if (building === null) {
      const message = `there is no building ${buildingId}`;
      return userErrorOf({ code: 'NOT_FOUND', message, path: 'buildingId' });
    }
    const outcome = await jobs.create(
      scope,
      {
        kind: 'PROVISION_DEVICES',
        tenantId: building.tenantId,
        buildingId,
        parameters: {},
        rows: devices.map(({ name, model, spaceId, serialNumber }): NewDevice => ({
          name,
          model,
          spaceId,
          serialNumber: serialNumber ?? null,
        })),
        rowsPath: 'devices',
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ProvisionDevicesJobSuccess(), { job: Job.of(outcome.value) });
  }
}
