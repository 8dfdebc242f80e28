import { type JobKind } from '../../domain/job';
import { type Readiness } from '../../observability/health';
import { explain } from '../../observability/logger';
import { createPauses } from '../pauses';
import { type JobMetrics } from './metrics';
import { type QueueView, type Waiting } from './queue';
import { createJobWork, type JobWorkOptions } from './work';

/** Takes jobs from the queue and works them off, several at a time. */
export interface JobRunner {
  start(): Promise<void>;
  /** Takes nothing new; resolves when the chunks under way are done and their jobs given back. */
  stop(): Promise<void>;
  readiness(): Readiness;
}

const LOOK_MS = 1_000;
const AT_ONCE = 4;
/** After this long a job makes room where a tenant waits that has less under way. */
const SLICE_MS = 10_000;
const UNREADY_AFTER_MS = 10_000;

export function createJobRunner(
  options: Omit<JobWorkOptions, 'onChunk'> & {
    metrics: JobMetrics;
    /** Jobs at a time. Default 4. */
    atOnce?: number;
    /** Default 1 s. */
    lookMs?: number;
    /** Default 10 s. */
    sliceMs?: number;
  },
): JobRunner {
  const { queue, handlers, metrics, logger } = options;
  const { atOnce = AT_ONCE, lookMs = LOOK_MS, sliceMs = SLICE_MS } = options;
  const work = createJobWork({
    ...options,
    onChunk({ kind, rows, failed, seconds }) {
      metrics.rows.inc({ kind, outcome: 'done' }, rows - failed);
      metrics.rows.inc({ kind, outcome: 'refused' }, failed);
      metrics.chunkSeconds.observe({ kind }, seconds);
    },
  });
  const inHand = new Map<string, { tenantId: string; done: Promise<void> }>();
  let stopping = false;
  let lookedAt = -Infinity;
  let waitingTenants = new Set<string>();
  let loop: Promise<void> | undefined;
  const pauses = createPauses();

  async function take(waiting: Waiting): Promise<void> {
    const job = await work.take(waiting);
    if (!job) return;
    const { jobId, tenantId, kind } = job;
    const sliceEnds = Date.now() + sliceMs;
    const until = {
      stopping: () => stopping,
      othersWait: () =>
        Date.now() > sliceEnds && [...waitingTenants].some((each) => each !== tenantId) && isFull(),
    };
    const done = work
      .run(waiting, job, until)
      .then(
        (outcome) => {
          metrics.ended.inc({ kind, outcome });
          logger.info({ jobId, tenantId, kind, outcome }, 'a job left this worker');
        },
        (error: unknown) => {
          metrics.ended.inc({ kind, outcome: 'left' });
          logger.warn({ jobId, tenantId, kind, error: explain(error) }, 'a job was left');
        },
      )
      .finally(() => {
        inHand.delete(jobId);
        metrics.running.set(inHand.size);
        // The next may begin at once.
        pauses.wake();
      });
    inHand.set(jobId, { tenantId, done });
    metrics.running.set(inHand.size);
  }

  const isFull = (): boolean => inHand.size >= atOnce;

  async function look(): Promise<void> {
    const askedAt = Date.now();
    const view: QueueView = await queue.look(askedAt);
    lookedAt = askedAt;
    metrics.queued.set(view.length);
    // A kind that this release does not know is another's.
    const able = view.waiting.filter(
      ({ job }) => handlers[job.kind satisfies JobKind] && !inHand.has(job.jobId),
    );
    const busy = new Set([...inHand.values()].map(({ tenantId }) => tenantId));
    waitingTenants = new Set(able.map(({ job }) => job.tenantId).filter((tenantId) => !busy.has(tenantId)));
    for (const each of able) {
      if (isFull() || stopping) break;
      await take(each);
    }
  }

  async function run(first: () => void): Promise<void> {
    while (!stopping) {
      try {
        await look();
      } catch (error) {
        metrics.looks.inc();
        logger.warn({ error: explain(error) }, 'the queue of jobs cannot be read');
      }
      first();
      if (!stopping) await pauses.pause(lookMs * (0.75 + Math.random() / 2));
    }
  }

  return {
    start: () =>
      new Promise((resolve) => {
        loop ??= run(resolve);
      }),
    async stop() {
      stopping = true;
      pauses.wake();
      await loop;
      await Promise.all([...inHand.values()].map(({ done }) => done));
    },
    readiness() {
      if (Date.now() - lookedAt <= UNREADY_AFTER_MS) return { ready: true, reasons: [] };
      return { ready: false, reasons: ['the queue of jobs could not be read lately'] };
    },
  };
}
