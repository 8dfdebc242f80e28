import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { type DeviceState as State } from '../../domain/device';
import { type EnrollmentGroupDocument, type StockDocument } from '../../store/documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { DeviceState } from './device.type';

@ObjectType({ description: 'A device in its manufacturer’s stock, which nobody has claimed yet.' })
export class RegisteredDevice {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The device’s id, which it keeps for life.' })
  id!: string;

  @Visible('with-parent')
  @Field({ description: 'What its manufacturer printed on it.' })
  serialNumber!: string;

  @Visible('with-parent')
  @Field({ description: 'Its model.' })
  model!: string;

  @Visible('with-parent')
  @Field(() => DeviceState, { description: '`REGISTERED`, or `RETIRED` where it was taken out of stock.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The enrollment group whose keys its own were derived from; null where it has none yet.',
  })
  enrollmentGroupId!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was registered.' })
  createdAt!: Date;

  static of(document: StockDocument): RegisteredDevice {
    const { id, serialNumber, model, state, enrollmentGroupId, createdAt } = document;
    return Object.assign(new RegisteredDevice(), {
      id,
      serialNumber,
      model,
      state,
      enrollmentGroupId,
      createdAt: new Date(createdAt),
    });
  }
}

export const RegisteredDeviceConnection = connectionType(
  RegisteredDevice,
  'RegisteredDevice',
  'the devices in a manufacturer’s stock',
);

@InputType({ description: 'A device in stock that is to have a new claim code.' })
export class ReissueClaimCodeInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field({
    description:
      'Chosen by you, unique for this code: the same key makes no further code, for 24 hours, and shows none.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The device has a new claim code; the earlier one is void.' })
export class ReissueClaimCodeSuccess {
  @Visible('with-parent')
  @Field(() => RegisteredDevice, { description: 'The device.' })
  device!: RegisteredDevice;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The new claim code, shown this once; null when it was shown before.',
  })
  claimCode!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'What the device’s QR code is to carry: `ATRIUM:1:<serial number, URL-encoded>:<claim code>`. Shown this once; null when it was shown before.',
  })
  claimText!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the code was shown at an earlier call with the same idempotency key, and so is not now.',
  })
  secretsAlreadyShown!: boolean;
}

export const ReissueClaimCodeResult = createUnionType({
  name: 'ReissueClaimCodeResult',
  description: 'The new claim code, or why there is none.',
  types: () => [ReissueClaimCodeSuccess, ...USER_ERROR_TYPES] as const,
});

@InputType({ description: 'A device that is to be taken out of stock.' })
export class RetireRegisteredDeviceInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;
}

@ObjectType({ description: 'The device is out of stock for good.' })
export class RetireRegisteredDeviceSuccess {
  @Visible('with-parent')
  @Field(() => RegisteredDevice, { description: 'The device as it is now.' })
  device!: RegisteredDevice;
}

export const RetireRegisteredDeviceResult = createUnionType({
  name: 'RetireRegisteredDeviceResult',
  description: 'The device, or why it is still in stock.',
  types: () => [RetireRegisteredDeviceSuccess, ...USER_ERROR_TYPES] as const,
});

@ObjectType({
  description: 'Keys from which a manufacturer derives those of its devices, to burn them in at the factory.',
})
export class EnrollmentGroup {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The group’s id.' })
  id!: string;

  @Visible('with-parent')
  @Field({ description: 'What its people call it.' })
  name!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was created.' })
  createdAt!: Date;

  static of({ id, name, createdAt }: EnrollmentGroupDocument): EnrollmentGroup {
    return Object.assign(new EnrollmentGroup(), { id, name, createdAt: new Date(createdAt) });
  }
}

@InputType({ description: 'An enrollment group that is to be created.' })
export class CreateEnrollmentGroupInput {
  @Field(() => ID, { description: 'The manufacturer whose it is.' })
  tenantId!: string;

  @Field({ description: 'What people call it.' })
  name!: string;

  @Field({
    description:
      'Chosen by you, unique for this group: the same key with the same input gives the same group again, for 24 hours, without its keys.',
  })
  idempotencyKey!: string;
}

@ObjectType({
  description:
    'The group stands. A device’s keys are HMAC-SHA256 of its id under the group’s keys, as in Azure’s Device Provisioning Service.',
})
export class CreateEnrollmentGroupSuccess {
  @Visible('with-parent')
  @Field(() => EnrollmentGroup, { description: 'The group.' })
  enrollmentGroup!: EnrollmentGroup;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The primary key in base64. Shown this once: keep it. Null when it was shown before.',
  })
  primaryKey!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The secondary key in base64. Shown this once: keep it. Null when it was shown before.',
  })
  secondaryKey!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the keys were shown at an earlier call with the same idempotency key, and so are not now.',
  })
  secretsAlreadyShown!: boolean;
}

export const CreateEnrollmentGroupResult = createUnionType({
  name: 'CreateEnrollmentGroupResult',
  description: 'The group with its keys, or why there is none.',
  types: () => [CreateEnrollmentGroupSuccess, ...USER_ERROR_TYPES] as const,
});
