import { chunkOf, type JobState, rowsAChunk } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { retrying } from '../store-error';
import { entryOf } from './creation';
import { FINISHED_JOB_SECONDS, inputId, type JobDocument, type PendingDocument } from './documents';
import { type JobQueue } from './queue';

/** The document of a job that ends: what it could hand out more with is destroyed. */
export function ended(
  job: JobDocument,
  state: Extract<JobState, 'SUCCEEDED' | 'FAILED' | 'CANCELLED'>,
  error: JobDocument['error'],
): JobDocument {
  return {
    ...job,
    state,
    error,
    finishedAt: Date.now(),
    seed: null,
    lease: null,
    notBefore: null,
    ttl: FINISHED_JOB_SECONDS,
  };
}

/**
 * Tidies up behind a job that has ended: its place is free, the input that was not worked off goes, and its name in the
 * listing lives as long as it does. What is broken off here the queue's next look finishes, or expires.
 */
export async function settle(
  { cosmos, queue }: { cosmos: Cosmos; queue: JobQueue },
  job: JobDocument,
  entry: PendingDocument | null,
): Promise<void> {
  if (entry) await queue.leave(entry);
  await cosmos.bulkUpsert('directory', [entryOf(job, FINISHED_JOB_SECONDS)]);
  if (job.done >= job.total) return;
  const chunks = Array.from({ length: chunkOf(job.kind, job.total - 1) + 1 }, (_, chunk) => chunk);
  const left = chunks
    .slice(Math.ceil(job.done / rowsAChunk(job.kind)))
    .map((chunk) => ({ remove: inputId(chunk) }));
  await retrying(() => cosmos.batch('directory', job.key, left));
}
