import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@InputType({ description: 'A device that is to be moved to another space.' })
export class MoveDeviceInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => ID, {
    nullable: true,
    description:
      'The building it is moved to, of the same tenant; null or left out for the one it stands in.',
  })
  buildingId?: string | null;

  @Field(() => ID, { description: 'The space of that building.' })
  spaceId!: string;
}

@ObjectType({ description: 'The device stands in its new space.' })
export class MoveDeviceSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;
}

export const MoveDeviceResult = createUnionType({
  name: 'MoveDeviceResult',
  description: 'The moved device, or why it is where it was.',
  types: () => [MoveDeviceSuccess, ...USER_ERROR_TYPES] as const,
});
