import fc from 'fast-check';
import { type AlertCondition } from '../../../src/domain/alert';
import { type AlertEngine } from '../../../src/aggregate/alerts/alert-engine';
import { APPLIED, DUPLICATE } from '../../../src/aggregate/engine';
import { above, buildEngine, buildRule, episodesFrom, frame, type Sent, START } from './alert-house';
import { episodesOf } from './alert-model';

const conditions: fc.Arbitrary<AlertCondition> = fc.oneof(
  fc.constantFrom<AlertCondition>(
    above(5),
    above(5, 2),
    above(5, 2, 30_000),
    { kind: 'READING', comparison: 'BELOW', low: 4, high: null, hysteresis: 1, forMs: 0 },
    { kind: 'READING', comparison: 'OUTSIDE', low: 2, high: 7, hysteresis: 2, forMs: 0 },
    { kind: 'READING', comparison: 'OUTSIDE', low: 2, high: 7, hysteresis: 1, forMs: 45_000 },
    { kind: 'STATE', value: 1, forMs: 0 },
    { kind: 'STATE', value: 1, forMs: 20_000 },
    { kind: 'RATE_OF_CHANGE', change: 3, withinMs: 30_000, direction: 'ANY' },
    { kind: 'RATE_OF_CHANGE', change: 3, withinMs: 60_000, direction: 'RISING' },
    { kind: 'RATE_OF_CHANGE', change: 2, withinMs: 20_000, direction: 'FALLING' },
  ),
);

interface Step {
  gap: number;
  value: number;
  repeated: boolean;
}

const steps = fc.array(
  fc.record({
    gap: fc.integer({ min: 1, max: 40_000 }),
    value: fc.integer({ min: 0, max: 9 }),
    repeated: fc.boolean(),
  }),
  { minLength: 1, maxLength: 60 },
);

/** In the order in which they are observed; some sent again with another value. */
function readingsOf(list: readonly Step[]): Sent[] {
  let at = START;
  return list.flatMap(({ gap, value, repeated }) => {
    at += gap;
    const reading = { observedAt: at, value };
    return repeated ? [reading, { observedAt: at, value: 9 - value }] : [reading];
  });
}

/** Each reading an event of its own; the clock keeps up. */
function feed(engine: AlertEngine, readings: readonly Sent[], from = 0): void {
  readings.forEach((reading, index) => {
    if (index < from) return;
    engine.advance(Math.floor(reading.observedAt / 1000), true);
    engine.apply(frame([reading]), index, reading.observedAt);
  });
}

const END = 3 * 86_400_000;

