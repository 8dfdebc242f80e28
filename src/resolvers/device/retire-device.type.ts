import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@InputType({ description: 'A device that is to be retired.' })
export class RetireDeviceInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;
}

@ObjectType({ description: 'The device is out of service for good.' })
export class RetireDeviceSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;
}

export const RetireDeviceResult = createUnionType({
  name: 'RetireDeviceResult',
  description: 'The retired device, or why it is not.',
  types: () => [RetireDeviceSuccess, ...USER_ERROR_TYPES] as const,
});
