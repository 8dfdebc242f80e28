import { buildReading } from '../support/readings';
import { type ColdStore, type ColdStores, startColdStores } from './cold-store';

const MIDNIGHT = Date.parse('2026-03-11T00:00:00Z');
const SIGNAL = new AbortController().signal;

describe('a message without a time', () => {
  let stores: ColdStores;
  beforeAll(async () => {
    stores = await startColdStores();
  });
  afterAll(() => stores?.stop());

  /** Arrives at these instants, which it is stamped with: two messages, the second one always a minute later. */
  async function arriving(...instants: number[]): Promise<ColdStore> {
    const cold = await stores.next({ now: () => MIDNIGHT + 60 * 86_400_000 });
    for (const [sequence, observedAt] of instants.entries()) {
      const place = { tenantId: 'ten_a', buildingId: 'bld_a', spaceId: 'spc_a', pointId: 'pnt_a' };
      const readings = ['one', 'two'].map((messageId, i) =>
        buildReading({
          ...place,
          ...{ observedAt: observedAt + i * 60_000, value: sequence },
          undated: { messageId, messageIndex: 0 },
        }),
      );
      const enqueuedAt = observedAt + 61_000;
      await cold.land([{ incarnation: '1700000000000-1', partition: 0, sequence, enqueuedAt, readings }]);
    }
    return cold;
  }

  async function told(cold: ColdStore, from = MIDNIGHT - 3_600_000): Promise<[number, number][]> {
    const where = {
      tenantId: 'ten_a',
      buildingIds: ['bld_a'],
      spaceIds: null,
      deviceId: null,
      pointId: null,
    };
    const { items } = await cold.questions.readings(
      { ...where, quantities: ['AIR_TEMPERATURE'], from, to: MIDNIGHT + 3_600_000 },
      { first: 100, after: null },
      SIGNAL,
    );
    // Over all of it at once: a page of readings looks at one day after the other.
    const history = await cold.questions.history(
      { ...where, from, to: MIDNIGHT + 3_600_000 },
      {
        quantity: 'AIR_TEMPERATURE',
        step: { months: 0, days: 1, milliseconds: 0 },
        timeZone: 'UTC',
      },
      SIGNAL,
    );
    expect(history.ok && history.value.reduce((sum, { count }) => sum + count, 0)).toBe(items.length);
    return items.map(({ observedAt, value }) => [(observedAt - MIDNIGHT) / 60_000, value]);
  }

  const minutes = (...of: number[]): number[] => of.map((each) => MIDNIGHT + each * 60_000);

  it('is one reading of each UTC day that it was stamped on, wherever it lies and in whatever periods', async () => {
    // Twice before midnight, and twice behind it.
    const instants = minutes(-20, -10, 2, 12);
    const expected = [
      [-20, 0],
      [-19, 0],
      [2, 2],
      [3, 2],
    ];
    const landed = await arriving(...instants);
    expect(await told(landed)).toEqual(expected);
    expect(await told(landed, MIDNIGHT)).toEqual(expected.slice(2));
    await landed.curate();
    expect(await told(landed)).toEqual(expected);
    const months = await arriving(...instants);
    await months.curate({ months: true });
    expect(await told(months)).toEqual(expected);
  });

  it.each([false, true])('that lands behind what was curated is so too (months: %s)', async (months) => {
    const cold = await arriving(...minutes(-20));
    await cold.curate({ months });
    const later = minutes(-10, 2, 12).map((observedAt, i) => ({
      incarnation: '1700000000000-1',
      partition: 0,
      sequence: i + 1,
      enqueuedAt: observedAt + 1_000,
      readings: [
        buildReading({
          ...{ tenantId: 'ten_a', buildingId: 'bld_a', spaceId: 'spc_a', pointId: 'pnt_a' },
          ...{ observedAt, value: i + 1, undated: { messageId: 'one', messageIndex: 0 } },
        }),
      ],
    }));
    for (const each of later) await cold.land([each]);
    const expected = [
      [-20, 0],
      [-19, 0],
      [2, 2],
    ];
    expect(await told(cold)).toEqual(expected);
    await cold.curate({ months });
    expect(await told(cold)).toEqual(expected);
  });

  it('stands where it arrived first, also where that stamp lies behind the range that is asked for', async () => {
    const cold = await arriving(...minutes(30, 10));
    expect(await told(cold, MIDNIGHT)).toEqual([
      [30, 0],
      [31, 0],
    ]);
    const where = {
      tenantId: 'ten_a',
      buildingIds: ['bld_a'],
      spaceIds: null,
      deviceId: null,
      pointId: null,
    };
    const before = async () =>
      (
        await cold.questions.readings(
          { ...where, quantities: ['AIR_TEMPERATURE'], from: MIDNIGHT, to: MIDNIGHT + 20 * 60_000 },
          { first: 10, after: null },
          SIGNAL,
        )
      ).items;
    expect(await before()).toEqual([]);
    await cold.curate();
    expect(await before()).toEqual([]);
  });
});
