import { QUANTITIES, type QuantityName, quantityNamed } from '../domain/quantity';
import { type BuildingAverage } from '../domain/window';
import { type StoredAverage } from './averages';
import { AVERAGES_CHUNK_MINUTES, type AveragePoint, type AveragesDocument } from './documents';

/** The last minute, in 2160, that has eight digits: beyond it ids would order otherwise than their minutes. */
const LAST_MINUTE = 99_999_999;

/** Ids order as their minutes do. A minute outside 1970 to 2160, as a bound may be, gives the nearest inside. */
export function chunkIdOf(minute: number): string {
  const inside = Math.min(Math.max(minute, 0), LAST_MINUTE);
  return `avg:${String(firstMinuteOf(inside)).padStart(8, '0')}`;
}

export function firstMinuteOf(minute: number): number {
  return Math.floor(minute / AVERAGES_CHUNK_MINUTES) * AVERAGES_CHUNK_MINUTES;
}

/** All chunks of a building lie between these ids. */
export const CHUNK_IDS = { from: 'avg:', to: 'avg;' } as const;

/** A chunk as far as a reader needs it. */
export type ReadChunk = Pick<AveragesDocument, 'buildingId' | 'tenantId' | 'firstMinute' | 'points'>;

/** The stored points of one quantity in a chunk, ascending. */
export function pointsOf(chunk: ReadChunk, quantity: QuantityName): StoredAverage[] {
  const points: StoredAverage[] = [];
  (chunk.points[quantity] ?? []).forEach((point, index) => {
    if (point !== null && point !== undefined) points.push(storedAverage(chunk, quantity, index, point));
  });
  return points;
}

export function quantitiesOf(chunk: ReadChunk): QuantityName[] {
  return QUANTITIES.filter(({ name }) => chunk.points[name] !== undefined).map(({ name }) => name);
}

function storedAverage(
  chunk: ReadChunk,
  quantity: QuantityName,
  index: number,
  point: AveragePoint,
): StoredAverage {
  const [mean, minimum, maximum, readings, devicesReporting, devicesExpected, lastReadingAt, asOf] = point;
  const [incarnation, partition, sequence, revision, deviceMean] = point.slice(8) as [
    string,
    number,
    number,
    number,
    (number | null)?,
  ];
  return {
    tenantId: chunk.tenantId,
    buildingId: chunk.buildingId,
    quantity: quantityNamed(quantity).code,
    windowEnd: (chunk.firstMinute + index) * 60,
    asOf,
    mean,
    minimum,
    maximum,
    ...(deviceMean !== undefined && { deviceMean }),
    readings,
    devicesReporting,
    devicesExpected,
    lastReadingAt,
    position: { incarnation, partition, sequence },
    revision,
  };
}

/**
 * What a minute's point becomes when a newly computed one arrives: the stored one when it counts more of the same life of
 * the stream (an old owner cannot overwrite a new one), says the same already, or counts more readings of another life.
 */
export function mergedPoint(stored: AveragePoint | null | undefined, average: BuildingAverage): AveragePoint {
  const { incarnation, partition, sequence } = average.position;
  const point: AveragePoint = [
    average.mean,
    average.minimum,
    average.maximum,
    average.readings,
    average.devicesReporting,
    average.devicesExpected,
    average.lastReadingAt,
    average.asOf,
    incarnation,
    partition,
    sequence,
    1,
  ];
  if (average.deviceMean !== undefined) point.push(average.deviceMean);
  if (!stored) return point;
  const sameLife = stored[8] === incarnation && stored[9] === partition;
  if (sameLife && stored[10] >= sequence) return stored;
  if (sameLife && COUNTED.every((index) => stored[index] === point[index])) return stored;
  // A hub that was made anew holds nothing of the minutes before: a few late readings must not replace a whole minute.
  if (!sameLife && stored[READINGS] > average.readings) return stored;
  point[11] = stored[11] + 1;
  return point;
}

const READINGS = 3;
/** Mean, minimum, maximum, readings, devices reporting and last reading: what the events say. */
const COUNTED = [0, 1, 2, 3, 4, 6] as const;
