import { TooCostly } from '../../src/analytics/engine';
import { createStretches } from '../../src/analytics/stretches';

const ASKED = {
  ...{ low: null, high: 25, longerThan: 0, by: 'POINT' as const, silence: null, from: 0, to: 1e9, now: 1e9 },
  ...{ limit: 10, offset: 0 },
};
const MINUTE = 60_000;

describe('stretches of values that are out', () => {
  it('go on where a series is entered again behind another', () => {
    const stretches = createStretches(ASKED, true);
    const t = Float64Array.of(0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE);
    stretches.enter('pnt_a', 'bld_a');
    expect(stretches.take(t, Float64Array.of(20, 26, 27), 0, 3)).toBe(true);
    stretches.enter('pnt_b', 'bld_a');
    expect(stretches.take(t, Float64Array.of(20, 20), 0, 2)).toBe(true);
    stretches.enter('pnt_a', 'bld_a');
    expect(stretches.take(t, Float64Array.of(0, 0, 0, 26, 20), 3, 5)).toBe(true);
    expect(stretches.excursions()).toEqual([
      {
        ...{ buildingId: 'bld_a', pointId: 'pnt_a', start: MINUTE, end: 4 * MINUTE },
        ...{ endedBy: 'RETURNED', peak: 27, peakAt: 2 * MINUTE },
      },
    ]);
  });

  it('see rows that do not come in order', () => {
    const stretches = createStretches(ASKED, true);
    stretches.enter('pnt_a', 'bld_a');
    expect(stretches.take(Float64Array.of(5, 5), Float64Array.of(1, 2), 0, 2)).toBe(false);
    const loosely = createStretches(ASKED, false);
    loosely.enter('pnt_a', 'bld_a');
    expect(loosely.take(Float64Array.of(5, 5), Float64Array.of(1, 2), 0, 2)).toBe(true);
    expect(loosely.take(Float64Array.of(4), Float64Array.of(1), 0, 1)).toBe(false);
  });

  it('are given up where they would take more memory than they may', () => {
    const stretches = createStretches(ASKED, true, 100_000);
    const t = Float64Array.from({ length: 100_000 }, (_, i) => i * 1_000 + (i % 7));
    stretches.enter('pnt_a', 'bld_a');
    expect(() => stretches.take(t, new Float64Array(t.length), 0, t.length)).toThrow(TooCostly);
  });
});
