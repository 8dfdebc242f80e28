import { type CorrectedMinutes } from '../domain/corrected-minutes';
import { FrameError } from './frame';

export type { CorrectedMinutes };

/**
 * Which minutes of the rolling record were corrected by late readings, in the averages hub: published once the record
 * holds them, so that whoever is told can read what they say now. A replica of a release that does not know it passes it by.
 */
export const CORRECTIONS_SCHEMA = 'corrections/1';

export function encodeCorrections(corrections: readonly CorrectedMinutes[]): Buffer {
  return Buffer.from(JSON.stringify({ corrections }));
}

/** @throws FrameError when the body is damaged; never anything else. */
export function decodeCorrections(body: unknown): CorrectedMinutes[] {
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let decoded: { corrections?: unknown } | null;
  try {
    decoded = JSON.parse(body.toString('utf8')) as typeof decoded;
  } catch (error) {
    throw new FrameError(`damaged corrections of ${body.length} bytes: ${(error as Error).message}`);
  }
  const corrections = decoded?.corrections;
  if (!Array.isArray(corrections) || !corrections.every(isCorrection)) {
    throw new FrameError(`no corrections in a body of ${body.length} bytes`);
  }
  return corrections;
}

function isCorrection(each: Partial<CorrectedMinutes> | null): boolean {
  return (
    typeof each?.tenantId === 'string' &&
    typeof each.buildingId === 'string' &&
    Number.isInteger(each.quantity) &&
    Array.isArray(each.minutes) &&
    each.minutes.every(Number.isInteger)
  );
}