describe('the engine of the alerts', () => {
  it('finds what the definition finds in readings that come in their order, some of them twice', () => {
    fc.assert(
      fc.property(conditions, steps, (condition, list) => {
        const readings = readingsOf(list);
        const { engine, effects } = buildEngine([buildRule({ condition })]);
        feed(engine, readings);
        engine.advance((START + END) / 1000, true);
        expect(episodesFrom(effects)).toEqual(episodesOf(condition, readings, START + END - 1_000));
      }),
      { numRuns: 500 },
    );
  });

  it('finds the same in whatever order one event has them', () => {
    fc.assert(
      fc.property(
        conditions,
        steps,
        // Eight are within five minutes of one another: what is later than that and out of its order is not judged.
        fc.integer({ min: 2, max: 8 }),
        fc.infiniteStream(fc.nat()),
        (condition, list, size, random) => {
          const readings = readingsOf(list.map((step) => ({ ...step, repeated: false })));
          const { engine, effects } = buildEngine([buildRule({ condition })]);
          for (let begin = 0; begin < readings.length; begin += size) {
            const rows = readings.slice(begin, begin + size);
            const shuffled = rows
              .map((row) => ({ row, by: random.next().value }))
              .sort((a, b) => a.by - b.by)
              .map(({ row }) => row);
            engine.apply(frame(shuffled), begin, rows.at(-1)!.observedAt);
          }
          engine.advance((START + END) / 1000, true);
          expect(episodesFrom(effects)).toEqual(episodesOf(condition, readings, START + END - 1_000));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('finds the same onset in whatever order late readings come before anything was raised', () => {
    const condition = above(5, 1, 120_000);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { minLength: 10 }),
        fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 10, maxLength: 10 }),
        (order, values) => {
          const readings = values.map((value, i) => ({ observedAt: START + 10_000 * i, value }));
          const { engine, effects } = buildEngine([buildRule({ condition })]);
          order.forEach((i, sequence) => {
            engine.apply(frame([readings[i]!]), sequence, START + 100_000 + sequence);
          });
          engine.advance((START + END) / 1000, true);
          expect(episodesFrom(effects)).toEqual(episodesOf(condition, readings, START + END - 1_000));
        },
      ),
    );
  });

  it('raises and clears at once what was over before its readings came', () => {
    const { engine, effects } = buildEngine([buildRule()]);
    const at = (seconds: number, value: number): Sent => ({ observedAt: START + seconds * 1000, value });
    feed(engine, [at(10, 20), at(60, 21)]);
    engine.apply(frame([at(30, 35), at(31, 36)]), 2, START + 61_000);
    expect(episodesFrom(effects)).toEqual([
      { onset: START + 30_000, raisedAt: START + 30_000, clearedAt: START + 60_000 },
    ]);
    engine.apply(frame([at(32, 36), at(29, 40)]), 3, START + 62_000);
    expect(effects).toHaveLength(1);
  });

  it('raises nothing again when a reading comes late behind many that were told', () => {
    for (const condition of [
      above(30),
      { kind: 'RATE_OF_CHANGE', change: 3, withinMs: 10_000, direction: 'RISING' } as const,
    ]) {
      const { engine, effects } = buildEngine([buildRule({ condition })]);
      const readings = Array.from({ length: 60 }, (_, i) => ({
        observedAt: START + 4_000 * i,
        value: i % 2 === 0 ? 20 : 40,
      }));
      feed(engine, readings);
      const told = effects.length;
      for (let i = 50; i < 58; i += 2) {
        engine.apply(frame([{ observedAt: START + 4_000 * i + 1, value: 20 }]), 60 + i, START + 240_000);
      }
      expect(effects).toHaveLength(told);
      expect(told).toBeGreaterThan(50);
    }
  });

  it('keeps the onset that was told when an earlier reading comes to light', () => {
    const { engine, effects } = buildEngine([buildRule()]);
    const at = (seconds: number, value: number): Sent => ({ observedAt: START + seconds * 1000, value });
    feed(engine, [at(10, 20), at(60, 35)]);
    engine.apply(frame([at(50, 36)]), 2, START + 61_000);
    feed(engine, [at(10, 20), at(60, 35), at(70, 20)], 2);
    expect(episodesFrom(effects)).toEqual([
      { onset: START + 60_000, raisedAt: START + 60_000, clearedAt: START + 70_000 },
    ]);
  });

  it('goes on from what was packed as if nothing had happened, wherever that was', () => {
    fc.assert(
      fc.property(conditions, steps, fc.nat(), (condition, list, when) => {
        const readings = readingsOf(list);
        const at = when % readings.length;
        const rule = buildRule({ condition });
        const whole = buildEngine([rule]);
        feed(whole.engine, readings);
        whole.engine.advance((START + END) / 1000, true);
        const first = buildEngine([rule]);
        feed(first.engine, readings.slice(0, at));
        const second = buildEngine([rule]);
        const clock = at === 0 ? START : readings[at - 1]!.observedAt;
        second.engine.restore(structuredClone(first.engine.pack()), {
          sequence: at - 1,
          second: Math.floor(clock / 1000),
        });
        feed(second.engine, readings, at);
        second.engine.advance((START + END) / 1000, true);
        expect([...first.effects, ...second.effects].map(({ neededSince: _, ...each }) => each)).toEqual(
          whole.effects.map(({ neededSince: _, ...each }) => each),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('judges no row that averages know for a repeated one', () => {
    const { engine, effects } = buildEngine([buildRule()]);
    const readings = [
      { observedAt: START + 1_000, value: 35 },
      { observedAt: START + 2_000, value: 20 },
    ];
    engine.apply(frame(readings), 0, START + 2_000, Uint8Array.of(DUPLICATE, APPLIED));
    expect(effects).toEqual([]);
    engine.apply(frame([{ observedAt: START + 3_000, value: 35 }]), 1, START + 3_000, Uint8Array.of(APPLIED));
    expect(effects).toMatchObject([{ kind: 'raise', onset: START + 3_000 }]);
  });

  it('clears what a former revision raised, and what an ended rule did, and raises nothing more', () => {
    const { engine, effects } = buildEngine([buildRule()]);
    const at = (seconds: number, value: number): Sent => ({ observedAt: START + seconds * 1000, value });
    engine.apply(frame([at(1, 35)]), 0, START + 1_000);
    engine.setRule(buildRule({ name: 'Much too warm' }));
    expect(effects).toHaveLength(1);
    engine.setRule(buildRule({ revision: 2, condition: above(33), changedAt: START + 2_000 }));
    expect(effects.at(-1)).toMatchObject({ kind: 'clear', because: 'RULE_CHANGED', at: START + 2_000 });
    engine.apply(frame([at(3, 35)]), 1, START + 3_000);
    expect(effects.at(-1)).toMatchObject({ kind: 'raise', onset: START + 3_000, rule: { revision: 2 } });
    engine.setRule(buildRule({ revision: 3, changedAt: START + 4_000, endedAt: START + 4_000 }));
    expect(effects.at(-1)).toMatchObject({ kind: 'clear', because: 'RULE_ENDED', at: START + 4_000 });
    engine.apply(frame([at(5, 35)]), 2, START + 5_000);
    expect(effects).toHaveLength(4);
  });

  it('looks at what lies in the scope of a rule alone', () => {
    const { engine, effects } = buildEngine([
      buildRule({ scope: { buildingId: null, spaceId: null, deviceId: 'dev_1' } }),
      buildRule({ id: 'alr_2', scope: { buildingId: 'bld_b', spaceId: null, deviceId: null } }),
      buildRule({ id: 'alr_3', scope: { buildingId: null, spaceId: 'spc_b', deviceId: null } }),
      buildRule({ id: 'alr_4', quantity: 'RELATIVE_HUMIDITY' }),
      buildRule({ id: 'alr_5', tenantId: 'ten_b' }),
    ]);
    const reading = { observedAt: START + 1_000, value: 35 };
    engine.apply(
      frame([
        { ...reading, pointOrdinal: 1, deviceOrdinal: 1 },
        { ...reading, pointOrdinal: 2, deviceOrdinal: 2, spaceId: 'spc_b' },
        { ...reading, pointOrdinal: 3, deviceOrdinal: 3, quantity: 2 },
        { ...reading, pointOrdinal: 4, deviceOrdinal: 4, buildingId: 'bld_b' },
      ]),
      0,
      START + 1_000,
    );
    expect(effects.map(({ key }) => key)).toEqual([
      'alr_1 1 pnt_1',
      'alr_3 1 pnt_2',
      'alr_4 1 pnt_3',
      'alr_2 1 pnt_4',
    ]);
  });
});
