import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  CreateEnrollmentGroupInput,
  CreateEnrollmentGroupResult,
  CreateEnrollmentGroupSuccess,
  EnrollmentGroup,
  RegisteredDevice,
  RegisteredDeviceConnection,
  ReissueClaimCodeInput,
  ReissueClaimCodeResult,
  ReissueClaimCodeSuccess,
  RetireRegisteredDeviceInput,
  RetireRegisteredDeviceResult,
  RetireRegisteredDeviceSuccess,
} from './stock.type';

@Resolver()
export class StockResolver {
  @Visible({ needs: 'device.register', of: 'arguments' })
  @Mutation(() => ReissueClaimCodeResult, {
    description: 'Gives a device in stock a new claim code, as for one that was lost; the earlier is void.',
  })
  async reissueClaimCode(
    @Arg('input', () => ReissueClaimCodeInput, { description: 'The device.' })
    { deviceId, idempotencyKey }: ReissueClaimCodeInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<ReissueClaimCodeSuccess | UserError> {
    const outcome = await registry.reissueClaimCode(scope, deviceId, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { device, code } = outcome.value;
    return Object.assign(new ReissueClaimCodeSuccess(), {
      device: RegisteredDevice.of(device),
      claimCode: code?.claimCode ?? null,
      claimText: code?.claimText ?? null,
      secretsAlreadyShown: code === null,
    });
  }

  @Visible({ needs: 'device.retire', of: 'arguments' })
  @Mutation(() => RetireRegisteredDeviceResult, {
    description:
      'Takes a device out of its manufacturer’s stock for good: nobody can claim it any more. Doing so again changes nothing. For a device in a building use `retireDevice`.',
  })
  async retireRegisteredDevice(
    @Arg('input', () => RetireRegisteredDeviceInput, { description: 'The device.' })
    { deviceId }: RetireRegisteredDeviceInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RetireRegisteredDeviceSuccess | UserError> {
    const outcome = await registry.retireStock(scope, deviceId);
    if (outcome === null) {
      const message = `there is no registered device ${deviceId}`;
      return userErrorOf({ code: 'NOT_FOUND', message, path: 'deviceId' });
    }
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new RetireRegisteredDeviceSuccess(), { device: RegisteredDevice.of(outcome.value) });
  }

  @Visible({ needs: 'device.register', of: 'arguments' })
  @Mutation(() => CreateEnrollmentGroupResult, {
    description:
      'Creates keys from which a manufacturer derives the keys of its devices at the factory. A device that is registered into the group connects with its derived keys once it is claimed, until they are rotated.',
  })
  async createEnrollmentGroup(
    @Arg('input', () => CreateEnrollmentGroupInput, { description: 'The group.' })
    { tenantId, name, idempotencyKey }: CreateEnrollmentGroupInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<CreateEnrollmentGroupSuccess | UserError> {
    const outcome = await registry.createEnrollmentGroup(scope, { tenantId, name }, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { group, keys } = outcome.value;
    return Object.assign(new CreateEnrollmentGroupSuccess(), {
      enrollmentGroup: EnrollmentGroup.of(group),
      primaryKey: keys?.primary ?? null,
      secondaryKey: keys?.secondary ?? null,
      secretsAlreadyShown: keys === null,
    });
  }
}

@Resolver(() => Tenant)
export class TenantStockResolver {
  @Visible({ needs: 'device.register', of: 'parent' })
  @FieldResolver(() => RegisteredDeviceConnection, {
    nullable: true,
    description:
      'The devices in its stock, which nobody has claimed yet, by serial number; null, with an error, where your role does not register devices.',
  })
  registeredDevices(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<RegisteredDevice>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.registeredDevices', arguments: [tenantId] },
      fetch: (options) => registry.registeredDevices(scope, tenantId, options),
      toNode: RegisteredDevice.of,
    });
  }
}
