import fc from 'fast-check';
import { senmlJson } from '../../src/gateway/decoders/senml-json';
import { decodeWith, NOW } from './decoding.support';

const decode = (payload: unknown) => decodeWith(senmlJson, payload);
const seconds = NOW / 1000;

describe('SenML JSON, by RFC 8428', () => {
  test('base fields hold from their record on, until the next of their kind', () => {
    const pack = [
      { bn: 'dev_x/', bt: seconds, bu: 'Cel', bver: 10, n: 'temperature', v: 20 },
      { n: 'temperature', t: -60, v: 19.5 },
      { n: 'humidity', u: '%RH', t: -120, v: 40 },
      { bn: '', bt: 0, bu: 'lx', n: 'light', v: 120 },
    ];
    expect(decode(pack)).toEqual({
      readings: [
        { index: 0, channel: 'temperature', value: 20, unit: 'Cel', at: NOW },
        { index: 1, channel: 'temperature', value: 19.5, unit: 'Cel', at: NOW - 60_000 },
        { index: 2, channel: 'humidity', value: 40, unit: '%RH', at: NOW - 120_000 },
        { index: 3, channel: 'light', value: 120, unit: 'lx', at: 'now+0' },
      ],
      refused: [],
    });
  });

  test.each([
    ['temperature', { n: 'temperature' }],
    ['the id, a slash and the channel', { bn: 'dev_x/', n: 'temperature' }],
    ['the id, a colon and the channel', { bn: 'dev_x:', n: 'temperature' }],
    ['the id, a dot and the channel', { n: 'dev_x.temperature' }],
    ['the id and the channel', { bn: 'dev_x', n: 'temperature' }],
    ['the base name alone', { bn: 'dev_x/temperature' }],
  ])('a record named by %s is of that channel', (_, name) => {
    expect(decode([{ ...name, v: 1 }]).readings[0]!.channel).toBe('temperature');
  });

  test('another device’s name is not taken for a channel of this one', () => {
    const { readings, refused } = decode([
      { bn: 'dev_y/', n: 'temperature', v: 1 },
      { n: 'humidity', v: 'damp' },
    ]);
    expect(readings).toMatchObject([{ device: 'dev_y', channel: 'temperature' }]);
    expect(refused).toMatchObject([{ channel: 'humidity', code: 'VALUE_NOT_A_NUMBER' }]);
  });

  test.each([
    ['no time is now', {}, 'now+0'],
    ['a negative time is in the past from now', { t: -5 }, 'now-5000'],
    ['a small positive time is in the future from now', { t: 5 }, 'now+5000'],
    ['below 2**28 a time is relative', { t: 2 ** 28 - 1 }, `now+${(2 ** 28 - 1) * 1000}`],
    ['from 2**28 on a time is absolute', { t: 2 ** 28 }, 2 ** 28 * 1000],
    ['base time and time are added first', { bt: 2 ** 28, t: -1 }, `now+${(2 ** 28 - 1) * 1000}`],
    ['milliseconds survive the addition', { bt: 1276020076.305, t: -0.304 }, 1276020076001],
  ])('%s', (_, times, at) => {
    expect(decode([{ n: 'temperature', v: 1, ...times }]).readings[0]!.at).toBe(at);
  });

  test('the base value is added to numbers and to nothing else', () => {
    const pack = [
      { bv: 20, n: 'temperature', v: 1.5 },
      { n: 'smoke', vb: true },
    ];
    expect(decode(pack).readings.map((each) => each.value)).toEqual([21.5, true]);
  });

  test.each([
    ['a number', '3', 'a SenML pack is an array'],
    ['an object', '{"n":"temperature","v":1}', 'a SenML pack is an array'],
    ['nothing', '[]', 'holds no record'],
    ['a record that is no object', '[[]]', 'a SenML record is an object'],
    ['a greater version', '[{"bver":11,"n":"temperature","v":1}]', 'newer than 10'],
    ['a version that is none', '[{"bver":0,"n":"temperature","v":1}]', 'positive integer'],
    ['two versions', '[{"bver":5,"n":"a","v":1},{"bver":10,"n":"a","v":1}]', 'one version'],
    ['a version after the default one', '[{"n":"a","v":1},{"bver":9,"n":"a","v":1}]', 'one version'],
    ['a label that must be understood', '[{"n":"temperature","v":1,"calibration_":3}]', 'must be understood'],
    ['a base name that is no text', '[{"bn":1,"n":"temperature","v":1}]', "'bn' is a text"],
    ['a base time that is no number', '[{"bt":"now","n":"temperature","v":1}]', "'bt' is a finite number"],
    ['a base value beyond all numbers', '[{"bv":1e999,"n":"temperature","v":1}]', "'bv' is a finite number"],
  ])('%s refuses the whole pack', (_, pack, reason) => {
    const { fault, readings } = decode(pack);
    expect(fault?.message).toContain(reason);
    expect(readings).toEqual([]);
  });

  test.each([
    ['no name', { v: 1 }, 'PAYLOAD_INVALID', 'no name'],
    ['a name that starts with a separator', { n: '/temperature', v: 1 }, 'PAYLOAD_INVALID', 'does not allow'],
    ['a name with a blank', { n: 'air temperature', v: 1 }, 'PAYLOAD_INVALID', 'does not allow'],
    ['a name that is no text', { n: 7, v: 1 }, 'PAYLOAD_INVALID', "'n' is a text"],
    ['no value', { n: 'temperature' }, 'PAYLOAD_INVALID', 'no value'],
    ['two values', { n: 'temperature', v: 1, vb: true }, 'PAYLOAD_INVALID', 'more than one value'],
    ['a text', { n: 'temperature', vs: 'warm' }, 'VALUE_NOT_A_NUMBER', 'not taken'],
    ['data', { n: 'temperature', vd: 'AQ' }, 'VALUE_NOT_A_NUMBER', 'not taken'],
    ['a sum alone', { n: 'temperature', s: 12 }, 'VALUE_NOT_A_NUMBER', 'sum'],
    ['a value that is a text', { n: 'temperature', v: '21.5' }, 'VALUE_NOT_A_NUMBER', "'v' is a string"],
    ['a boolean that is a number', { n: 'smoke', vb: 1 }, 'PAYLOAD_INVALID', "'vb' is a boolean"],
    ['a unit that is no text', { n: 'temperature', u: 1, v: 1 }, 'PAYLOAD_INVALID', "'u' is a text"],
    [
      'a time that is no number',
      { n: 'temperature', t: '0', v: 1 },
      'OBSERVED_AT_INVALID',
      "'t' is a number",
    ],
  ])('a record with %s is refused and the others stand', (_, record, code, reason) => {
    const good = { n: 'light', v: 1 };
    const { readings, refused, fault } = decode([good, record, good]);
    expect(fault).toBeUndefined();
    expect(readings.map((each) => each.index)).toEqual([0, 2]);
    expect(refused).toMatchObject([{ index: 1, code }]);
    expect(refused[0]!.message).toContain(reason);
  });

  test('labels that are not understood are ignored', () => {
    expect(decode([{ n: 'temperature', v: 1, ut: 60, bs: 2, colour: 'red' }]).readings).toHaveLength(1);
  });

  test('resolving a pack and decoding it again gives the same readings (section 4.6)', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][-A-Za-z0-9:./_]{0,20}$/);
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    const absolute = fc.integer({ min: 2 ** 28 + 1e6, max: 2_000_000_000 });
    const record = fc.record(
      {
        n: name,
        bn: fc.oneof(name, fc.constant('')),
        bu: fc.constantFrom('Cel', 'lx', '%RH'),
        u: fc.constantFrom('K', '%'),
        bv: number,
        v: number,
        t: fc.integer({ min: -1e6, max: 1e6 }),
      },
      { requiredKeys: ['n', 'v'] },
    );
    fc.assert(
      fc.property(absolute, fc.array(record, { minLength: 1, maxLength: 20 }), (bt, records) => {
        const pack = [{ ...records[0], bt }, ...records.slice(1)];
        const { readings, refused } = decodeWith(senmlJson, pack, { deviceId: 'none' });
        expect(refused).toEqual([]);
        const resolved = readings.map((each) => ({
          n: each.channel,
          ...(each.unit === undefined ? {} : { u: each.unit }),
          v: each.value,
          t: (each.at as number) / 1000,
        }));
        expect(decodeWith(senmlJson, resolved, { deviceId: 'none' }).readings).toEqual(readings);
      }),
    );
  });

  test('whatever the pack holds, it is decoded or refused, and nothing else happens', () => {
    const label = fc.constantFrom(
      'bn',
      'bt',
      'bu',
      'bv',
      'bs',
      'bver',
      'n',
      'u',
      'v',
      'vs',
      'vb',
      'vd',
      's',
      't',
      'x_',
    );
    const pack = fc.array(fc.oneof(fc.dictionary(label, fc.jsonValue()), fc.jsonValue()));
    fc.assert(
      fc.property(pack, (records) => {
        const { readings, refused, fault } = decode(records);
        expect(readings.length + refused.length).toBe(fault ? 0 : records.length);
      }),
    );
  });
});
