import { type Frame } from '../stream/frame';
import { quantityOfCode } from '../domain/quantity';

/** Where a reading belongs, as it stands in a landing row. */
export interface LandedPoint {
  tenantId: string;
  buildingId: string;
  spaceId: string;
  pointId: string;
  deviceId: string;
  quantity: string;
}

/** The points of one file: each row holds an index into it, so that ids are hashed once a frame and not once a row. */
export interface PointTable {
  /** The index, in this table, of each point of the frame. */
  indexesOf(frame: Frame): Uint32Array;
  points(): readonly LandedPoint[];
  clear(): void;
}

export function createPointTable(): PointTable {
  let points: LandedPoint[] = [];
  // By tenant and building, then by the point's dense ordinal; the few that share an ordinal (another device, another
  // space since) stand in one list.
  let buildings = new Map<string, Map<number, number[]>>();

  return {
    indexesOf(frame) {
      const ordinals = frame.buildings.map(({ tenantId, buildingId }) => {
        const key = `${tenantId}\n${buildingId}`;
        let known = buildings.get(key);
        if (known === undefined) buildings.set(key, (known = new Map()));
        return known;
      });
      const indexes = new Uint32Array(frame.points.length);
      frame.points.forEach((point, i) => {
        const known = ordinals[point.building]!;
        let candidates = known.get(point.pointOrdinal);
        if (candidates === undefined) known.set(point.pointOrdinal, (candidates = []));
        const quantity = quantityText(point.quantity);
        let index = candidates.find((candidate) => {
          const landed = points[candidate]!;
          return (
            landed.pointId === point.pointId &&
            landed.deviceId === point.deviceId &&
            landed.spaceId === point.spaceId &&
            landed.quantity === quantity
          );
        });
        if (index === undefined) {
          index = points.length;
          candidates.push(index);
          const { tenantId, buildingId } = frame.buildings[point.building]!;
          const { spaceId, pointId, deviceId } = point;
          points.push({ tenantId, buildingId, spaceId, pointId, deviceId, quantity });
        }
        indexes[i] = index;
      });
      return indexes;
    },
    points: () => points,
    clear() {
      points = [];
      buildings = new Map();
    },
  };
}

/** A quantity of a later release is kept under its code, for that release to read. */
function quantityText(code: number): string {
  return quantityOfCode(code)?.name ?? `QUANTITY_${code}`;
}
