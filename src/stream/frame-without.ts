import { type Frame } from './frame';

/**
 * The frame without what is some tenants': the same where it holds nothing of theirs. The rows that are left keep their
 * place in their event (`rowOf`), by which those are known that have neither a time nor a message's id.
 */
export function frameWithout(frame: Frame, isErased: (tenantId: string) => boolean): Frame {
  const erased = frame.buildings.map(({ tenantId }) => isErased(tenantId));
  const refused = frame.refused.filter(({ tenantId }) => !isErased(tenantId));
  if (!erased.includes(true) && refused.length === frame.refused.length) return frame;
  const rowOf: number[] = [];
  for (let row = 0; row < frame.count; row++) {
    if (!erased[frame.points[frame.point[row]!]!.building]) rowOf.push(row);
  }
  const rows = new Map(rowOf.map((row, index) => [row, index]));
  const inColumn = (column: readonly number[]): number[] => rowOf.map((row) => column[row]!);
  const moved = <T extends { row: number }>(all: readonly T[]): T[] =>
    all.flatMap((each) => {
      const row = rows.get(each.row);
      return row === undefined ? [] : [{ ...each, row }];
    });
  // Whoever goes over buildings and points makes something of each: only those that have a row are left.
  const points = renumbered(frame.points, inColumn(frame.point));
  const buildings = renumbered(
    frame.buildings,
    points.kept.map(({ building }) => building),
  );
  return {
    buildings: buildings.kept,
    points: points.kept.map((point, i) => ({ ...point, building: buildings.indexes[i]! })),
    count: rowOf.length,
    point: points.indexes,
    observedAt: inColumn(frame.observedAt),
    receivedAt: inColumn(frame.receivedAt),
    value: inColumn(frame.value),
    undated: moved(frame.undated),
    originals: moved(frame.originals),
    refused,
    rowOf,
  };
}

/** Those that are pointed at, in their order, and where each of the indexes points now. */
function renumbered<T>(all: readonly T[], indexes: readonly number[]): { kept: T[]; indexes: number[] } {
  const used = [...new Set(indexes)].sort((a, b) => a - b);
  const numbers = new Map(used.map((each, index) => [each, index]));
  return { kept: used.map((each) => all[each]!), indexes: indexes.map((each) => numbers.get(each)!) };
}
