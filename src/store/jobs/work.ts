import { createHmac } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Principal } from '../../auth/principal';
import { tenantScope } from '../../auth/scope';
import { chunkOf, firstRowOf, isFinished } from '../../domain/job';
import { explain, type Logger } from '../../observability/logger';
import { type Change, type Cosmos } from '../cosmos';
import { type Keyring } from '../keyring';
import { type Registry } from '../registry';
import { isTransient, retrying } from '../store-error';
import {
  inputId,
  type JobDocument,
  type JobInputDocument,
  type JobNoteDocument,
  type JobRowsDocument,
  noteId,
  rowName,
  rowsId,
  UNFINISHED_JOB_SECONDS,
} from './documents';
import { ended, settle } from './ending';
import { type ChunkWork, type JobHandlers, type RowResult } from './handler';
import { maySee } from './listing';
import { type JobQueue, type Waiting } from './queue';

/** How long a worker that says nothing is believed to live: with a look a second another takes over within 12 s. */
const LEASE_MS = 10_000;
/** A lease is renewed three times before it ends. */
const RENEWALS_A_LEASE = 3;
/** Tries of one chunk, by whoever. */
const MAXIMUM_ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
const OUTAGE_PAUSE_MS = 500;
const SECRET_BYTES = 16;

/** How a worker's time with a job ended. */
export type Parting =
  'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'given back' | 'put off' | 'taken by another' | 'left';

/** What ends a worker's time with a job after a chunk, though the job has not ended. */
export interface Until {
  /** The process is about to end. */
  stopping(): boolean;
  /** It had its time, and others wait that had less. */
  othersWait(): boolean;
}

export interface JobWorkOptions {
  cosmos: Cosmos;
  keyring: Keyring;
  registry: Pick<Registry, 'memberships'>;
  queue: JobQueue;
  handlers: JobHandlers;
  worker: string;
  logger: Logger;
  /** Default 10 s. */
  leaseMs?: number;
  onChunk?: (done: { kind: string; rows: number; failed: number; seconds: number }) => void;
}

/**
 * One job in the hands of this worker.
 *
 * A chunk's results, its progress and the lease stand in one transactional batch under the job's etag. So what was
 * worked off is told exactly once: a worker whose job was taken from it has its batch refused, whatever it still
 * believes, and the other finds done what it did.
 */
