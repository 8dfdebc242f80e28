import { isFinished } from '../../domain/job';
import { type Cosmos } from '../cosmos';
import { inParallel } from '../in-parallel';
import { retrying } from '../store-error';
import {
  type JobDocument,
  jobKey,
  PENDING_KEY,
  type PendingDocument,
  placeId,
  PLACES_A_TENANT,
  UNFINISHED_JOB_SECONDS,
} from './documents';

/** Read at most for one look at the queue: entries, and the jobs of those whose turn it may be. */
const MAXIMUM_ENTRIES = 2_000;
const MAXIMUM_JOBS = 200;
const CONCURRENT_WRITES = 4;

/** A job that waits for a worker, as it was when the queue was looked at. */
export interface Waiting {
  job: JobDocument;
  entry: PendingDocument;
}

export interface QueueView {
  /** In the order in which they should be taken. */
  waiting: Waiting[];
  /** Those that a worker holds. */
  held: JobDocument[];
  /** Those that failed and are put off for a while. */
  putOff: JobDocument[];
  /** Jobs in the queue, held or not. */
  length: number;
}

/**
 * The jobs that are not finished, one small document each. A tenant has a fixed number of places, and a job takes one by
 * creating its document: so a tenant's bound holds however many ask at once, and nothing has to be counted.
 */
export interface JobQueue {
  /** The places that the tenant's jobs hold. */
  placesOf(tenantId: string): Promise<PendingDocument[]>;
  /** False where every place is taken. A job that holds one keeps it. */
  enter(job: JobDocument): Promise<boolean>;
  /** Round the tenants: first those with the fewest jobs under way, of each its oldest job. */
  look(now: number): Promise<QueueView>;
  leave(entry: PendingDocument): Promise<void>;
}

export function createJobQueue({ cosmos }: { cosmos: Cosmos }): JobQueue {
  const placesOf = (tenantId: string): Promise<PendingDocument[]> =>
    // ';' is the character after ':'.
    cosmos.query<PendingDocument>(
      'directory',
      PENDING_KEY,
      'SELECT * FROM c WHERE c.id >= @first AND c.id < @behind',
      { first: `${tenantId}:`, behind: `${tenantId};` },
    );

  async function leave({ id, _etag }: PendingDocument): Promise<void> {
    // By its etag: the place may be another job's by now.
    await retrying(() => cosmos.batch('directory', PENDING_KEY, [{ remove: id, etag: _etag! }]));
  }

  return {
    placesOf,
    leave,

    async enter(job) {
      for (;;) {
        const taken = await placesOf(job.tenantId);
        if (taken.some((each) => each.job.jobId === job.jobId)) return true;
        const ids = new Set(taken.map(({ id }) => id));
        const free = Array.from({ length: PLACES_A_TENANT }, (_, i) => placeId(job.tenantId, i)).find(
          (id) => !ids.has(id),
        );
        if (free === undefined) return false;
        const entry: PendingDocument = { id: free, key: PENDING_KEY, job, ttl: UNFINISHED_JOB_SECONDS };
        // Where another took the place meanwhile, or this very write did and its answer was lost, the next look tells.
        await retrying(() => cosmos.batch('directory', PENDING_KEY, [{ create: entry }]));
      }
    },

    async look(now) {
      const entries = await cosmos.query<PendingDocument>(
        'directory',
        PENDING_KEY,
        'SELECT * FROM c',
        {},
        { limit: MAXIMUM_ENTRIES },
      );
      const asked = roundTenants(entries, () => 0).slice(0, MAXIMUM_JOBS);
      const found = await cosmos.readMany<JobDocument>(
        'directory',
        asked.map(({ job }) => ({ partition: jobKey(job.jobId), id: 'job' })),
      );
      // What was broken off between its place and its document is finished from its entry.
      const jobs = await created(asked, found);
      const over = asked.filter((_, i) => isFinished(jobs[i]!.state));
      await inParallel(over, CONCURRENT_WRITES, leave);

      const underWay = new Map<string, number>();
      const waiting: Waiting[] = [];
      const held: JobDocument[] = [];
      const putOff: JobDocument[] = [];
      jobs.forEach((job, i) => {
        if (isFinished(job.state)) return;
        if (job.lease !== null && job.lease.until > now) {
          underWay.set(job.tenantId, (underWay.get(job.tenantId) ?? 0) + 1);
          held.push(job);
        } else if (job.notBefore === null || job.notBefore <= now) {
          waiting.push({ job, entry: asked[i]! });
        } else {
          putOff.push(job);
        }
      });
      return {
        waiting: roundTenants(waiting, (tenantId) => underWay.get(tenantId) ?? 0),
        held,
        putOff,
        length: entries.length - over.length,
      };
    },
  };

  async function created(
    entries: readonly PendingDocument[],
    found: readonly (JobDocument | null)[],
  ): Promise<JobDocument[]> {
    const jobs = [...found];
    const missing = entries.flatMap((_, i) => (found[i] ? [] : [i]));
    await inParallel(missing, CONCURRENT_WRITES, async (i) => {
      jobs[i] = await createdJob(cosmos, entries[i]!.job);
    });
    return jobs as JobDocument[];
  }
}

/** The job's document as it is, made where there is none. */
export async function createdJob(cosmos: Cosmos, job: JobDocument): Promise<JobDocument> {
  return retrying(async () => {
    const outcome = await cosmos.batch('directory', job.key, [{ create: job }]);
    if (outcome.ok) return { ...job, _etag: outcome.etags[0]! };
    const existing = await cosmos.read<JobDocument>('directory', job.key, 'job');
    // Null where it ended and expired between the two calls.
    if (!existing) throw Object.assign(new Error(`job ${job.jobId} came and went`), { code: 449 });
    return existing;
  });
}

/**
 * Every tenant's oldest, then every tenant's second, and so on; a tenant with `ahead` jobs under way comes that much
 * later. Of those whose turn is the same, who has waited longest is first.
 */
function roundTenants<T extends { job: JobDocument }>(
  items: readonly T[],
  ahead: (tenantId: string) => number,
): T[] {
  const turns = new Map<string, number>();
  return [...items]
    .sort((a, b) => a.job.createdAt - b.job.createdAt)
    .map((item) => {
      const { tenantId } = item.job;
      const turn = turns.get(tenantId) ?? ahead(tenantId);
      turns.set(tenantId, turn + 1);
      return { item, turn };
    })
    .sort((a, b) => a.turn - b.turn || a.item.job.waitingSince - b.item.job.waitingSince)
    .map(({ item }) => item);
}
