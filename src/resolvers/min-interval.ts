import { durationOf } from '../domain/duration';
import { clientError } from './errors';

const LEAST_MS = 1_000;
const MOST_MS = 3_600_000;

export const MIN_INTERVAL =
  'How long at least between two deliveries of the same: from `PT1S`, which it is where left out, to `PT1H`. Meanwhile the latest waits. Under much load the platform lengthens it.';

/** Milliseconds. Throws BAD_USER_INPUT outside the bounds. */
export function minIntervalOf(given: number | null | undefined): number {
  if (given == null) return LEAST_MS;
  if (given >= LEAST_MS && given <= MOST_MS) return given;
  throw clientError(
    'BAD_USER_INPUT',
    `minInterval must be from ${durationOf(LEAST_MS)} to ${durationOf(MOST_MS)}, it is ${durationOf(given)}`,
  );
}
