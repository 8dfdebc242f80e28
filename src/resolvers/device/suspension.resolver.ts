import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import {
  ResumeDeviceInput,
  ResumeDeviceResult,
  ResumeDeviceSuccess,
  SuspendDeviceInput,
  SuspendDeviceResult,
  SuspendDeviceSuccess,
} from './suspension.type';

@Resolver()
export class SuspensionResolver {
  @Visible({ needs: 'device.suspend', of: 'arguments' })
  @Mutation(() => SuspendDeviceResult, {
    description:
      'Takes a device out of service for maintenance: within 2 seconds the gateway refuses it and closes its connections. It keeps its credentials, its place and its part in what is expected of the building. Suspending a suspended device changes nothing.',
  })
  async suspendDevice(
    @Arg('input', () => SuspendDeviceInput, { description: 'The device.' })
    { deviceId, reason }: SuspendDeviceInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<SuspendDeviceSuccess | UserError> {
    const outcome = await registry.suspendDevice(scope, deviceId, reason ?? null);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new SuspendDeviceSuccess(), { device: Device.of(outcome.value) });
  }

  @Visible({ needs: 'device.suspend', of: 'arguments' })
  @Mutation(() => ResumeDeviceResult, {
    description:
      'Puts a suspended device back into service, as it was before. Resuming a device in service changes nothing.',
  })
  async resumeDevice(
    @Arg('input', () => ResumeDeviceInput, { description: 'The device.' }) { deviceId }: ResumeDeviceInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<ResumeDeviceSuccess | UserError> {
    const outcome = await registry.resumeDevice(scope, deviceId);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new ResumeDeviceSuccess(), { device: Device.of(outcome.value) });
  }
}
