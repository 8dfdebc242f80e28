import { type TenantScope } from '../../auth/scope';
import { type JobKind } from '../../domain/job';
import { type Outcome } from '../registry';
import { type JobDocument, type JobRow } from './documents';

/** A part of a job, and what its handler needs to work it off. */
export interface ChunkWork {
  job: JobDocument;
  chunk: number;
  /** The index of its first row in the job. */
  firstRow: number;
  /** As they were given to `Jobs.create`. */
  rows: readonly unknown[];
  /** The rights that the job's creator has now. */
  scope: TenantScope;
  /**
   * Unique for this chunk and the same at each try: an idempotency key, and what ids may derive from.
   */
  attempt: string;
  /** 16 bytes that nobody can guess, the same at each try: a row's own until the job ends. */
  secretOf(index: number): Buffer;
  /** What an earlier try of this chunk noted; undefined where none did. */
  recall(): Promise<unknown>;
  /** Notes a small JSON value for a later try, before something is done that it must know of. */
  note(value: unknown): Promise<void>;
}

/** What came of a row; its secret is still open. */
export interface RowResult extends Omit<JobRow, 'secret'> {
  secret: { what: 'CLAIM_CODE' | 'DEVICE_KEY'; text: string } | null;
}

/**
 * Works off one chunk and answers a result for each of its rows; a refusal ends the job as FAILED with its reason.
 *
 * A chunk may come again, after a crash or beside a worker that was believed dead: each of its rows must then be found
 * done and be answered as before. Throws where the store is away, which only delays the job, or where something is
 * broken, which ends it after some tries.
 */
export type JobHandler = (work: ChunkWork) => Promise<Outcome<RowResult[]>>;

/** A kind without a handler is left in the queue, for a process of a later release. */
export type JobHandlers = Partial<Record<JobKind, JobHandler>>;
