import { eventually } from '../support/eventually';
import { countedRows, differenceFrom, expectedAt, rowsOf } from './plain-model';
import { type House, startHouse } from './house';

const LATENESS_MS = 300_000;

async function send(house: House, rounds: number, first = 0): Promise<void> {
  for (let round = first; round < first + rounds; round++) {
    const at = house.now();
    await house.send(
      0,
      [0, 1, 2].map((point) => ({
        buildingId: 'bld_0',
        quantity: 1,
        pointOrdinal: point,
        deviceOrdinal: point,
        observedAt: at - point * 1000,
        value: 20 + point + Math.sin(round),
      })),
    );
    house.pass(10);
  }
}

const count = async (metrics: { getSingleMetric(name: string): unknown }, name: string, outcome: string) => {
  const metric = metrics.getSingleMetric(name) as {
    get(): Promise<{ values: { labels: { outcome: string }; value: number }[] }>;
  };
  return (await metric.get()).values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
};

function wrongOf(house: House): string[] {
  const counted = countedRows(house.rows(), LATENESS_MS);
  return house.live().flatMap((value) => {
    const difference = differenceFrom(
      expectedAt(rowsOf(counted, value), value.windowEnd, value.position.sequence),
      value,
    );
    return difference === undefined ? [] : [difference];
  });
}

describe('snapshots of the aggregate worker', () => {
  let house: House;
  beforeEach(async () => {
    house = await startHouse();
  });
  afterEach(() => house.stop());

  it('let a worker that was stopped go on without applying anything again', async () => {
    const first = await house.startWorker();
    await send(house, 30);
    await eventually(() => expect(house.live().length).toBeGreaterThan(0));
    await eventually(async () =>
      expect(await count(first.metrics, 'atrium_aggregate_readings_total', 'applied')).toBe(90),
    );
    await first.stop();

    const told = house.live().length;
    await send(house, 2, 30);
    const second = await house.startWorker();
    await eventually(() => expect(house.live().length).toBeGreaterThan(told));
    expect(await count(second.metrics, 'atrium_aggregate_snapshots_used_total', 'restored')).toBeGreaterThan(
      0,
    );
    expect(await count(second.metrics, 'atrium_aggregate_readings_total', 'applied')).toBe(6);
    expect(wrongOf(house)).toEqual([]);
  });

  it('are not believed where they are damaged: the partition is replayed from its checkpoint', async () => {
    const first = await house.startWorker();
    await send(house, 30);
    await eventually(async () =>
      expect(await count(first.metrics, 'atrium_aggregate_readings_total', 'applied')).toBe(90),
    );
    await first.stop();
    await house.damageSnapshots();

    const told = house.live().length;
    const second = await house.startWorker();
    await send(house, 2, 30);
    await eventually(() => expect(house.live().length).toBeGreaterThan(told));
    expect(await count(second.metrics, 'atrium_aggregate_snapshots_used_total', 'unreadable')).toBe(1);
    expect(await count(second.metrics, 'atrium_aggregate_readings_total', 'applied')).toBeGreaterThan(6);
    expect(wrongOf(house)).toEqual([]);
  });
});
