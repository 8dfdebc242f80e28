import { eventually } from '../support/eventually';
import { type House, startHouse } from './house';

describe('readings that come hours late', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house.stop());

  const row = (observedAt: number, value: number) => ({
    buildingId: 'bld_late',
    quantity: 1,
    pointOrdinal: 3,
    deviceOrdinal: 1,
    observedAt,
    value,
  });

  it('are stored, counted in the record with those that came in time, and told as a correction', async () => {
    const hourAgo = Math.floor(house.now() / 60_000) * 60_000 - 3_600_000;
    const { stop } = await house.startWorker();
    await house.send(0, [row(house.now(), 20)]);
    await house.send(0, [row(hourAgo, 10), row(hourAgo + 30_000, 30), row(hourAgo - 60 * 3_600_000, 99)]);
    await eventually(() => expect(house.rows().length).toBe(4));
    // A building is written once a minute, and corrections gather for half of one.
    await eventually(async () => {
      house.pass(10);
      const points = await house.history('bld_late');
      const corrected = points.filter(({ windowEnd }) => windowEnd * 1000 <= hourAgo + 600_000);
      expect(
        corrected.map(({ windowEnd, readings, mean }) => [windowEnd - hourAgo / 1000, readings, mean]),
      ).toEqual([
        [0, 1, 10],
        [60, 2, 20],
        [120, 2, 20],
        [180, 2, 20],
        [240, 2, 20],
        [300, 1, 30],
        [360, 0, null],
        [420, 0, null],
      ]);
    });
    await eventually(() => {
      const told = house
        .corrections()
        .flatMap(({ buildingId, quantity, minutes }) =>
          minutes.map((minute) => [buildingId, quantity, minute - hourAgo / 60_000]),
        );
      for (let minute = 0; minute <= 7; minute++) expect(told).toContainEqual(['bld_late', 1, minute]);
    });
    const stored = await house.recent('bld_late');
    expect(stored.map(({ value }) => value).sort((a, b) => a - b)).toEqual([10, 20, 30]);
    await stop();
  });
});
