import fc from 'fast-check';
import { deviceModelNamed } from '../../src/domain/device';
import { PAYLOAD_DECODERS } from '../../src/gateway/decoders';
import { cayenneLpp } from '../../src/gateway/decoders/cayenne';
import { decodeWith } from './decoding.support';
import { buildDevice } from './devices.support';
import { post, startPlatform } from './gateway.support';

const channelsOf = (model: string) =>
  deviceModelNamed(model)!.channels.map(({ name, quantity }) => ({ channel: name, quantity }));

const decode = (hex: string, model = 'lorawan-room-sensor') =>
  decodeWith(cayenneLpp, Buffer.from(hex.replace(/\s/g, ''), 'hex'), { channels: channelsOf(model) });

const values = (hex: string, model?: string) =>
  decode(hex, model).readings.map(({ channel, value, unit }) => [channel, value, unit]);

describe('Cayenne LPP', () => {
  test('each type is read with its own width, sign and resolution', () => {
    expect(values('01 67 0110  02 68 51  03 65 0190  04 66 01  05 7D 01F4  06 78 5A')).toEqual([
      ['temperature', 27.2, 'Cel'],
      ['humidity', 40.5, '%'],
      ['light', 400, 'lx'],
      ['occupancy', 1, '1'],
      ['co2', 500, '[ppm]'],
      ['battery', 90, '%'],
    ]);
    expect(values('01 67 FFD7')).toEqual([['temperature', -4.1, 'Cel']]);
  });

  test('readings carry no time, and are numbered by their place in the message', () => {
    expect(decode('01 67 0110 02 68 51').readings).toMatchObject([
      { index: 0, at: 'now+0' },
      { index: 1, at: 'now+0' },
    ]);
  });

  test('of several sensors of one kind each is found by its LPP channel, also when it comes alone', () => {
    expect(values('01 67 0110 02 67 00FF', 'lorawan-probe-pair')).toEqual([
      ['temperature-1', 27.2, 'Cel'],
      ['temperature-2', 25.5, 'Cel'],
    ]);
    expect(values('02 67 00FF', 'lorawan-probe-pair')).toEqual([['temperature-2', 25.5, 'Cel']]);
  });

  test('a channel that moved between places is one channel', () => {
    const moved = [...channelsOf('lorawan-room-sensor'), ...channelsOf('lorawan-room-sensor')];
    const { readings } = decodeWith(cayenneLpp, Buffer.from('01670110', 'hex'), { channels: moved });
    expect(readings).toMatchObject([{ channel: 'temperature', value: 27.2 }]);
  });

  test('a contact is the state that the model has', () => {
    expect(values('07 00 01', 'smoke-detector')).toEqual([['smoke', 1, '1']]);
  });

  test.each([
    ['of a kind that no channel measures', '09 88 06765FF2960A0003E8', 'gps-9', 'lorawan-room-sensor'],
    ['of a sensor beyond those of the model', '03 67 0110', 'temperature-3', 'lorawan-probe-pair'],
    [
      'of a second sensor where the model has one',
      '01 67 0110 02 67 0110',
      'temperature-2',
      'lorawan-room-sensor',
    ],
  ])('a value %s is refused alone', (_, hex, channel, model = 'lorawan-room-sensor') => {
    const { readings, refused, fault } = decode(`${hex} 08 78 5A`, model);
    expect(fault).toBeUndefined();
    expect(refused).toMatchObject([{ channel, code: 'UNKNOWN_CHANNEL' }]);
    expect(readings.at(-1)).toMatchObject({ channel: 'battery', value: 90 });
  });

  test.each([
    ['nothing', ''],
    ['half a head', '01'],
    ['half a value', '01 67 01'],
    ['a value cut off after good ones', '01 67 0110 02 67'],
    ['a type of unknown length', '01 67 0110 02 FE 00'],
  ])('%s refuses the message', (_, hex) => {
    const { fault, readings } = decode(hex);
    expect(fault).toBeDefined();
    expect(readings).toEqual([]);
  });

  test('whatever the bytes, they are decoded or refused, and nothing else happens', () => {
    const channels = channelsOf('lorawan-room-sensor');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const { fault, readings, refused } = decodeWith(cayenneLpp, Buffer.from(bytes), { channels });
        if (!fault) expect(readings.length + refused.length).toBeGreaterThan(0);
      }),
    );
  });

  test('is taken under both of its names', () => {
    expect(PAYLOAD_DECODERS.map((each) => each.contentType)).toEqual(
      expect.arrayContaining(['application/vnd.cayenne-lpp', 'application/x-cayenne-lpp']),
    );
  });

  test('an uplink in a batch reaches its points through the gateway', async () => {
    const device = buildDevice({ model: 'lorawan-room-sensor' });
    const platform = await startPlatform({ devices: [device] });
    try {
      const body = Buffer.from('01670110026851098806765FF2960A0003E8', 'hex').toString('base64');
      const properties = { 'iothub-contenttype': 'application/vnd.cayenne-lpp', 'iothub-messageid': 'm1' };
      const answer = await post(platform, device, [{ body, properties }], {
        headers: { 'content-type': 'application/vnd.microsoft.iothub.json' },
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        accepted: 2,
        refused: [{ index: 2, channel: 'gps-9', code: 'UNKNOWN_CHANNEL' }],
      });
    } finally {
      await platform.stop();
    }
  });
});
