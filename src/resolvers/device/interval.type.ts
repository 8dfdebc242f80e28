import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@InputType({ description: 'How often a device is expected to send.' })
export class SetDeviceIntervalInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => Int, {
    nullable: true,
    description: 'In seconds, 1 to 604,800 (a week). Null or left out for what is usual, a minute.',
  })
  intervalSeconds?: number | null;
}

@ObjectType({ description: 'The device counts as silent by the new interval from now on.' })
export class SetDeviceIntervalSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;
}

export const SetDeviceIntervalResult = createUnionType({
  name: 'SetDeviceIntervalResult',
  description: 'The device, or why it is not changed.',
  types: () => [SetDeviceIntervalSuccess, ...USER_ERROR_TYPES] as const,
});
