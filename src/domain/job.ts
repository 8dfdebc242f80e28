import { type DevicePermission } from './lifecycle';

/**
 * What is too much for one request and is worked off by the `jobs` process, with the right that starting one needs. Who
 * may start jobs of a kind may see and cancel those of others.
 */
export const JOB_KINDS = {
  REGISTER_DEVICES: 'device.register',
  PROVISION_DEVICES: 'device.provision',
  REPLAY_DEAD_LETTERS: 'dead-letter.replay',
} as const satisfies Record<string, DevicePermission | 'dead-letter.replay'>;

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

/** The chunk of a row, and the first row of a chunk. */
export const chunkOf = (index: number): number => Math.floor(index / ROWS_A_CHUNK);
export const firstRowOf = (chunk: number): number => chunk * ROWS_A_CHUNK;
