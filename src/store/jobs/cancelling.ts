import { isFinished } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { notFound, refused } from '../registry/access';
import { retrying } from '../store-error';
import { ended, settle } from './ending';
import { type Jobs } from './jobs';
import { type JobQueue } from './queue';

const MAXIMUM_RACES = 50;

/**
 * Cancels jobs. One that no worker has begun ends at once; of one that is under way the worker is asked to end it after
 * the chunk that it is at, so that nothing is done to a row without its being told.
 */
export function createJobCancelling({
  cosmos,
  queue,
  byId,
}: {
  cosmos: Cosmos;
  queue: JobQueue;
  byId: Jobs['byId'];
}): Pick<Jobs, 'cancel'> {
  return {
    async cancel(scope, jobId) {
      for (let race = 0; race < MAXIMUM_RACES; race++) {
        const job = await byId(scope, jobId);
        if (!job) return notFound('job', jobId, 'jobId');
        if (isFinished(job.state) || job.cancelRequested) return { ok: true, value: job };
        const asked = { ...job, cancelRequested: { by: scope.principal.id, at: Date.now() } };
        const next = job.lease === null ? ended(asked, 'CANCELLED', null) : asked;
        const outcome = await retrying(() =>
          cosmos.batch('directory', job.key, [{ replace: next, etag: job._etag! }]),
        );
        if (!outcome.ok) continue;
        if (isFinished(next.state)) {
          const places = await queue.placesOf(job.tenantId);
          await settle({ cosmos, queue }, next, places.find((each) => each.job.jobId === jobId) ?? null);
        }
        return { ok: true, value: next };
      }
      return refused('CONFLICT', `job ${jobId} is being changed by others: try again`);
    },
  };
}
