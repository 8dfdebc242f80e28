import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type TransferEntryDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';
import { IDEMPOTENCY_KEY, Received } from './received.type';

export const LONGEST_OFFER_HOURS = 720;

@ObjectType({ description: 'A device that another tenant offers to yours.' })
export class DeviceTransfer {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The offer’s id, to accept it by.' })
  id!: string;

  @Visible('with-parent')
  @Field({ description: 'Who offers it: the name of the tenant.' })
  offeredBy!: string;

  @Visible('with-parent')
  @Field({ description: 'What its owner calls it.' })
  deviceName!: string;

  @Visible('with-parent')
  @Field({ description: 'Its model.' })
  model!: string;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'What its manufacturer printed on it; null where none was given.',
  })
  serialNumber!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was offered.' })
  offeredAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'From when on it can no longer be accepted.' })
  expiresAt!: Date;

  static of(document: TransferEntryDocument): DeviceTransfer {
    return Object.assign(new DeviceTransfer(), {
      id: document.id,
      offeredBy: document.fromName,
      deviceName: document.deviceName,
      model: document.model,
      serialNumber: document.serialNumber,
      offeredAt: new Date(document.at),
      expiresAt: new Date(document.expiresAt),
    });
  }
}

export const DeviceTransferConnection = connectionType(
  DeviceTransfer,
  'DeviceTransfer',
  'the devices that a tenant is offered',
);

@InputType({ description: 'A device that is to be offered to another tenant.' })
export class OfferDeviceTransferInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => ID, {
    description: 'The tenant it is offered to. Whether there is such a tenant, you are not told.',
  })
  toTenantId!: string;

  @Field(() => Int, { description: `For how long the offer stands, in hours: 1 to ${LONGEST_OFFER_HOURS}.` })
  expiresInHours!: number;
}

@ObjectType({ description: 'The device is offered.' })
export class OfferDeviceTransferSuccess {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The offer’s id.' })
  transferId!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'From when on the offer can no longer be accepted.' })
  expiresAt!: Date;

  @Visible('with-parent')
  @Field(() => Device, { description: 'The device, which is yours until the offer is accepted.' })
  device!: Device;
}

export const OfferDeviceTransferResult = createUnionType({
  name: 'OfferDeviceTransferResult',
  description: 'The offer, or why there is none.',
  types: () => [OfferDeviceTransferSuccess, ...USER_ERROR_TYPES] as const,
});

@InputType({ description: 'A device whose offer is to be taken back.' })
export class WithdrawDeviceTransferInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;
}

@ObjectType({ description: 'The device is offered to nobody.' })
export class WithdrawDeviceTransferSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device.' })
  device!: Device;
}

export const WithdrawDeviceTransferResult = createUnionType({
  name: 'WithdrawDeviceTransferResult',
  description: 'The device, or why its offer could not be taken back.',
  types: () => [WithdrawDeviceTransferSuccess, ...USER_ERROR_TYPES] as const,
});

@InputType({ description: 'An offered device that is to be accepted into a space.' })
export class AcceptDeviceTransferInput {
  @Field(() => ID, { description: 'The offer’s id.' })
  transferId!: string;

  @Field(() => ID, { description: 'The building it is put into, of the tenant it was offered to.' })
  buildingId!: string;

  @Field(() => ID, { description: 'The space of the building that it stands in.' })
  spaceId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'What people will call it; null or left out: as its former owner calls it.',
  })
  name?: string | null;

  @Field({ description: IDEMPOTENCY_KEY })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The device is yours and may connect with its new credentials.' })
export class AcceptDeviceTransferSuccess extends Received {}

export const AcceptDeviceTransferResult = createUnionType({
  name: 'AcceptDeviceTransferResult',
  description: 'The device with its new credentials, or why it is not yours.',
  types: () => [AcceptDeviceTransferSuccess, ...USER_ERROR_TYPES] as const,
});
