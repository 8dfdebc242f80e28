import { type KeyPrincipal, type PersonPrincipal } from '../../auth/principal';
import { type ExportPart } from '../../domain/export';
import { type JobKind, type JobState } from '../../domain/job';
import { type Origin } from '../../domain/origin';
import { type SealedKey } from '../documents';
import { type Refusal } from '../registry';

/**
 * The documents of jobs, all in the container `directory`. What a job is, was told and has done stands in one partition,
 * `job:<jobId>`, so that a chunk's rows and the progress they stand for share a transactional batch.
 */
const DAY_SECONDS = 24 * 3600;
/** From its end. */
export const FINISHED_JOB_SECONDS = 7 * DAY_SECONDS;
/** Of what belongs to a job that may still have to wait: longer than any outage that it should outlive. */
export const UNFINISHED_JOB_SECONDS = 30 * DAY_SECONDS;

/** key `job:<jobId>`, id `job`. */
export interface JobDocument {
  id: 'job';
  key: string;
  jobId: string;
  kind: JobKind;
  tenantId: string;
  /** Null where it is about the tenant as a whole. */
  buildingId: string | null;
  /** Who started it: it runs with this principal's rights, as they are at each chunk. */
  principal: Pick<PersonPrincipal, 'kind' | 'id'> | Pick<KeyPrincipal, 'kind' | 'id' | 'createdBy'>;
  /** Whence it was started, for the audit log. */
  origin?: Origin;
  state: JobState;
  /** Rows: all, those worked off, and those of them that were refused. */
  total: number;
  done: number;
  failed: number;
  /** Chunks that hold a refused row. */
  failedChunks: number[];
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** What it was told besides its rows, by its kind. */
  parameters: Record<string, unknown>;
  /** 32 random bytes that what it hands out derives from, so that a repeated chunk hands out the same; null at its end. */
  seed: SealedKey | null;
  /** Who works on it now. A lease that was not given back and ended stands for a worker that died. */
  lease: { worker: string; until: number } | null;
  /** Tries of the chunk that is next which went wrong. */
  attempts: number;
  /** Not to be tried before. */
  notBefore: number | null;
  /** Since when it waits for a worker: since it was made, or last gave way to others. */
  waitingSince: number;
  cancelRequested: { by: string; at: number } | null;
  /** Why it FAILED. */
  error: Pick<Refusal, 'code' | 'message'> | { code: 'INTERNAL'; message: string } | null;
  ttl: number;
  _etag?: string;
}

/** key `job:<jobId>`, id `inputId(chunk)`: what is to be done with each row, by the job's kind. Removed once done. */
export interface JobInputDocument {
  id: string;
  key: string;
  rows: unknown[];
  ttl: number;
}

/** key `job:<jobId>`, id `noteId(chunk)`: what a handler must know of its earlier tries. */
export interface JobNoteDocument {
  id: string;
  key: string;
  note: unknown;
  ttl: number;
}

/** What came of a row. */
export interface JobRow {
  serialNumber: string | null;
  deviceId: string | null;
  secret: JobRowSecret | null;
  /** `path` names a part of the input of the mutation that started the job, e.g. `devices.3.model`. */
  error: Pick<Refusal, 'code' | 'message' | 'path'> | null;
  /** Of an export: the file that the row's slice of time became; left out where it holds no reading. */
  part?: ExportPart;
}

export interface JobRowSecret {
  what: 'CLAIM_CODE' | 'DEVICE_KEY';
  /** Sealed for `rowName(jobId, index)`; null once shown. */
  sealed: SealedKey | null;
  /** The reading that showed it, so that it knows itself where the answer of its write was lost. */
  shownBy?: string;
}

/** key `job:<jobId>`, id `rowsId(chunk)`. */
export interface JobRowsDocument {
  id: string;
  key: string;
  rows: JobRow[];
  ttl: number;
  _etag?: string;
}

/** key `jobs-of:<tenantId>`, id the job's: how a tenant's jobs are listed. */
export interface JobEntryDocument {
  id: string;
  key: string;
  /** `jobSortKey(createdAt, id)`: later ones are greater. */
  sortKey: string;
  ttl: number;
}

/**
 * key `jobs:pending`, id `<tenantId>:<place>`: a job that is not finished, in one of its tenant's places in the queue.
 * That it exists is what makes the job exist: it carries the job's document as it was created.
 */
export interface PendingDocument {
  id: string;
  key: typeof PENDING_KEY;
  job: JobDocument;
  ttl: number;
  _etag?: string;
}

export const PENDING_KEY = 'jobs:pending';
/** Jobs that a tenant may have unfinished. */
export const PLACES_A_TENANT = 20;
/** Of kinds whose jobs take long: so that a tenant's others find a place. */
export const PLACES_A_KIND: Partial<Record<JobKind, number>> = { EXPORT_READINGS: 8 };

export const jobKey = (jobId: string): string => `job:${jobId}`;
export const jobsOfKey = (tenantId: string): string => `jobs-of:${tenantId}`;
export const inputId = (chunk: number): string => `input:${String(chunk + 1).padStart(6, '0')}`;
export const noteId = (chunk: number): string => `note:${String(chunk + 1).padStart(6, '0')}`;
export const rowsId = (chunk: number): string => `rows:${String(chunk + 1).padStart(6, '0')}`;
export const placeId = (tenantId: string, place: number): string =>
  `${tenantId}:${String(place).padStart(2, '0')}`;
export const jobSortKey = (at: number, id: string): string => `${String(at).padStart(15, '0')}\n${id}`;
/** What a row's secret is authenticated with: it does not open in another row or job. */
export const rowName = (jobId: string, index: number): string => `${jobId}/${index}`;
