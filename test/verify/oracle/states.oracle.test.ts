import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { createRandom } from '../../../simulator/random';
import { type Row } from '../../aggregate/plain-model';
import { expectedStateAt } from '../../aggregate/plain-states';
import { compareStates, type SeenState } from './states.oracle';

const START = 1_790_000_040;

/** Half an hour of three smoke points in two spaces, with silences longer than a state holds, in and out of order. */
function buildRows(): Row[] {
  const random = createRandom(11);
  return Array.from({ length: 150 }, (_, sequence): Row => {
    const enqueuedAt = (START + sequence * 12) * 1000;
    const point = Math.floor(random.next() * 3);
    const late = random.next() < 0.2 ? random.next() * 290_000 : random.next() * 2_000;
    const exact = Math.floor(enqueuedAt - late);
    const observedAt = random.next() < 0.2 ? Math.floor(exact / 1000) * 1000 : exact;
    return {
      sequence,
      enqueuedAt,
      buildingId: 'bld_a',
      spaceId: point === 0 ? 'spc_1' : 'spc_2',
      quantity: 7,
      pointOrdinal: point,
      deviceOrdinal: point,
      observedAt,
      value: random.next() < 0.5 ? 1 : 0,
    };
  }).filter(({ pointOrdinal, sequence }) => pointOrdinal !== 2 || sequence < 40 || sequence > 110);
}

describe('the oracle of states', () => {
  const rows = buildRows();
  let connection: DuckDBConnection;
  beforeAll(async () => {
    connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`
      CREATE TABLE counted (incarnation VARCHAR, "partition" INTEGER, sequence BIGINT, "row" INTEGER,
        building_id VARCHAR, space_id VARCHAR, point_id VARCHAR, quantity VARCHAR, value DOUBLE, observed_ms BIGINT)`);
    const values = rows.map(
      (row) =>
        `('i-8', 3, ${row.sequence}, 0, 'bld_a', '${row.spaceId}', 'pnt_${row.pointOrdinal}', 'SMOKE', ${row.value}, ${row.observedAt})`,
    );
    await connection.run(`INSERT INTO counted VALUES ${values.join(', ')}`);
  });
  afterAll(() => connection.closeSync());

  /** What the plain definition says, as a client would see it. */
  const seen = [null, 'spc_1', 'spc_2'].flatMap((spaceId) =>
    Array.from({ length: 120 }, (_, i): SeenState | undefined => {
      const at = START + 60 + i * 23;
      const sequence = rows.findLast((row) => row.enqueuedAt <= at * 1000)!.sequence;
      const own = rows.filter((row) => spaceId === null || row.spaceId === spaceId);
      const found = expectedStateAt(own, at, sequence);
      if (!(found.lastReadingAt !== null && found.lastReadingAt > (at - 900) * 1000)) return undefined;
      return {
        buildingId: 'bld_a',
        spaceId,
        quantity: 'SMOKE',
        at,
        incarnation: 'i-8',
        partition: 3,
        sequence,
        active: found.active,
        clear: found.clear,
        activeShare: found.knownMs === 0 ? null : found.activeMs / found.knownMs,
        changedAt: found.changedAt,
        lastReadingAt: found.lastReadingAt,
      };
    }).filter((each) => each !== undefined),
  );

  it('agrees with the definition', async () => {
    expect(seen.length).toBeGreaterThan(200);
    expect(await compareStates(connection, seen)).toEqual([]);
  });

  it.each([
    ['a point too many', (state: SeenState) => ({ ...state, active: state.active + 1 })],
    ['another share', (state: SeenState) => ({ ...state, activeShare: (state.activeShare ?? 0) + 1e-6 })],
    ['another change', (state: SeenState) => ({ ...state, changedAt: (state.changedAt ?? 0) + 1 })],
    ['a reading ahead of its position', (state: SeenState) => ({ ...state, sequence: state.sequence - 6 })],
  ])('finds %s', async (_, mistake) => {
    expect((await compareStates(connection, seen.map(mistake))).length).toBeGreaterThan(0);
  });
});
