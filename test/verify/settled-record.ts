import { setTimeout as delay } from 'node:timers/promises';
import { type DuckDBConnection } from '@duckdb/node-api';
import { type FleetBuilding } from '../../simulator/fleet';
import { type QuantityName } from '../../src/domain/quantity';
import { type SeenPoint } from './history';
import { atTheEndOfTheStream, compareAverages, missingPoints } from './oracle/averages.oracle';
import { continuousQuantities } from './quantities';

/** The rolling record of one building as it was last read. */
export interface BuildingRecord {
  points: SeenPoint[];
  /** What is wrong with it, in words. */
  differences: string[];
}

/**
 * Points are written up to ten seconds after their minute, and corrections gather for twenty more. What is late waits until
 * its minutes are no more computed from what is held, six and a half minutes after them.
 */
const RECORD_SETTLES_MS = 480_000;
const LOOK_EVERY_MS = 2_000;

/**
 * Reads the stored points of buildings until every minute that holds readings has one and each counts all that was sent, as
 * corrections come with a delay; what is read on the way must be right at its own position all the same.
 */
export async function settledRecords(options: {
  connection: DuckDBConnection;
  buildings: readonly FleetBuilding[];
  read: (query: { buildingId: string; quantity: QuantityName; from: Date; to: Date }) => Promise<SeenPoint[]>;
  from: Date;
  to: Date;
  progress: (line: string) => void;
}): Promise<Map<string, BuildingRecord>> {
  const { connection, read, from, to } = options;
  const lastMinute = Math.floor(to.getTime() / 60_000);
  const deadline = Date.now() + RECORD_SETTLES_MS;
  const records = new Map<string, BuildingRecord>();
  let waiting = options.buildings;
  for (;;) {
    const unsettled: FleetBuilding[] = [];
    for (const building of waiting) {
      const { buildingId } = building;
      const points: SeenPoint[] = [];
      for (const quantity of continuousQuantities([building])) {
        points.push(...(await read({ buildingId, quantity, from, to })));
      }
      const wrong = await compareAverages(connection, points);
      const behind =
        wrong.length > 0
          ? []
          : [
              ...(await missingPoints(connection, points, lastMinute, [buildingId])),
              ...(await compareAverages(connection, atTheEndOfTheStream(points))).map(
                (words) => `not corrected to the end: ${words}`,
              ),
            ];
      if (behind.length > 0) unsettled.push(building);
      records.set(buildingId, { points, differences: [...wrong, ...behind] });
    }
    if (unsettled.length === 0 || Date.now() >= deadline) return records;
    if (unsettled.length !== waiting.length) {
      options.progress(`the records of ${unsettled.length} buildings are still being corrected`);
    }
    waiting = unsettled;
    await delay(LOOK_EVERY_MS);
  }
}
