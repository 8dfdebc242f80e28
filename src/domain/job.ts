import { type DevicePermission } from './lifecycle';

/**
 * What is too much for one request and is worked off by the `jobs` process, with the right that starting one needs. Who
 * may start jobs of a kind may see and cancel those of others.
 */
export const JOB_KINDS = {
  REGISTER_DEVICES: 'device.register',
  PROVISION_DEVICES: 'device.provision',
  REPLAY_DEAD_LETTERS: 'dead-letter.replay',
  EXPORT_READINGS: 'reading.read',
} as const satisfies Record<string, DevicePermission | 'dead-letter.replay' | 'reading.read'>;

export type JobKind = keyof typeof JOB_KINDS;

export const JOB_STATES = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A job in one of these is never touched again. */
export function isFinished(state: JobState): boolean {
  return state !== 'QUEUED' && state !== 'RUNNING';
}

export const MAXIMUM_JOB_ROWS = 10_000;

/** Rows that are worked off, and remembered as done, together. */
export const ROWS_A_CHUNK = 100;

/** Of kinds whose rows take long, each. Never changed: rows of jobs under way are found by it. */
export const ROWS_A_CHUNK_OF: Partial<Record<JobKind, number>> = { EXPORT_READINGS: 1 };
/** Of one job: as many as one batch of changes can tidy up. */
export const MAXIMUM_CHUNKS = MAXIMUM_JOB_ROWS / ROWS_A_CHUNK;

const sizeOf = (kind: JobKind): number => ROWS_A_CHUNK_OF[kind] ?? ROWS_A_CHUNK;

/** The chunk of a row, and the first row of a chunk, in a job of a kind. */
export const chunkOf = (kind: JobKind, index: number): number => Math.floor(index / sizeOf(kind));
export const firstRowOf = (kind: JobKind, chunk: number): number => chunk * sizeOf(kind);
export const rowsAChunk = sizeOf;
