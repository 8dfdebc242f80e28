import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import { Device } from './device.type';
import { receivedFields } from './received.type';
import {
  AcceptDeviceTransferInput,
  AcceptDeviceTransferResult,
  AcceptDeviceTransferSuccess,
  DeviceTransfer,
  DeviceTransferConnection,
  OfferDeviceTransferInput,
  OfferDeviceTransferResult,
  OfferDeviceTransferSuccess,
  WithdrawDeviceTransferInput,
  WithdrawDeviceTransferResult,
  WithdrawDeviceTransferSuccess,
} from './transfer.type';

const HOUR_MS = 3_600_000;

@Resolver()
export class DeviceTransferResolver {
  @Visible({ needs: 'device.transfer', of: 'arguments' })
  @Mutation(() => OfferDeviceTransferResult, {
    description:
      'Offers a device to another tenant, whose owners may accept it until the offer expires. Offering it again to the same tenant changes nothing; to another one, it takes the earlier offer’s place.',
  })
  async offerDeviceTransfer(
    @Arg('input', () => OfferDeviceTransferInput, { description: 'The device and who is to have it.' })
    { deviceId, toTenantId, expiresInHours }: OfferDeviceTransferInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<OfferDeviceTransferSuccess | UserError> {
    const input = { deviceId, toTenantId, expiresInMs: expiresInHours * HOUR_MS };
    const outcome = await registry.offerDeviceTransfer(scope, input);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { id, expiresAt } = outcome.value.transfer!;
    return Object.assign(new OfferDeviceTransferSuccess(), {
      transferId: id,
      expiresAt: new Date(expiresAt),
      device: Device.of(outcome.value),
    });
  }

  @Visible({ needs: 'device.transfer', of: 'arguments' })
  @Mutation(() => WithdrawDeviceTransferResult, {
    description:
      'Takes a device’s offer back. Where it is offered to nobody, or was accepted, nothing is changed.',
  })
  async withdrawDeviceTransfer(
    @Arg('input', () => WithdrawDeviceTransferInput, { description: 'The device.' })
    { deviceId }: WithdrawDeviceTransferInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<WithdrawDeviceTransferSuccess | UserError> {
    const outcome = await registry.withdrawDeviceTransfer(scope, deviceId);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new WithdrawDeviceTransferSuccess(), { device: Device.of(outcome.value) });
  }

  @Visible({ needs: 'device.transfer', of: 'arguments' })
  @Mutation(() => AcceptDeviceTransferResult, {
    description:
      'Takes an offered device into a space of yours. Its credentials so far are destroyed and it gets new ones; its readings from now on are yours, the earlier ones stay with its former owner. Safe to repeat with the same key.',
  })
  async acceptDeviceTransfer(
    @Arg('input', () => AcceptDeviceTransferInput, { description: 'The offer and the device’s new place.' })
    { transferId, buildingId, spaceId, name, idempotencyKey }: AcceptDeviceTransferInput,
    @Ctx() { services: { registry, gatewayHostName }, scope }: Context,
  ): Promise<AcceptDeviceTransferSuccess | UserError> {
    const input = { transferId, buildingId, spaceId, name: name ?? null };
    const outcome = await registry.acceptDeviceTransfer(scope, input, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new AcceptDeviceTransferSuccess(), receivedFields(outcome.value, gatewayHostName));
  }
}

@Resolver(() => Tenant)
export class TenantTransfersResolver {
  @Visible({ needs: 'device.transfer', of: 'parent' })
  @FieldResolver(() => DeviceTransferConnection, {
    nullable: true,
    description:
      'The devices that other tenants offer to this one, by name; null, with an error, where your role does not accept them.',
  })
  deviceTransfers(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<DeviceTransfer>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.deviceTransfers', arguments: [tenantId] },
      fetch: (options) => registry.deviceTransfers(scope, tenantId, options),
      toNode: DeviceTransfer.of,
    });
  }
}
