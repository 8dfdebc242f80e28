import { RECORD_LATENESS_MS } from '../../src/aggregate/horizons';
import { type BuildingAverage } from '../../src/domain/window';
import { eventually } from '../support/eventually';
import { type House, startHouse } from './house';
import { countedRows, differenceFrom, expectedAt, rowsOf, type Row } from './plain-model';

const BUILDINGS = ['bld_0', 'bld_1'];

/** Readings of four points of each building, one of them late, one sent twice. */
async function sendRound(house: House, round: number): Promise<void> {
  const at = house.now();
  for (const [partition, buildingId] of BUILDINGS.entries()) {
    const reading = (pointOrdinal: number, age: number): Omit<Row, 'sequence' | 'enqueuedAt'> => ({
      buildingId,
      quantity: 1,
      pointOrdinal,
      deviceOrdinal: pointOrdinal >> 1,
      observedAt: at - age,
      value: 20 + pointOrdinal + Math.sin(round),
    });
    const rows = [reading(0, 40), reading(1, 900), reading(2, (round * 37_000) % 310_000)];
    await house.send(partition, [...rows, { ...rows[0]!, value: 99 }]);
  }
}

/** Rounds twenty seconds apart, as fast as the stand-ins take them. */
async function sendFor(house: House, rounds: number, first = 0): Promise<void> {
  for (let round = first; round < first + rounds; round++) {
    const sent = house.rows().length;
    await sendRound(house, round);
    await eventually(() => expect(house.rows().length).toBeGreaterThan(sent + 7));
    house.pass(20);
  }
}

/** The same, waiting after each for what the worker tells of it. */
async function sendAndHear(house: House, rounds: number, first = 0): Promise<void> {
  for (let round = first; round < first + rounds; round++) {
    const told = house.live().length;
    await sendFor(house, 1, round);
    await eventually(() => expect(house.live().length).toBeGreaterThan(told));
  }
}

function differences(house: House, found: readonly BuildingAverage[], atTheEnd = false): string[] {
  return found.flatMap((value) => {
    const { buildingId, windowEnd, position } = value;
    const expected = expectedAt(
      rowsOf(countedRows(house.rows(), RECORD_LATENESS_MS), value),
      windowEnd,
      atTheEnd ? Infinity : position.sequence,
    );
    const difference = differenceFrom(expected, value);
    return difference === undefined ? [] : [`${buildingId} at ${windowEnd}: ${difference}`];
  });
}

/** Once the record says of every minute what the whole stream says, none missing. */
async function recordIsRight(house: House): Promise<number> {
  return eventually(async () => {
    // What came late waits until its minutes are no more computed from what is held.
    house.pass(20);
    await house.heard();
    let points = 0;
    for (const buildingId of BUILDINGS) {
      const history = await house.history(buildingId);
      const slots = house
        .rows()
        .filter(
          (row) => row.buildingId === buildingId && row.enqueuedAt - row.observedAt <= RECORD_LATENESS_MS,
        );
      const first = Math.min(...slots.map((row) => Math.ceil(row.observedAt / 60_000)));
      const last = Math.max(...slots.map((row) => Math.ceil(row.observedAt / 60_000)));
      const minutes = history.map(({ windowEnd }) => windowEnd / 60);
      for (let minute = first; minute <= last; minute++) expect(minutes).toContain(minute);
      expect(differences(house, history, true)).toEqual([]);
      expect(differences(house, history)).toEqual([]);
      points += history.length;
    }
    return points;
  });
}

describe('the aggregate worker', () => {
  let house: House;
  beforeEach(async () => {
    house = await startHouse();
  });
  afterEach(() => house.stop());

  it('tells exact values, records every minute, and does so across a stop, an outage and a restart', async () => {
    const first = await house.startWorker();
    await eventually(() => expect(first.worker.readiness()).toEqual({ ready: true, reasons: [] }));
    await sendFor(house, 50);
    await sendAndHear(house, 5, 50);
    await first.stop();

    await sendFor(house, 12, 55);
    const second = await house.startWorker();
    await sendAndHear(house, 5, 67);
    await eventually(() => expect(second.worker.readiness().ready).toBe(true));
    house.pass(70);
    expect(await recordIsRight(house)).toBeGreaterThan(20);
    // It went on behind the checkpoint and not from the beginning.
    const { values } = await second.metrics.getSingleMetric('atrium_aggregate_readings_total')!.get();
    expect(values.reduce((sum, { value }) => sum + value, 0)).toBeLessThan(house.rows().length);
    expect(differences(house, house.live())).toEqual([]);
    expect(house.live().every((value) => value.spaceId !== null || value.devicesExpected === 4)).toBe(true);
  });

  it('tells of an empty window once its last reading has left, without being sent anything', async () => {
    await house.startWorker();
    await sendFor(house, 1);
    const [last] = house.rows().slice(-1);
    await eventually(() => expect(house.live().length).toBeGreaterThan(0));
    house.pass(310);
    await eventually(() => {
      const empty = house.live().filter((value) => value.readings === 0);
      expect(new Set(empty.map((value) => value.buildingId)).size).toBe(2);
      for (const value of empty) {
        expect(value).toMatchObject({ mean: null, minimum: null, maximum: null, devicesReporting: 0 });
        expect(value.lastReadingAt).toBeLessThanOrEqual(last!.enqueuedAt);
      }
    });
    expect(differences(house, house.live())).toEqual([]);
  });

  it('goes on telling live values while the store is away, and brings the record up to date afterwards', async () => {
    const writer = house.writer();
    let away = true;
    const { metrics } = await house.startWorker({
      averages: {
        write: (buildingId, points) =>
          away ? Promise.reject(new Error('Cosmos is away')) : writer.write(buildingId, points),
      },
    });
    await sendAndHear(house, 8);
    await eventually(async () => {
      expect(await metrics.getSingleMetricAsString('atrium_aggregate_point_writes_failed_total')).not.toMatch(
        /} 0$/m,
      );
    });
    away = false;
    house.pass(70);
    await recordIsRight(house);
    expect(differences(house, house.live())).toEqual([]);
  });

  it('shares the partitions with a second worker, and takes them all when that one goes', async () => {
    const one = await house.startWorker({ identifier: 'aggregate-0' });
    await sendFor(house, 4);
    const two = await house.startWorker({ identifier: 'aggregate-1' });
    await eventually(async () => {
      await sendFor(house, 1, Math.floor(house.now() / 1000));
      const owned = await two.metrics.getSingleMetricAsString('atrium_aggregate_buildings');
      expect(owned).toContain('partition=');
    });
    await sendFor(house, 4, 40);
    await one.stop();
    await sendFor(house, 4, 60);
    await eventually(() => expect(two.worker.readiness().ready).toBe(true));
    house.pass(70);
    await recordIsRight(house);
    expect(differences(house, house.live())).toEqual([]);
  });
});
