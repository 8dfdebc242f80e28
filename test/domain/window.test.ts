import fc from 'fast-check';
import { partitionOf } from '../../src/domain/partition';
import { quantityNamed, QUANTITIES } from '../../src/domain/quantity';
import { toCanonical } from '../../src/domain/unit';
import { isTooLate, slotOf, WINDOW_SECONDS } from '../../src/domain/window';

describe('the five-minute window', () => {
  it('holds an instant exactly when its slot is one of its three hundred', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000 }), fc.integer({ min: 0, max: 2_000 }), (at, T) => {
        const inWindow = at > (T - WINDOW_SECONDS) * 1000 && at <= T * 1000;
        const slot = slotOf(at);
        expect(slot > T - WINDOW_SECONDS && slot <= T).toBe(inWindow);
      }),
    );
  });

  it('judges lateness by the enqueued time, the bound itself being in time', () => {
    expect(isTooLate(0, 300_000, 300_000)).toBe(false);
    expect(isTooLate(0, 300_001, 300_000)).toBe(true);
  });
});

describe('quantities and units', () => {
  it('give no two quantities one code or one name', () => {
    expect(new Set(QUANTITIES.map((each) => each.code)).size).toBe(QUANTITIES.length);
    expect(new Set(QUANTITIES.map((each) => each.name)).size).toBe(QUANTITIES.length);
  });

  it('convert what a device sends to the canonical unit and refuse what measures something else', () => {
    const temperature = quantityNamed('AIR_TEMPERATURE');
    expect(toCanonical(temperature, 212, '[degF]')).toBeCloseTo(100, 10);
    expect(toCanonical(temperature, 273.15, 'K')).toBeCloseTo(0, 10);
    expect(toCanonical(temperature, 21.5, undefined)).toBe(21.5);
    expect(toCanonical(temperature, 21.5, 'lx')).toBeUndefined();
    expect(toCanonical(temperature, 21.5, 'constructor')).toBeUndefined();
    expect(toCanonical(temperature, 21.5, '__proto__')).toBeUndefined();
    expect(toCanonical(quantityNamed('RELATIVE_HUMIDITY'), 0.45, '/')).toBeCloseTo(45, 10);
  });
});

describe('a conversion', () => {
  it('adds nothing of its own: the bound of a range is in range in every unit', () => {
    const temperature = quantityNamed('AIR_TEMPERATURE');
    expect(toCanonical(temperature, 185, '[degF]')).toBe(temperature.maximum);
    expect(toCanonical(temperature, -76, '[degF]')).toBe(temperature.minimum);
    expect(toCanonical(temperature, 358.15, 'K')).toBe(temperature.maximum);
    expect(toCanonical(quantityNamed('RELATIVE_HUMIDITY'), 1, '/')).toBe(100);
    expect(toCanonical(temperature, Infinity, '[degF]')).toBe(Infinity);
  });
});

describe('the partition of a building', () => {
  it('spreads buildings evenly over the partitions', () => {
    const counts = new Array<number>(8).fill(0);
    for (let i = 0; i < 8000; i++) counts[partitionOf(`bld_${i.toString(36)}`, 8)]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
