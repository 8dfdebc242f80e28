import { type RecentBatch, type RecentPoint, type RecentUndated } from '../../store/recent';

/** Readings of one building and owner that are not stored yet, in columns that grow. */
export interface RecentBuffer {
  points: RecentPoint[];
  count: number;
  point: Uint32Array;
  observedAt: Float64Array;
  receivedAt: Float64Array;
  value: Float64Array;
  sequence: Float64Array;
  undated: RecentUndated[];
  /** Milliseconds since 1970: when the hub took the first of them. */
  enqueuedAt: number;
  /** By point ordinal: the index of the point as it stood last. */
  indexes: Map<number, number>;
}

const SMALLEST = 16;

export function createRecentBuffer(enqueuedAt: number): RecentBuffer {
  return {
    points: [],
    count: 0,
    point: new Uint32Array(SMALLEST),
    observedAt: new Float64Array(SMALLEST),
    receivedAt: new Float64Array(SMALLEST),
    value: new Float64Array(SMALLEST),
    sequence: new Float64Array(SMALLEST),
    undated: [],
    enqueuedAt,
    indexes: new Map(),
  };
}

/** The index of a point in the buffer's dictionary. One that has moved since stands there again. */
export function pointIndex(buffer: RecentBuffer, point: RecentPoint): number {
  const known = buffer.indexes.get(point.pointOrdinal);
  if (known !== undefined) {
    const { deviceId, spaceId } = buffer.points[known]!;
    if (deviceId === point.deviceId && spaceId === point.spaceId) return known;
  }
  const { pointId, pointOrdinal, deviceId, deviceOrdinal, spaceId, quantity } = point;
  const index = buffer.points.push({ pointId, pointOrdinal, deviceId, deviceOrdinal, spaceId, quantity }) - 1;
  buffer.indexes.set(pointOrdinal, index);
  return index;
}

export function append(
  buffer: RecentBuffer,
  point: number,
  observedAt: number,
  receivedAt: number,
  value: number,
  sequence: number,
): void {
  const row = buffer.count;
  if (row === buffer.point.length) makeRoom(buffer);
  buffer.point[row] = point;
  buffer.observedAt[row] = observedAt;
  buffer.receivedAt[row] = receivedAt;
  buffer.value[row] = value;
  buffer.sequence[row] = sequence;
  buffer.count = row + 1;
}

export function batchOf(
  buffer: RecentBuffer,
  of: Pick<RecentBatch, 'tenantId' | 'buildingId' | 'incarnation' | 'partition' | 'recordedFrom'>,
): RecentBatch {
  const { points, count, point, observedAt, receivedAt, value, sequence, undated } = buffer;
  return { ...of, points, count, point, observedAt, receivedAt, value, sequence, undated };
}

function makeRoom(buffer: RecentBuffer): void {
  const length = 2 * buffer.point.length;
  const point = new Uint32Array(length);
  point.set(buffer.point);
  buffer.point = point;
  for (const column of ['observedAt', 'receivedAt', 'value', 'sequence'] as const) {
    const longer = new Float64Array(length);
    longer.set(buffer[column]);
    buffer[column] = longer;
  }
}