export function createJobWork(options: JobWorkOptions) {
  const { cosmos, keyring, registry, queue, handlers, worker, logger, leaseMs = LEASE_MS } = options;

  /** Null where another was quicker. */
  async function take({ job }: Waiting): Promise<JobDocument | null> {
    const now = Date.now();
    const taken: JobDocument = {
      ...job,
      state: 'RUNNING',
      startedAt: job.startedAt ?? now,
      lease: { worker, until: now + leaseMs },
      // A lease that was not given back: its worker died over this chunk, perhaps because of it.
      attempts: job.attempts + (job.lease === null ? 0 : 1),
      notBefore: null,
    };
    const outcome = await cosmos.batch('directory', job.key, [{ replace: taken, etag: job._etag! }]);
    return outcome.ok ? { ...taken, _etag: outcome.etags[0]! } : null;
  }

  /** Runs the job until it ends, or until after a chunk it is to be given back. Throws only where the store is away. */
  async function run(waiting: Waiting, first: JobDocument, until: Until): Promise<Parting> {
    const log = logger.child({ jobId: first.jobId, kind: first.kind });
    let job = first;
    // Whoever died over a chunk may have done some of it: its results are told before anything else is decided.
    let interrupted = waiting.job.lease !== null;

    /** Writes what follows from the job as it is, or answers false where it is another worker's by now. */
    async function write(
      next: (current: JobDocument) => JobDocument,
      more: readonly Change[] = [],
    ): Promise<boolean> {
      for (;;) {
        const wanted = next(job);
        const outcome = await cosmos.batch('directory', job.key, [
          { replace: wanted, etag: job._etag! },
          ...more,
        ]);
        if (outcome.ok) {
          job = { ...wanted, _etag: outcome.etags[0]! };
          return true;
        }
        const current = await cosmos.read<JobDocument>('directory', job.key, 'job');
        if (!current || (current.lease?.worker ?? worker) !== worker) return false;
        // It was this very write, whose answer was lost.
        const written = current.done === wanted.done && current.state === wanted.state;
        if (written && (wanted.done !== job.done || isFinished(wanted.state))) {
          job = current;
          return true;
        }
        // Only its cancelling changes a job under its worker, and it leaves the lease as it is.
        if (current.lease === null || current.done !== job.done) return false;
        // Not the job was refused, but what was to be written with it: its input expired a moment ago.
        if (current._etag === job._etag)
          throw new Error(`a batch of job ${job.jobId} was refused: ${outcome.why}`);
        job = current;
      }
    }

    /** Waits out a store that is away; ends early when this process does. */
    async function patiently(step: () => Promise<boolean>): Promise<boolean> {
      for (;;) {
        try {
          return await step();
        } catch (error) {
          if (!isTransient(error) || until.stopping()) throw error;
          await delay(OUTAGE_PAUSE_MS * (0.5 + Math.random()));
        }
      }
    }

    async function end(
      state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED',
      error: JobDocument['error'],
    ): Promise<Parting> {
      if (!(await patiently(() => write((current) => ended(current, state, error)))))
        return 'taken by another';
      await settle({ cosmos, queue }, job, waiting.entry).catch((error: unknown) => {
        // The job has ended all the same: the queue's next look frees its place, the rest expires.
        log.warn({ error: explain(error) }, 'could not tidy up behind a job');
      });
      return state;
    }

    const lease = (): JobDocument['lease'] => ({ worker, until: Date.now() + leaseMs });

    async function withLease<T>(work: () => Promise<T>): Promise<T> {
      const over = new AbortController();
      const renewing = (async () => {
        while (!over.signal.aborted) {
          await delay(leaseMs / RENEWALS_A_LEASE, undefined, { signal: over.signal });
          await write((current) => ({ ...current, lease: lease() })).catch((error: unknown) => {
            log.warn({ error: explain(error) }, 'the lease of a job cannot be renewed');
          });
        }
      })().catch(() => undefined);
      try {
        return await work();
      } finally {
        over.abort();
        // No two writes of this worker race.
        await renewing;
      }
    }

    for (;;) {
      if (job.attempts >= MAXIMUM_ATTEMPTS) {
        return end('FAILED', {
          code: 'INTERNAL',
          message: `rows from ${job.done} on could not be worked off in ${MAXIMUM_ATTEMPTS} tries`,
        });
      }
      if (job.cancelRequested && !interrupted) return end('CANCELLED', null);
      if (job.done >= job.total) return end('SUCCEEDED', null);
      const chunk = chunkOf(job.kind, job.done);
      const startedAt = performance.now();
      try {
        const entitlements = await registry.memberships(job.principal.id);
        const scope = tenantScope(principalOf(job, Date.now() + leaseMs), entitlements, job.origin);
        if (!maySee(scope, job)) {
          const message = 'whoever started the job has no longer the right that it needs';
          return await end('FAILED', { code: 'FORBIDDEN', message });
        }
        const input = await cosmos.read<JobInputDocument>('directory', job.key, inputId(chunk));
        if (!input || job.seed === null) {
          const current = await cosmos.read<JobDocument>('directory', job.key, 'job');
          if (!current || isFinished(current.state) || current.done !== job.done) return 'taken by another';
          return await end('FAILED', { code: 'INTERNAL', message: 'its input has expired' });
        }
        const seed = keyring.open(job.jobId, job.seed);
        const outcome = await withLease(() =>
          handlers[job.kind]!({
            job,
            chunk,
            firstRow: firstRowOf(job.kind, chunk),
            rows: input.rows,
            scope,
            attempt: `${job.jobId}/${chunk}`,
            secretOf: (index) =>
              createHmac('sha256', seed).update(String(index)).digest().subarray(0, SECRET_BYTES),
            ...notesOf(job.key, chunk),
          }),
        );
        if (!outcome.ok) {
          const { code, message } = outcome.refusal;
          return await end('FAILED', { code, message });
        }
        const results = outcome.value;
        if (results.length !== input.rows.length) {
          throw new Error(`${input.rows.length} rows were given and ${results.length} results came back`);
        }
        const failed = results.filter(({ error }) => error !== null).length;
        const rows = sealed(job, chunk, results);
        const mine = await patiently(() =>
          write(
            (current) => ({
              ...current,
              done: current.done + results.length,
              failed: current.failed + failed,
              failedChunks: failed > 0 ? [...current.failedChunks, chunk] : current.failedChunks,
              lease: lease(),
              attempts: 0,
            }),
            [{ create: rows }, { remove: input.id }],
          ),
        );
        if (!mine) return 'taken by another';
        interrupted = false;
        const seconds = (performance.now() - startedAt) / 1_000;
        options.onChunk?.({ kind: job.kind, rows: results.length, failed, seconds });
      } catch (error) {
        if (isTransient(error)) {
          log.warn({ error: explain(error), done: job.done }, 'the store is away: the job waits');
          if (until.stopping()) return 'left';
          await delay(OUTAGE_PAUSE_MS * (0.5 + Math.random()));
          continue;
        }
        log.error({ error: explain(error), done: job.done }, 'a chunk of a job failed');
        const attempts = job.attempts + 1;
        const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (attempts - 1), LONGEST_BACKOFF_MS);
        // Back into the queue rather than waited for: its place here is free for others meanwhile.
        const put = await retrying(() =>
          write((current) => ({ ...current, attempts, notBefore: Date.now() + pause, lease: null })),
        );
        return put ? 'put off' : 'taken by another';
      }
      if ((until.stopping() || until.othersWait()) && job.done < job.total) {
        await retrying(() => write((current) => ({ ...current, lease: null, waitingSince: Date.now() })));
        return 'given back';
      }
    }
  }

  function notesOf(key: string, chunk: number): Pick<ChunkWork, 'recall' | 'note'> {
    const id = noteId(chunk);
    return {
      recall: async () => (await cosmos.read<JobNoteDocument>('directory', key, id))?.note,
      async note(value) {
        const document: JobNoteDocument = { id, key, note: value, ttl: UNFINISHED_JOB_SECONDS };
        await cosmos.bulkUpsert('directory', [document]);
      },
    };
  }

  function sealed(job: JobDocument, chunk: number, results: readonly RowResult[]): JobRowsDocument {
    return {
      id: rowsId(chunk),
      key: job.key,
      rows: results.map(({ secret, ...row }, i) => ({
        ...row,
        secret: secret && {
          what: secret.what,
          sealed: keyring.seal(rowName(job.jobId, firstRowOf(job.kind, chunk) + i), Buffer.from(secret.text)),
        },
      })),
      ttl: UNFINISHED_JOB_SECONDS,
    };
  }

  return { take, run };
}

function principalOf({ principal, tenantId }: JobDocument, expiresAt: number): Principal {
  const common = { email: null, expiresAt };
  return principal.kind === 'key'
    ? { ...principal, ...common, tenantId, documents: null }
    : { ...principal, ...common };
}
