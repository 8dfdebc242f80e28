import { type Type } from 'avsc';
import { type BuildingAverage } from '../domain/window';
import { FrameError, SCHEMA_PROPERTY } from './frame';
import { loadSchema } from './schema';

export const AVERAGES_SCHEMA = 'averages/1';

type Value = Omit<BuildingAverage, 'position' | 'asOf' | 'windowEnd'>;

/** What one owner of a telemetry partition computed at one instant. */
export interface AveragesBatch {
  incarnation: string;
  partition: number;
  sequence: number;
  asOf: number;
  windowEnd: number;
  values: Value[];
}

const batchType: Type = loadSchema('averages');

export function encodeAverages(batch: AveragesBatch): Buffer {
  return batchType.toBuffer(batch);
}

/** @throws FrameError when the schema is unknown or the body is damaged. */
export function decodeAverages(
  body: unknown,
  properties: Record<string, unknown> | undefined,
): BuildingAverage[] {
  const schema = properties?.[SCHEMA_PROPERTY];
  if (schema !== AVERAGES_SCHEMA) {
    throw new FrameError(`unknown schema ${JSON.stringify(schema ?? null)}, expected ${AVERAGES_SCHEMA}`);
  }
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let batch: AveragesBatch;
  try {
    batch = batchType.fromBuffer(body) as AveragesBatch;
  } catch (error) {
    throw new FrameError(`damaged averages of ${body.length} bytes: ${(error as Error).message}`);
  }
  const { incarnation, partition, sequence, asOf, windowEnd } = batch;
  const position = { incarnation, partition, sequence };
  return batch.values.map((value) => ({
    tenantId: value.tenantId,
    buildingId: value.buildingId,
    quantity: value.quantity,
    windowEnd,
    asOf,
    mean: value.mean,
    minimum: value.minimum,
    maximum: value.maximum,
    readings: value.readings,
    devicesReporting: value.devicesReporting,
    devicesExpected: value.devicesExpected,
    lastReadingAt: value.lastReadingAt,
    position,
  }));
}
