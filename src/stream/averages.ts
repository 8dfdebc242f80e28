import { type Type } from 'avsc';
import { type BuildingAverage } from '../domain/window';
import { FrameError, SCHEMA_PROPERTY } from './frame';
import { loadSchema } from './schema';

export const AVERAGES_SCHEMA = 'averages/1';
/** Values of spaces are events of their own: a replica of the release before passes them by, and reads buildings' as ever. */
export const SPACE_AVERAGES_SCHEMA = 'space-averages/1';
/**
 * The property that holds the device means of a batch of buildings' values: a little-endian double each, NaN for none.
 * Beside the body, which the release before reads to its last byte, and which has none of them.
 */
export const DEVICE_MEANS_PROPERTY = 'atrium-device-means';

type Value = Omit<BuildingAverage, 'position' | 'asOf' | 'windowEnd'>;

/** What one owner of a telemetry partition computed at one instant: values of buildings, or of spaces. */
export interface AveragesBatch {
  incarnation: string;
  partition: number;
  sequence: number;
  asOf: number;
  windowEnd: number;
  values: Value[];
}

interface WireBatch extends AveragesBatch {
  buildings?: { tenantId: string; buildingId: string }[];
  values: (Value & { building?: number })[];
}

const batchType: Type = loadSchema('averages');
const spaceBatchType: Type = loadSchema('space-averages');

export function encodeAverages(batch: AveragesBatch): Buffer {
  return batchType.toBuffer(batch);
}

/** The value of `DEVICE_MEANS_PROPERTY` for a batch of buildings' values. */
export function encodeDeviceMeans({ values }: AveragesBatch): Buffer {
  const means = Buffer.allocUnsafe(8 * values.length);
  values.forEach(({ deviceMean }, index) => means.writeDoubleLE(deviceMean ?? NaN, 8 * index));
  return means;
}

export function encodeSpaceAverages(batch: AveragesBatch): Buffer {
  const buildings: { tenantId: string; buildingId: string }[] = [];
  const indexes = new Map<string, number>();
  const values = batch.values.map((value) => {
    const { tenantId, buildingId } = value;
    let building = indexes.get(buildingId);
    if (building === undefined || buildings[building]!.tenantId !== tenantId) {
      building = buildings.push({ tenantId, buildingId }) - 1;
      indexes.set(buildingId, building);
    }
    return { ...value, building, deviceMean: value.deviceMean ?? null };
  });
  return spaceBatchType.toBuffer({ ...batch, buildings, values });
}

/** @throws FrameError when the schema is unknown or the body is damaged. */
export function decodeAverages(
  body: unknown,
  properties: Record<string, unknown> | undefined,
): BuildingAverage[] {
  const schema = properties?.[SCHEMA_PROPERTY];
  const type =
    schema === AVERAGES_SCHEMA ? batchType : schema === SPACE_AVERAGES_SCHEMA ? spaceBatchType : undefined;
  if (type === undefined) {
    throw new FrameError(
      `unknown schema ${JSON.stringify(schema ?? null)}, expected ${AVERAGES_SCHEMA} or ${SPACE_AVERAGES_SCHEMA}`,
    );
  }
  if (!Buffer.isBuffer(body)) throw new FrameError('the body is not binary');
  let batch: WireBatch;
  try {
    batch = type.fromBuffer(body) as WireBatch;
  } catch (error) {
    throw new FrameError(`damaged averages of ${body.length} bytes: ${(error as Error).message}`);
  }
  const { incarnation, partition, sequence, asOf, windowEnd, buildings } = batch;
  const position = { incarnation, partition, sequence };
  const means = deviceMeansOf(properties, batch.values.length);
  return batch.values.map((value, index) => {
    const of = buildings === undefined ? value : buildings[value.building!];
    if (of === undefined) throw new FrameError(`damaged averages: there is no building ${value.building}`);
    const mean = means?.readDoubleLE(8 * index);
    return {
      tenantId: of.tenantId,
      buildingId: of.buildingId,
      spaceId: buildings === undefined ? null : value.spaceId!,
      quantity: value.quantity,
      windowEnd,
      asOf,
      mean: value.mean,
      minimum: value.minimum,
      maximum: value.maximum,
      deviceMean: mean === undefined ? value.deviceMean : Number.isNaN(mean) ? null : mean,
      readings: value.readings,
      devicesReporting: value.devicesReporting,
      devicesExpected: value.devicesExpected,
      lastReadingAt: value.lastReadingAt,
      position,
    };
  });
}

/** Undefined where the event has none, as those of the release before. */
function deviceMeansOf(properties: Record<string, unknown> | undefined, count: number): Buffer | undefined {
  const means = properties?.[DEVICE_MEANS_PROPERTY];
  return Buffer.isBuffer(means) && means.length === 8 * count ? means : undefined;
}
