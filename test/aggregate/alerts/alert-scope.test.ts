import { type AlertCondition } from '../../../src/domain/alert';
import { type Inventory, type StandingDevice } from '../../../src/store/building-inventory';
import { type AlertRuleDocument } from '../../../src/store/alert-documents';
import { buildEngine, buildRule, frame, type Sent, START } from './alert-house';

/** Level 1 with room A in it, and room B beside it. */
function buildInventory(devices: Partial<StandingDevice>[] = []): Inventory {
  const parents = new Map([['spc_a', 'spc_level']]);
  return {
    version: 1,
    devices: new Map(
      devices.map((each, index) => {
        const device = {
          deviceId: `dev_${index}`,
          tenantId: 'ten_a',
          spaceId: 'spc_a',
          expected: true,
          intervalMs: 60_000,
          activatedAt: START,
          points: [],
          ...each,
        };
        return [device.deviceId, device];
      }),
    ),
    isWithin: (spaceId, outer) => spaceId === outer || parents.get(spaceId) === outer,
  };
}

const knowing = (inventory: Inventory) => ({ inventoryOf: () => inventory });

const at = (seconds: number, value: number, parts: Partial<Sent> = {}): Sent => ({
  observedAt: START + 1000 * seconds,
  value,
  ...parts,
});

const inSpace = (parts: Partial<AlertRuleDocument> = {}) =>
  buildRule({
    ...parts,
    scope: { buildingId: 'bld_a', spaceId: 'spc_level', deviceId: null, ...parts.scope },
  });

const second = (seconds: number): number => START / 1000 + seconds;

describe('a rule of a space', () => {
  it('looks at what lies in it, however deep, and at nothing beside it', () => {
    const { engine, effects } = buildEngine([inSpace()], knowing(buildInventory()));
    engine.apply(
      frame([
        at(1, 35, { pointOrdinal: 1, spaceId: 'spc_level' }),
        at(1, 35, { pointOrdinal: 2, spaceId: 'spc_a' }),
        at(1, 35, { pointOrdinal: 3, spaceId: 'spc_b' }),
      ]),
      0,
      START + 1_000,
    );
    expect(effects.map(({ key }) => key)).toEqual(['alr_1 1 pnt_1', 'alr_1 1 pnt_2']);
  });

  it('looks at a point that has moved into it', () => {
    const { engine, effects } = buildEngine([inSpace()], knowing(buildInventory()));
    engine.apply(frame([at(1, 35, { spaceId: 'spc_b' })]), 0, START + 1_000);
    engine.apply(frame([at(2, 36, { spaceId: 'spc_b' })]), 1, START + 2_000);
    expect(effects).toEqual([]);
    engine.apply(frame([at(3, 37, { spaceId: 'spc_a' })]), 2, START + 3_000);
    expect(effects).toMatchObject([{ kind: 'raise', onset: START + 3_000, subject: { spaceId: 'spc_a' } }]);
  });

  it('says which building must be applied again while nobody knows what lies in it, beside rules that judge already', () => {
    const known: { inventory?: Inventory } = {};
    const notJudged: string[] = [];
    const { engine, effects } = buildEngine([inSpace(), buildRule({ id: 'alr_2' })], {
      inventoryOf: () => known.inventory,
      notJudged: (buildingId) => notJudged.push(buildingId),
    });
    engine.apply(frame([at(1, 20)]), 0, START + 1_000);
    expect(notJudged).toEqual(['bld_a']);
    known.inventory = buildInventory();
    engine.apply(frame([at(2, 35)]), 1, START + 2_000);
    expect(effects.map(({ key }) => key)).toEqual(['alr_1 1 pnt_0', 'alr_2 1 pnt_0']);
    expect(notJudged).toHaveLength(1);
  });

  it('looks at the average of just what lies in it', () => {
    const asked: (boolean[] | null)[] = [];
    const condition: AlertCondition = {
      kind: 'AVERAGE',
      comparison: 'ABOVE',
      low: null,
      high: 25,
      hysteresis: 0,
      forMs: 0,
    };
    let mean = 24;
    const { engine, effects } = buildEngine([inSpace({ condition })], {
      ...knowing(buildInventory()),
      placeValue: (_of, within) => {
        asked.push(within && ['spc_a', 'spc_b'].map(within));
        return { mean, devicesReporting: 1 };
      },
    });
    engine.advance(second(1), true);
    expect(asked.at(-1)).toEqual([true, false]);
    expect(effects).toEqual([]);
    mean = 26;
    engine.advance(second(2), true);
    mean = 24;
    engine.advance(second(3), true);
    expect(effects).toMatchObject([
      { kind: 'raise', onset: START + 2_000, value: 26, subject: { spaceId: 'spc_level', pointId: null } },
      { kind: 'clear', at: START + 3_000, because: 'BACK_IN_ORDER' },
    ]);
  });
});

