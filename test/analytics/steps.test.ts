import { runsOf, stepsOf } from '../../src/analytics/steps';
import { createLocalDays } from '../../src/analytics/time-zone';
import { calendarDurationOf } from '../../src/domain/calendar-duration';

const HOUR = 3_600_000;

function lengths(zone: string, from: string, to: string, step: string): number[] {
  const range = { from: Date.parse(from), to: Date.parse(to), step: calendarDurationOf(step)! };
  const steps = stepsOf(range, zone);
  if (!steps.ok) throw new Error(steps.message);
  return steps.edges.slice(1).map((edge, i) => (edge - steps.edges[i]!) / HOUR);
}

describe('steps in a time zone', () => {
  it.each([
    [
      'a day in spring has 23 hours',
      'Europe/Berlin',
      '2026-03-27T23:00Z',
      '2026-03-30T22:00Z',
      'P1D',
      [24, 23, 24],
    ],
    [
      'a day in autumn has 25',
      'America/New_York',
      '2026-10-31T04:00Z',
      '2026-11-03T05:00Z',
      'P1D',
      [24, 25, 24],
    ],
    [
      'a clock may jump over midnight',
      'Africa/Cairo',
      '2026-04-22T22:00Z',
      '2026-04-25T21:00Z',
      'P1D',
      [24, 23, 24],
    ],
    [
      'a zone may leave a date out',
      'Pacific/Apia',
      '2011-12-29T10:00Z',
      '2011-12-31T10:00Z',
      'P1D',
      [24, 24],
    ],
    [
      'months have their own lengths',
      'UTC',
      '2026-01-15T00:00Z',
      '2026-04-01T00:00Z',
      'P1M',
      [17 * 24, 28 * 24, 31 * 24],
    ],
    ['weeks begin on Monday', 'UTC', '2026-11-18T00:00Z', '2026-12-01T00:00Z', 'P1W', [5 * 24, 7 * 24, 24]],
    [
      'hours begin at each midnight anew',
      'Europe/Berlin',
      '2026-03-28T23:00Z',
      '2026-03-30T10:00Z',
      'PT6H',
      [6, 6, 6, 5, 6, 6],
    ],
    [
      'a step that does not divide the day is cut by midnight',
      'UTC',
      '2026-11-22T00:00Z',
      '2026-11-23T05:00Z',
      'PT10H',
      [10, 10, 4, 5],
    ],
    [
      'the range cuts the first and the last',
      'UTC',
      '2026-11-22T00:30Z',
      '2026-11-22T02:15Z',
      'PT1H',
      [0.5, 1, 0.25],
    ],
  ])('%s', (_, zone, from, to, step, expected) => {
    expect(lengths(zone, from.replace('Z', ':00Z'), to.replace('Z', ':00Z'), step)).toEqual(expected);
  });

  it.each([
    ['of two kinds', 'P1DT1H', 86_400_000, 'step must be of one kind'],
    ['of nothing', 'PT0S', 86_400_000, 'step must be of one kind'],
    ['of too many steps', 'PT1S', 86_400_000, 'the range holds more than'],
    ['that is empty', 'P1D', 0, 'from must lie before to'],
    ['of less than a second', 'PT0.5S', 86_400_000, 'step must be a second at least'],
  ])('refuses a range %s', (_, step, length, message) => {
    const steps = stepsOf({ from: 0, to: length, step: calendarDurationOf(step)! }, 'UTC');
    expect(steps).toEqual({ ok: false, message: expect.stringContaining(message) });
  });

  it('puts every instant into its step by a division', () => {
    const range = { from: Date.parse('2026-01-10T07:13:00Z'), to: Date.parse('2027-02-03T01:00:00Z') };
    for (const step of ['P1M', 'P1W', 'P3D', 'PT12H']) {
      const steps = stepsOf({ ...range, step: calendarDurationOf(step)! }, 'Europe/Berlin');
      if (!steps.ok) throw new Error(steps.message);
      const runs = runsOf(steps.edges);
      steps.edges.slice(0, -1).forEach((start, number) => {
        for (const t of [start, steps.edges[number + 1]! - 1]) {
          const run = runs.find(({ end }) => t < end)!;
          expect(run.index + Math.floor((t - run.start) / run.width)).toBe(number);
        }
      });
    }
  });

  it('knows the first instant of each local date', () => {
    for (const zone of ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
      const days = createLocalDays(zone);
      for (let day = 15_000; day < 15_800; day += 1) {
        const start = days.startOf(day);
        expect([zone, day, days.dayOf(start), days.dayOf(start - 1)]).toEqual([zone, day, day, day - 1]);
      }
    }
  });
});
