import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@InputType({ description: 'A device and the field gateway that is to relay for it.' })
export class SetDeviceParentInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'The field gateway: another device in the same building that has no parent itself. Null or left out for none.',
  })
  parentId?: string | null;
}

@ObjectType({ description: 'The field gateway may relay for the device, and no other may.' })
export class SetDeviceParentSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;
}

export const SetDeviceParentResult = createUnionType({
  name: 'SetDeviceParentResult',
  description: 'The device with its field gateway, or why it is not changed.',
  types: () => [SetDeviceParentSuccess, ...USER_ERROR_TYPES] as const,
});
