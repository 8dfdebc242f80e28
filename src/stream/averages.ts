import { type Type } from 'avsc';
import { type BuildingAverage } from '../domain/window';
import { FrameError, SCHEMA_PROPERTY } from './frame';
import { loadSchema } from './schema';

export const AVERAGES_SCHEMA = 'averages/1';
/** Values of spaces are events of their own: a replica of the release before passes them by, and reads buildings' as ever. */
export const SPACE_AVERAGES_SCHEMA = 'space-averages/1';
/**
 * What begins the name of a property that holds one aggregation of each of an event's values: a little-endian double
 * each, NaN for none. Beside the body, which the release before reads to its last byte and which has no place for them.
 */
const FURTHER_PREFIX = 'atrium-further-';
/** The name by which buildings' means over devices travel; spaces' stand in the body. */
const DEVICE_MEAN = 'deviceMean';

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

/** The properties of a batch's event: what its body has no place for. */
export function furtherProperties({ values }: AveragesBatch): Record<string, Buffer> {
  const properties: Record<string, Buffer> = {};
  const add = (name: string, valueOf: (value: Value) => number | null | undefined): void => {
    const bytes = Buffer.allocUnsafe(8 * values.length);
    values.forEach((value, index) => bytes.writeDoubleLE(valueOf(value) ?? NaN, 8 * index));
    properties[FURTHER_PREFIX + name] = bytes;
  };
  if (values[0]?.spaceId == null) add(DEVICE_MEAN, ({ deviceMean }) => deviceMean);
  for (const name of Object.keys(values[0]?.further ?? {})) add(name, ({ further }) => further?.[name]);
  return properties;
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
  const columns = furtherColumns(properties, batch.values.length);
  const means = columns.find(([name]) => name === DEVICE_MEAN)?.[1];
  const further = columns.filter(([name]) => name !== DEVICE_MEAN);
  return batch.values.map((value, index) => {
    const of = buildings === undefined ? value : buildings[value.building!];
    if (of === undefined) throw new FrameError(`damaged averages: there is no building ${value.building}`);
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
      deviceMean: means === undefined ? value.deviceMean : numberAt(means, index),
      readings: value.readings,
      devicesReporting: value.devicesReporting,
      devicesExpected: value.devicesExpected,
      lastReadingAt: value.lastReadingAt,
      position,
      ...(further.length > 0 && {
        further: Object.fromEntries(further.map(([name, column]) => [name, numberAt(column, index)])),
      }),
    };
  });
}

/** None where the event has none, as those of the release before. */
function furtherColumns(properties: Record<string, unknown> | undefined, count: number): [string, Buffer][] {
  return Object.entries(properties ?? {}).flatMap(([name, value]): [string, Buffer][] =>
    name.startsWith(FURTHER_PREFIX) && Buffer.isBuffer(value) && value.length === 8 * count
      ? [[name.slice(FURTHER_PREFIX.length), value]]
      : [],
  );
}

function numberAt(column: Buffer, index: number): number | null {
  const value = column.readDoubleLE(8 * index);
  return Number.isNaN(value) ? null : value;
}
