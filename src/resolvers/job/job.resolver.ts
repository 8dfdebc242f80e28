import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { claimTextOf } from '../../store/registry/claim-code';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { loadDevice } from '../device/device.resolver';
import { Device } from '../device/device.type';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  CancelJobInput,
  CancelJobResult,
  CancelJobSuccess,
  Job,
  JobConnection,
  JobRow,
  JobRowConnection,
  JobRowOnly,
  JobRowSecret,
} from './job.type';

@Resolver(() => Job)
export class JobResolver {
  @Visible('signed-in')
  @Query(() => Job, {
    nullable: true,
    description: 'A job by its id; null where there is none or it is not yours to see.',
  })
  job(
    @Arg('id', () => ID, { description: 'The job’s id.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Job | null> {
    return loadJob(context, id);
  }

  @Visible('with-parent')
  @FieldResolver(() => JobRowConnection, {
    description: 'What came of the rows that were worked off so far, in the order of the input.',
  })
  rows(
    @Root() { id }: Job,
    @Args(() => PageArguments) page: PageArguments,
    @Arg('only', () => JobRowOnly, { nullable: true, description: 'Left out, all of them.' })
    only: JobRowOnly | null | undefined,
    @Ctx() { services: { jobs, cursors }, scope, principal }: Context,
  ): Promise<Connection<JobRow>> {
    const failedOnly = only === 'FAILED';
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Job.rows', arguments: [id, only] },
      fetch: ({ first, after }) => jobs.rows(scope, id, { first, after, failedOnly }),
      toNode: (row) => JobRow.of(id, row),
    });
  }

  @Visible('signed-in')
  @Mutation(() => CancelJobResult, {
    description:
      'Ends a job: rows that are being worked off are finished, the rest is left undone. A job that has ended stays as it is.',
  })
  async cancelJob(
    @Arg('input', () => CancelJobInput, { description: 'The job.' }) { jobId }: CancelJobInput,
    @Ctx() { services: { jobs }, scope }: Context,
  ): Promise<CancelJobSuccess | UserError> {
    const outcome = await jobs.cancel(scope, jobId);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new CancelJobSuccess(), { job: Job.of(outcome.value) });
  }
}

@Resolver(() => JobRow)
export class JobRowResolver {
  @Visible('with-parent')
  @FieldResolver(() => Device, {
    nullable: true,
    description:
      'The device that it is about; null where there is none, it is still in stock, or it is not yours to see.',
  })
  async device(@Root() { deviceId }: JobRow, @Ctx() context: Context): Promise<Device | null> {
    return deviceId === null ? null : loadDevice(context, deviceId);
  }

  @Visible('with-parent')
  @FieldResolver(() => JobRowSecret, {
    nullable: true,
    description:
      'What the row handed out; null where it handed out nothing. Asking for it shows it to whoever started the job, once.',
  })
  async secret(
    @Root() { jobId, source: { index, secret, serialNumber, deviceId } }: JobRow,
    @Ctx() { loaders, services: { gatewayHostName } }: Context,
  ): Promise<JobRowSecret | null> {
    if (secret === null) return null;
    const revealed = await loaders.jobSecret.load({ jobId, index });
    const text = revealed.shown ? revealed.text : null;
    const claimCode = secret.what === 'CLAIM_CODE' ? text : null;
    const key = secret.what === 'DEVICE_KEY' ? text : null;
    return Object.assign(new JobRowSecret(), {
      claimCode,
      claimText: claimCode === null ? null : claimTextOf(serialNumber!, claimCode),
      connectionString:
        key === null ? null : `HostName=${gatewayHostName};DeviceId=${deviceId};SharedAccessKey=${key}`,
      secretsAlreadyShown: !revealed.shown && revealed.alreadyShown,
    });
  }
}

@Resolver(() => Tenant)
export class TenantJobsResolver {
  @Visible('with-parent')
  @FieldResolver(() => JobConnection, {
    description: 'Its jobs that you may see, the newest first: of the kinds that you may start.',
  })
  jobs(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { jobs, cursors }, scope, principal }: Context,
  ): Promise<Connection<Job>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.jobs', arguments: [tenantId] },
      fetch: (options) => jobs.ofTenant(scope, tenantId, options),
      toNode: Job.of,
    });
  }
}

export async function loadJob({ services: { jobs }, scope }: Context, id: string): Promise<Job | null> {
  const document = await jobs.byId(scope, id);
  return document === null ? null : Job.of(document);
}
