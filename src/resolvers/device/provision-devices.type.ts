import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { DEVICE_MODELS } from '../../domain/device';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

export const MAXIMUM_DEVICES_A_CALL = 10_000;

@InputType({ description: 'A device that is to be provisioned.' })
export class NewDeviceInput {
  @Field({ description: 'What people call it.' })
  name!: string;

  @Field({
    description: `Its model, which says what it measures: ${DEVICE_MODELS.map((model) => `\`${model.name}\``).join(', ')}.`,
  })
  model!: string;

  @Field(() => ID, { description: 'The space of the building that it stands in.' })
  spaceId!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'What its manufacturer printed on it, unique per manufacturer; null or left out where there is none.',
  })
  serialNumber?: string | null;
}

@InputType({ description: 'Devices that are to be provisioned into a building.' })
export class ProvisionDevicesInput {
  @Field(() => ID, { description: 'The building they stand in.' })
  buildingId!: string;

  @Field(() => [NewDeviceInput], {
    description: `The devices, 1 to ${MAXIMUM_DEVICES_A_CALL.toLocaleString('en')}.`,
  })
  devices!: NewDeviceInput[];

  @Field({
    description:
      'Chosen by you, unique for these devices: the same key with the same input gives the same devices again, for 24 hours, without their secrets.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'A device and its credentials.' })
export class ProvisionedDevice {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The new device.' })
  device!: Device;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'What the device needs to connect, in Azure IoT Hub’s form: `HostName=...;DeviceId=...;SharedAccessKey=...`. Shown this once: keep it. Null when it was shown before.',
  })
  connectionString!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the secret was shown at an earlier call with the same idempotency key, and so is not now.',
  })
  secretsAlreadyShown!: boolean;
}

@ObjectType({ description: 'The devices may connect.' })
export class ProvisionDevicesSuccess {
  @Visible('with-parent')
  @Field(() => [ProvisionedDevice], { description: 'The devices, in the order of the input.' })
  devices!: ProvisionedDevice[];
}

export const ProvisionDevicesResult = createUnionType({
  name: 'ProvisionDevicesResult',
  description: 'The new devices with their credentials, or why there are none.',
  types: () => [ProvisionDevicesSuccess, ...USER_ERROR_TYPES] as const,
});
