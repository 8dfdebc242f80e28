import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { DEVICE_MODELS } from '../../domain/device';
import { MAXIMUM_JOB_ROWS } from '../../domain/job';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';

@InputType({ description: 'A device that is to be registered.' })
export class RegisteredDeviceInput {
  @Field({ description: 'What is printed on it, unique per manufacturer.' })
  serialNumber!: string;

  @Field({
    description: `Its model, which says what it measures: ${DEVICE_MODELS.map((model) => `\`${model.name}\``).join(', ')}.`,
  })
  model!: string;
}

@InputType({ description: 'Devices that are to be put into a tenant’s stock.' })
export class RegisterDevicesInput {
  @Field(() => ID, { description: 'The tenant that makes or sells them.' })
  tenantId!: string;

  @Field(() => [RegisteredDeviceInput], {
    description: `The devices, 1 to ${MAXIMUM_JOB_ROWS.toLocaleString('en')}.`,
  })
  devices!: RegisteredDeviceInput[];

  @Field(() => ID, {
    nullable: true,
    description:
      'The enrollment group whose keys theirs were derived from in the factory; null or left out where each gets its keys when it is claimed.',
  })
  enrollmentGroupId?: string | null;

  @Field({
    description:
      'Chosen by you, unique for these devices: the same key with the same input gives the same job again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The job is in the queue.' })
export class RegisterDevicesSuccess {
  @Visible('with-parent')
  @Field(() => Job, { description: 'The job: its rows are the devices, in the order of the input.' })
  job!: Job;
}

export const RegisterDevicesResult = createUnionType({
  name: 'RegisterDevicesResult',
  description: 'The job that registers the devices, or why there is none.',
  types: () => [RegisterDevicesSuccess, ...USER_ERROR_TYPES] as const,
});
