import { type RecentBatch } from '../../src/store/recent';
import { type Arrival } from './cold-store';

/**
 * What an aggregate worker stores of successive events of one partition: a batch for each building and owner, in stream
 * order, every row of it.
 */
export function recentBatches(arrivals: readonly Arrival[]): RecentBatch[] {
  const owners = new Map<string, { reading: Arrival['readings'][number]; row: number; arrival: Arrival }[]>();
  for (const arrival of arrivals) {
    arrival.readings.forEach((reading, row) => {
      const key = `${arrival.incarnation} ${arrival.partition} ${reading.tenantId} ${reading.buildingId}`;
      const own = owners.get(key);
      if (own) own.push({ reading, row, arrival });
      else owners.set(key, [{ reading, row, arrival }]);
    });
  }
  return [...owners.values()].map((rows) => {
    const ids = [...new Set(rows.map(({ reading }) => reading.pointId))];
    const { reading: first, arrival: of } = rows[0]!;
    return {
      tenantId: first.tenantId,
      buildingId: first.buildingId,
      incarnation: of.incarnation,
      partition: of.partition,
      recordedFrom: -Infinity,
      points: ids.map((id) => rows.find(({ reading }) => reading.pointId === id)!.reading),
      count: rows.length,
      point: rows.map(({ reading }) => ids.indexOf(reading.pointId)),
      observedAt: rows.map(({ reading }) => reading.observedAt),
      receivedAt: rows.map(({ reading }) => reading.receivedAt),
      value: rows.map(({ reading }) => reading.value),
      sequence: rows.map(({ arrival }) => arrival.sequence),
      undated: rows.flatMap(({ reading: { undated }, row: frameRow }, row) =>
        undated === undefined ? [] : [{ row, ...undated, frameRow }],
      ),
    };
  });
}
