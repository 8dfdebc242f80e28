import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { JOB_KINDS, JOB_STATES, type JobKind as Kind, type JobState as State } from '../../domain/job';
import { type JobDocument } from '../../store/jobs/documents';
import { type IndexedRow } from '../../store/jobs/jobs';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES, UserError, userErrorOf } from '../user-error.type';

export const JobKind = Object.fromEntries(Object.keys(JOB_KINDS).map((kind) => [kind, kind])) as Record<
  Kind,
  Kind
>;
registerEnumType(JobKind, {
  name: 'JobKind',
  description: 'What a job does. Further kinds may come.',
  valuesConfig: {
    REGISTER_DEVICES: { description: 'Puts devices into a tenant’s stock, each with a claim code.' },
    PROVISION_DEVICES: { description: 'Provisions devices into spaces of a building.' },
    REPLAY_DEAD_LETTERS: { description: 'Judges dead letters again.' },
    EXPORT_READINGS: { description: 'Writes readings into files; a row is a stretch of time.' },
  },
});

export const JobState = Object.fromEntries(JOB_STATES.map((state) => [state, state])) as Record<State, State>;
registerEnumType(JobState, {
  name: 'JobState',
  description: 'How far a job is.',
  valuesConfig: {
    QUEUED: { description: 'Not begun: it waits for its turn.' },
    RUNNING: { description: 'Begun.' },
    SUCCEEDED: {
      description: 'Every row was worked off; rows may have been refused, see `failed` and `rows`.',
    },
    FAILED: {
      description: 'Broken off: `error` says why. The rows told in `rows` were worked off, the rest was not.',
    },
    CANCELLED: {
      description: 'Somebody ended it. The rows told in `rows` were worked off, the rest was not.',
    },
  },
});

export const JobRowOnly = { FAILED: 'FAILED' } as const;
export type JobRowOnly = keyof typeof JobRowOnly;
registerEnumType(JobRowOnly, {
  name: 'JobRowOnly',
  description: 'Which rows of a job.',
  valuesConfig: { FAILED: { description: 'Those that were refused.' } },
});

@ObjectType('JobError', { description: 'Why a job was broken off.' })
export class JobError {
  @Visible('with-parent')
  @Field({
    description:
      'A stable code: one of `UserErrorCode`, or `INTERNAL` for a fault of ours. Further codes may come.',
  })
  code!: string;

  @Visible('with-parent')
  @Field({ description: 'What was wrong, for people, in English.' })
  message!: string;
}

@ObjectType('Job', {
  implements: Node,
  description:
    'Work on many rows, done in the background with the rights that whoever started it has at the time. It can be asked for until seven days after its end.',
})
export class Job extends Node {
  @Visible('with-parent')
  @Field(() => JobKind, { description: 'What it does.' })
  kind!: Kind;

  @Visible('with-parent')
  @Field(() => JobState, { description: 'How far it is.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many rows it has.' })
  total!: number;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many rows were worked off, refused ones among them.' })
  done!: number;

  @Visible('with-parent')
  @Field(() => Int, { description: 'How many of the rows that were worked off were refused.' })
  failed!: number;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was asked for.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was begun; null while it waits.' })
  startedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it ended; null before.' })
  finishedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => JobError, { nullable: true, description: 'Why it was broken off; null unless it FAILED.' })
  error!: JobError | null;

  static of(document: JobDocument): Job {
    const { kind, state, total, done, failed, createdAt, startedAt, finishedAt, error } = document;
    return Object.assign(new Job(), {
      id: document.jobId,
      kind,
      state,
      total,
      done,
      failed,
      createdAt: new Date(createdAt),
      startedAt: startedAt === null ? null : new Date(startedAt),
      finishedAt: finishedAt === null ? null : new Date(finishedAt),
      error: error === null ? null : Object.assign(new JobError(), error),
    });
  }
}

@ObjectType('JobRowSecret', {
  description:
    'A secret that a row handed out. Asking for it shows it, once, to whoever started the job and nobody else: keep it.',
})
export class JobRowSecret {
  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Of a device that was registered: the code to claim it with, to be printed on it. Null where there is none, and where it is not shown.',
  })
  claimCode!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Of a device that was registered: what its QR code is to carry, `ATRIUM:1:<serial number>:<claim code>`. Null where there is none, and where it is not shown.',
  })
  claimText!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Of a device that was provisioned: what it needs to connect, in Azure IoT Hub’s form: `HostName=...;DeviceId=...;SharedAccessKey=...`. Null where there is none, and where it is not shown.',
  })
  connectionString!: string | null;

  @Visible('with-parent')
  @Field({ description: 'Whether the secret was shown at an earlier reading, and so is not now.' })
  secretsAlreadyShown!: boolean;
}

@ObjectType('JobRow', { description: 'What came of one row of a job.' })
export class JobRow {
  jobId!: string;
  source!: IndexedRow;

  @Visible('with-parent')
  @Field(() => Int, { description: 'Its place in the input, from 0.' })
  index!: number;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The device that it is about; null where the row was refused before there was one.',
  })
  deviceId!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The serial number that the row named; null where it named none.',
  })
  serialNumber!: string | null;

  @Visible('with-parent')
  @Field(() => UserError, { nullable: true, description: 'Why the row was refused; null where it was not.' })
  error!: UserError | null;

  static of(jobId: string, source: IndexedRow): JobRow {
    const { index, deviceId, serialNumber, error } = source;
    return Object.assign(new JobRow(), {
      jobId,
      source,
      index,
      deviceId,
      serialNumber,
      error: error === null ? null : userErrorOf(error),
    });
  }
}

export const JobConnection = connectionType(Job, 'Job', 'the jobs of a tenant');
export const JobRowConnection = connectionType(JobRow, 'JobRow', 'the rows of a job that were worked off');

@InputType({ description: 'A job that is to be ended.' })
export class CancelJobInput {
  @Field(() => ID, { description: 'The job.' })
  jobId!: string;
}

@ObjectType({ description: 'The job ends, or has ended.' })
export class CancelJobSuccess {
  @Visible('with-parent')
  @Field(() => Job, { description: 'The job as it is now: it may still be at a part of its rows.' })
  job!: Job;
}

export const CancelJobResult = createUnionType({
  name: 'CancelJobResult',
  description: 'The job that ends, or why it does not.',
  types: () => [CancelJobSuccess, ...USER_ERROR_TYPES] as const,
});
