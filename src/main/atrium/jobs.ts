import { createJobQueue } from '../../store/jobs/queue';
import { type Command } from './command';
import { openStore } from './store';

/** Lists the jobs of all tenants that are not finished. */
export const jobs: Command = {
  name: 'jobs',
  summary: 'lists the jobs that are not finished: waiting ones in the order in which they will be taken',
  async run(_args, say) {
    const { cosmos } = openStore();
    try {
      const { waiting, held, putOff, length } = await createJobQueue({ cosmos }).look(Date.now());
      const all = [
        ...held.map((job) => ({ job, standing: `held by ${job.lease!.worker}` })),
        ...waiting.map(({ job }) => ({ job, standing: 'waiting' })),
        ...putOff.map((job) => ({
          job,
          standing: `failed ${job.attempts} times, next try ${new Date(job.notBefore!).toISOString()}`,
        })),
      ];
      for (const { job, standing } of all) {
        const rows = `${job.done} of ${job.total} rows, ${job.failed} refused`;
        say(`${job.jobId}  ${job.tenantId}  ${job.kind}  ${job.state}  ${rows}  ${standing}`);
      }
      say(length === 0 ? 'no job is waiting or under way' : `${all.length} of ${length} jobs`);
    } finally {
      cosmos.stop();
    }
  },
};
