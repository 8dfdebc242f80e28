import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';

@ObjectType({ description: 'The job is in the queue.' })
export class ProvisionDevicesJobSuccess {
  @Visible('with-parent')
  @Field(() => Job, { description: 'The job: its rows are the devices, in the order of the input.' })
  job!: Job;
}

export const ProvisionDevicesJobResult = createUnionType({
  name: 'ProvisionDevicesJobResult',
  description: 'The job that provisions the devices, or why there is none.',
  types: () => [ProvisionDevicesJobSuccess, ...USER_ERROR_TYPES] as const,
});
