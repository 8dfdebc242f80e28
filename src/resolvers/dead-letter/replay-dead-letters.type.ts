import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { MAXIMUM_JOB_ROWS } from '../../domain/job';
import { type RefusalCode as Code } from '../../domain/reading';
import { Job } from '../job/job.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { RefusalCode } from './dead-letter.type';

@InputType({ description: 'Which dead letters: those that fit all that is given.' })
export class ReplayFilterInput {
  @Field(() => [ID], {
    nullable: true,
    description: `Just these, at most ${MAXIMUM_JOB_ROWS.toLocaleString('en')}.`,
  })
  ids?: string[] | null;

  @Field(() => RefusalCode, { nullable: true, description: 'Those refused for this reason.' })
  code?: Code | null;

  @Field(() => ID, { nullable: true, description: 'Those of this device.' })
  deviceId?: string | null;

  @Field(() => DateTime, { nullable: true, description: 'Those received at or after this instant.' })
  from?: Date | null;

  @Field(() => DateTime, { nullable: true, description: 'Those received before this instant.' })
  to?: Date | null;
}

@InputType({
  description: 'Dead letters that are to be judged again. Give a building or a tenant, not both.',
})
export class ReplayDeadLettersInput {
  @Field(() => ID, { nullable: true, description: 'The building that lists them.' })
  buildingId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: 'The tenant that lists them, for those of devices without a place.',
  })
  tenantId?: string | null;

  @Field(() => ReplayFilterInput, { nullable: true, description: 'Left out, all of them.' })
  filter?: ReplayFilterInput | null;

  @Field({
    description:
      'Chosen by you, unique for this replay: the same key with the same input gives the same job again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The dead letters are being judged again.' })
export class ReplayDeadLettersSuccess {
  @Visible('with-parent')
  @Field(() => Job, {
    description:
      'Has a row a letter, oldest first; a letter that was refused again is a refused row, and its `replay` says why.',
  })
  job!: Job;
}

export const ReplayDeadLettersResult = createUnionType({
  name: 'ReplayDeadLettersResult',
  description: 'The job that judges them, or why there is none.',
  types: () => [ReplayDeadLettersSuccess, ...USER_ERROR_TYPES] as const,
});
