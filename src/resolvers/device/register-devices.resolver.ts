import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type RegisterDevicesRow } from '../../store/jobs/handlers/register-devices';
import { type Context } from '../context';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { RegisterDevicesInput, RegisterDevicesResult, RegisterDevicesSuccess } from './register-devices.type';

@Resolver()
export class RegisterDevicesResolver {
  @Visible({ needs: 'device.register', of: 'arguments' })
  @Mutation(() => RegisterDevicesResult, {
    description:
      'Puts devices into a tenant’s stock, in the background: each gets a one-time claim code, with which whoever has the device in hand claims it. A row that is refused keeps no other back.',
  })
  async registerDevices(
    @Arg('input', () => RegisterDevicesInput, { description: 'The devices.' })
    { tenantId, devices, enrollmentGroupId, idempotencyKey }: RegisterDevicesInput,
    @Ctx() { services: { jobs }, scope }: Context,
  ): Promise<RegisterDevicesSuccess | UserError> {
    const outcome = await jobs.create(
      scope,
      {
        kind: 'REGISTER_DEVICES',
        tenantId,
        buildingId: null,
        parameters: { enrollmentGroupId: enrollmentGroupId ?? null },
        rows: devices.map(({ serialNumber, model }): RegisterDevicesRow => ({ serialNumber, model })),
        rowsPath: 'devices',
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new RegisterDevicesSuccess(), { job: Job.of(outcome.value) });
  }
}
