import { type Type } from 'avsc';
import { type PlaceState } from '../domain/state';
import { FrameError } from './frame';
import { loadSchema } from './schema';

/** In the averages hub. A replica of a release that does not know them passes them by. */
export const STATES_SCHEMA = 'states/1';

type Value = Omit<PlaceState, 'position' | 'asOf' | 'windowEnd'>;

/** What one owner of a telemetry partition computed at one instant. */
export interface StatesBatch {
  incarnation: string;
  partition: number;
  sequence: number;
  asOf: number;
  windowEnd: number;
  values: Value[];
}

const batchType: Type = loadSchema('states');

export function encodeStates(batch: StatesBatch): Buffer {
  return batchType.toBuffer({
    ...batch,
    values: batch.values.map((value) => ({ ...value, spaceId: value.spaceId ?? '' })),
  });
}

/** @throws FrameError when the body is damaged. */
export function decodeStates(body: unknown): PlaceState[] {
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let batch: StatesBatch;
  try {
    batch = batchType.fromBuffer(body) as StatesBatch;
  } catch (error) {
    throw new FrameError(`damaged states of ${body.length} bytes: ${(error as Error).message}`);
  }
  const { incarnation, partition, sequence, asOf, windowEnd } = batch;
  const position = { incarnation, partition, sequence };
  return batch.values.map(
    ({
      tenantId,
      buildingId,
      spaceId,
      quantity,
      active,
      clear,
      activeMs,
      knownMs,
      changedAt,
      lastReadingAt,
    }) => ({
      tenantId,
      buildingId,
      spaceId: spaceId === '' ? null : spaceId,
      quantity,
      windowEnd,
      asOf,
      active,
      clear,
      activeMs,
      knownMs,
      changedAt,
      lastReadingAt,
      position,
    }),
  );
}
