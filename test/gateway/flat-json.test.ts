import { flatJson } from '../../src/gateway/decoders/flat-json';
import { decodeWith, NOW } from './decoding.support';

describe('flat JSON', () => {
  const decode = (payload: unknown) => decodeWith(flatJson, payload);

  test('every key but observedAt is a channel', () => {
    const payload = { temperature: 21.5, observedAt: '2026-03-01T12:00:00Z', humidity: 40 };
    expect(decode(payload).readings).toEqual([
      { index: 0, channel: 'temperature', value: 21.5, unit: undefined, at: NOW },
      { index: 0, channel: 'humidity', value: 40, unit: undefined, at: NOW },
    ]);
  });

  test('an array is many, each with its index', () => {
    const payload = [{ temperature: 1 }, { temperature: 2, observedAt: '2026-03-01T11:59:00Z' }];
    expect(decode(payload).readings).toEqual([
      { index: 0, channel: 'temperature', value: 1, unit: undefined, at: 'now+0' },
      { index: 1, channel: 'temperature', value: 2, unit: undefined, at: NOW - 60_000 },
    ]);
  });

  test.each([[1_772_366_400_000], [null], ['yesterday'], [{}]])(
    'a time of %j is handed on as none',
    (time) => {
      const [reading] = decode({ temperature: 1, observedAt: time }).readings;
      expect(reading!.at).toBeNaN();
    },
  );

  test.each([
    ['', 'the body is empty'],
    ['{"temperature": 21.5', 'the body is not JSON'],
    ['[]', 'the array holds no reading'],
    ['{"temperature": NaN}', 'the body is not JSON'],
  ])('the body %j is refused whole: %s', (payload, reason) => {
    expect(decode(payload).fault?.message).toContain(reason);
  });

  test('a body that is not UTF-8 is refused whole', () => {
    expect(decode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).fault?.message).toBe(
      'the body is not UTF-8',
    );
  });

  test.each([[3], ['21.5'], [null], [[]]])('a record %j is refused and the others stand', (record) => {
    const { readings, refused } = decode([{ temperature: 1 }, record, { temperature: 2 }]);
    expect(readings.map((each) => each.index)).toEqual([0, 2]);
    expect(refused).toMatchObject([{ index: 1, channel: '', code: 'PAYLOAD_INVALID' }]);
  });

  test('an object without a reading is refused', () => {
    expect(decode({ observedAt: '2026-03-01T12:00:00Z' }).refused).toMatchObject([
      { index: 0, code: 'PAYLOAD_INVALID', message: 'the object holds no reading' },
    ]);
  });

  test('keys that name an object’s innards are channels like any other', () => {
    const { readings } = decode('{"__proto__": 1, "constructor": 2, "toString": 3}');
    expect(readings.map((each) => each.channel)).toEqual(['__proto__', 'constructor', 'toString']);
  });
});