describe('a rule of a device', () => {
  it('looks at its points alone', () => {
    const scope = { buildingId: 'bld_a', spaceId: null, deviceId: 'dev_1' };
    const { engine, effects } = buildEngine([buildRule({ scope })]);
    const both = [at(1, 35), at(1, 35, { pointOrdinal: 1, deviceOrdinal: 1 })];
    engine.apply(frame(both), 0, START + 1_000);
    expect(effects).toMatchObject([{ kind: 'raise', subject: { deviceId: 'dev_1', pointId: 'pnt_1' } }]);
  });

  it('hears whether that one is silent, and no other', () => {
    const scope = { buildingId: 'bld_a', spaceId: null, deviceId: 'dev_1' };
    const condition: AlertCondition = { kind: 'DEVICE_SILENT', intervals: 2 };
    const { engine, effects } = buildEngine([buildRule({ quantity: null, condition, scope })], {
      ...knowing(buildInventory([{}, {}])),
    });
    engine.apply(frame([at(0, 20), at(0, 20, { pointOrdinal: 1, deviceOrdinal: 1 })]), 0, START);
    for (let i = 1; i <= 200; i++) engine.advance(second(i), true);
    expect(effects).toMatchObject([
      { kind: 'raise', onset: START + 120_000, subject: { deviceId: 'dev_1', pointId: null } },
    ]);
  });
});

describe('a rule of too few devices', () => {
  const condition: AlertCondition = { kind: 'TOO_FEW_REPORTING', share: 0.5, forMs: 10_000 };

  function buildHouse(rule: AlertRuleDocument) {
    const state = { reporting: 4 };
    const measures = (spaceId: string): Partial<StandingDevice> => ({
      spaceId,
      points: [{ pointId: 'pnt', quantity: 'AIR_TEMPERATURE', spaceId }],
    });
    const house = buildEngine([rule], {
      expected: () => 4,
      ...knowing(buildInventory([measures('spc_a'), measures('spc_a'), measures('spc_b'), { points: [] }])),
      placeValue: (_of, within) => ({ mean: 20, devicesReporting: within === null ? state.reporting : 0 }),
    });
    house.engine.watch('ten_a', 'bld_a');
    const pass = (from: number, to: number, told = true): void => {
      for (let i = from; i <= to; i++) house.engine.advance(second(i), told);
    };
    return { ...house, state, pass };
  }

  it('is raised once their share has been too small for as long as it says, with the share, and cleared', () => {
    const { effects, state, pass } = buildHouse(buildRule({ condition }));
    pass(1, 400);
    state.reporting = 1;
    pass(401, 410);
    expect(effects).toEqual([]);
    pass(411, 411);
    state.reporting = 2;
    pass(412, 412);
    expect(effects).toMatchObject([
      { kind: 'raise', onset: START + 401_000, raisedAt: START + 411_000, value: 0.25 },
      { kind: 'clear', at: START + 412_000 },
    ]);
  });

  it('of a space reckons with the devices that measure its quantity there', () => {
    const { effects, pass } = buildHouse(inSpace({ condition: { ...condition, forMs: 0 } }));
    pass(1, 302);
    expect(effects).toMatchObject([{ kind: 'raise', value: 0, subject: { spaceId: 'spc_level' } }]);
  });

  it('says nothing during an outage of ours, nor before windows could fill again', () => {
    const { effects, state, pass } = buildHouse(buildRule({ condition }));
    state.reporting = 0;
    pass(1, 250);
    pass(251, 300, false);
    pass(301, 600);
    expect(effects).toEqual([]);
    pass(601, 700);
    expect(effects).toMatchObject([{ kind: 'raise', onset: START + 601_000 }]);
  });

  it('says nothing where nobody knows how many there should be', () => {
    const { engine, effects } = buildEngine([buildRule({ condition })], {
      expected: () => undefined,
      placeValue: () => ({ mean: null, devicesReporting: 0 }),
    });
    engine.watch('ten_a', 'bld_a');
    for (let i = 1; i <= 400; i++) engine.advance(second(i), true);
    expect(effects).toEqual([]);
  });
});

describe('silence, while something of ours is out of order', () => {
  const condition: AlertCondition = { kind: 'DEVICE_SILENT', intervals: 2 };
  const many = Array.from({ length: 50 }, () => ({}));

  function buildHouse() {
    const house = buildEngine([buildRule({ quantity: null, condition })], {
      ...knowing(buildInventory(many)),
    });
    const everybody = (seconds: number, sequence: number): void =>
      house.engine.apply(
        frame(many.map((_, i) => at(seconds, 20, { pointOrdinal: i, deviceOrdinal: i }))),
        sequence,
        START + 1000 * seconds,
      );
    const pass = (from: number, to: number, told: boolean): void => {
      for (let i = from; i <= to; i++) house.engine.advance(second(i), told);
    };
    return { ...house, everybody, pass };
  }

  it('is nobody’s, however long it lasts, and everybody has an interval afterwards', () => {
    const { effects, everybody, pass } = buildHouse();
    everybody(0, 0);
    pass(1, 60, true);
    pass(61, 3_600, false);
    pass(3_601, 3_650, true);
    expect(effects).toEqual([]);
    everybody(3_651, 1);
    pass(3_651, 3_700, true);
    expect(effects).toEqual([]);
  });

  it('is a device’s own that is still not heard an interval later', () => {
    const { effects, everybody, pass } = buildHouse();
    everybody(0, 0);
    pass(1, 60, true);
    pass(61, 3_600, false);
    pass(3_601, 3_700, true);
    expect(new Set(effects.map(({ key }) => key)).size).toBe(50);
    expect(effects).toHaveLength(50);
  });
});
