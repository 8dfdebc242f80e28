import fc from 'fast-check';
import { parseInstant } from '../../src/gateway/instant';

describe('instants', () => {
  test('every date-time that Date writes is read as the same instant', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('1970-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => parseInstant(date.toISOString()) === date.getTime(),
      ),
    );
  });

  test.each([
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01t12:00:00z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T12:00:00.5Z', '2026-03-01T12:00:00.500Z'],
    ['2026-03-01T12:00:00.1239999Z', '2026-03-01T12:00:00.123Z'],
    ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z'],
    ['2026-03-01T12:00:00.25-07:30', '2026-03-01T19:30:00.250Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(new Date(parseInstant(text)).toISOString()).toBe(instant);
  });

  test.each([
    '',
    '2026-03-01',
    '2026-03-01T12:00:00',
    '2026-03-01 12:00:00Z',
    '2026-03-01T12:00Z',
    '2026-13-01T12:00:00Z',
    '2026-02-29T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:60:00Z',
    '2026-03-01T12:00:61Z',
    '2026-03-01T12:00:00.Z',
    '2026-03-01T12:00:00Zx',
    '2026-03-01T12:00:00+0200',
    '2026-03-01T12:00:00+24:00',
    '+2026-03-01T12:00:00Z',
    '1772366400000',
    'Sun, 01 Mar 2026 12:00:00 GMT',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeNaN();
  });

  test('whatever the text is, the outcome is an instant or NaN', () => {
    fc.assert(fc.property(fc.string(), (text) => Number.isNaN(parseInstant(text)) || text.length >= 20));
  });
});
