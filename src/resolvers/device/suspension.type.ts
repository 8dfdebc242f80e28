import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Device } from './device.type';

@InputType({ description: 'A device that is to be suspended.' })
export class SuspendDeviceInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Why, for those who look at it later: at most 500 characters. Null or left out for none.',
  })
  reason?: string | null;
}

@ObjectType({ description: 'The device may not send until it is resumed.' })
export class SuspendDeviceSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now.' })
  device!: Device;
}

export const SuspendDeviceResult = createUnionType({
  name: 'SuspendDeviceResult',
  description: 'The suspended device, or why it is not.',
  types: () => [SuspendDeviceSuccess, ...USER_ERROR_TYPES] as const,
});

@InputType({ description: 'A suspended device that is to go on.' })
export class ResumeDeviceInput {
  @Field(() => ID, { description: 'The device.' })
  deviceId!: string;
}

@ObjectType({ description: 'The device may send again, with the credentials that it has.' })
export class ResumeDeviceSuccess {
  @Visible('with-parent')
  @Field(() => Device, { description: 'The device as it is now: as it was before it was suspended.' })
  device!: Device;
}

export const ResumeDeviceResult = createUnionType({
  name: 'ResumeDeviceResult',
  description: 'The device in service, or why it is not.',
  types: () => [ResumeDeviceSuccess, ...USER_ERROR_TYPES] as const,
});
