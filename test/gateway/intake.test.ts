import { MAXIMUM_RAW_CHARACTERS, OLDEST_ACCEPTED_MS } from '../../src/domain/reading';
import { type DeviceMessage, type PayloadDecoder } from '../../src/gateway/decoders';
import { flatJson } from '../../src/gateway/decoders/flat-json';
import { senmlJson } from '../../src/gateway/decoders/senml-json';
import { createIntake } from '../../src/gateway/intake';
import { NOW } from './decoding.support';
import { buildAssignment, buildDevice } from './devices.support';

const at = (instant: number): string => new Date(instant).toISOString();

function takeIn(
  payload: unknown,
  {
    device = buildDevice(),
    decoder = flatJson,
    message = {},
    readingsPerRequest = 100,
  }: {
    device?: ReturnType<typeof buildDevice>;
    decoder?: PayloadDecoder;
    message?: Partial<DeviceMessage>;
    readingsPerRequest?: number;
  } = {},
) {
  const intake = createIntake({ device, readingsPerRequest });
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const { deviceId } = device;
  const fault = intake.take(
    {
      body,
      deviceId,
      channels: device.assignments,
      messageId: null,
      receivedAt: NOW,
      createdAt: null,
      ...message,
    },
    decoder,
  );
  return { ...intake, fault, device };
}

describe('what a request brings', () => {
  test('a reading gets its place from the assignment, never from the payload', () => {
    const { readings, refused, device } = takeIn({ temperature: 21.5, observedAt: at(NOW - 5_000) });
    const [temperature] = device.assignments;
    expect(refused).toEqual([]);
    expect(readings).toEqual([
      {
        tenantId: temperature!.tenantId,
        buildingId: temperature!.buildingId,
        spaceId: temperature!.spaceId,
        pointId: temperature!.pointId,
        pointOrdinal: temperature!.pointOrdinal,
        deviceId: device.deviceId,
        deviceOrdinal: temperature!.deviceOrdinal,
        quantity: 1,
        observedAt: NOW - 5_000,
        receivedAt: NOW,
        value: 21.5,
      },
    ]);
  });

  test('a late reading belongs to the assignment of the instant it was observed', () => {
    const moved = NOW - 3_600_000;
    const before = buildAssignment({ to: moved, tenantId: 'ten_former', buildingId: 'bld_former' });
    const after = buildAssignment({ from: moved, tenantId: 'ten_now', buildingId: 'bld_now' });
    const device = buildDevice({ assignments: [before, after] });
    const payload = [moved - 1, moved, NOW].map((instant) => ({ temperature: 20, observedAt: at(instant) }));
    expect(takeIn(payload, { device }).readings.map((each) => [each.tenantId, each.pointId])).toEqual([
      ['ten_former', before.pointId],
      ['ten_now', after.pointId],
      ['ten_now', after.pointId],
    ]);
  });

  test('units are converted, and the original is kept where it differs', () => {
    const device = buildDevice({ model: 'fahrenheit-thermometer' });
    const { readings } = takeIn({ temperature: 212 - 32 * 4, observedAt: at(NOW) }, { device });
    expect(readings[0]!.value).toBeCloseTo(28.89, 2);
    expect(readings[0]!.original).toEqual({ value: 84, unit: '[degF]' });
    const pack = [
      { n: 'temperature', u: 'K', v: 294.65 },
      { n: 'humidity', u: '%RH', v: 40 },
    ];
    const converted = takeIn(pack, { decoder: senmlJson }).readings;
    expect(converted.map((each) => [Number(each.value.toFixed(9)), each.original])).toEqual([
      [21.5, { value: 294.65, unit: 'K' }],
      [40, undefined],
    ]);
  });

  test('a reading without a time is stamped at receipt and known by its message', () => {
    const { readings } = takeIn([{ temperature: 1 }, { temperature: 2 }], { message: { messageId: 'm-1' } });
    expect(readings.map((each) => [each.observedAt, each.undated])).toEqual([
      [NOW, { messageId: 'm-1', messageIndex: 0 }],
      [NOW, { messageId: 'm-1', messageIndex: 1 }],
    ]);
  });

  test('a time relative to receipt is resolved, and known by its message, since it moves when it is sent again', () => {
    const { readings } = takeIn([{ n: 'temperature', t: -30, v: 1 }], { decoder: senmlJson });
    expect(readings[0]).toMatchObject({
      observedAt: NOW - 30_000,
      undated: { messageId: null, messageIndex: 0 },
    });
  });

  test('the device’s own creation time dates what has no time of its own', () => {
    const message = { createdAt: NOW - 60_000 };
    const [flat] = takeIn({ temperature: 1 }, { message }).readings;
    expect([flat!.observedAt, flat!.undated]).toEqual([NOW - 60_000, undefined]);
    const [relative] = takeIn([{ n: 'temperature', t: -30, v: 1 }], { decoder: senmlJson, message }).readings;
    expect([relative!.observedAt, relative!.undated]).toEqual([NOW - 90_000, undefined]);
  });

  test.each([
    ['a text', { temperature: '21.5' }, 'VALUE_NOT_A_NUMBER', '"21.5"'],
    ['null', { temperature: null }, 'VALUE_NOT_A_NUMBER', 'null'],
    ['a boolean for a measurement', { temperature: true }, 'VALUE_NOT_A_NUMBER', 'true'],
    ['an object', { temperature: { value: 1 } }, 'VALUE_NOT_A_NUMBER', '{"value":1}'],
    ['a value above the range', { temperature: 394 }, 'VALUE_OUT_OF_RANGE', '394 Cel'],
    ['a value below the range', { humidity: -0.1 }, 'VALUE_OUT_OF_RANGE', '-0.1 %'],
    ['a channel that the device lacks', { pressure: 1 }, 'UNKNOWN_CHANNEL', 'temperature, humidity'],
    ['an instant that is none', { temperature: 1, observedAt: 'noon' }, 'OBSERVED_AT_INVALID', 'RFC 3339'],
    [
      'an instant in the future',
      { temperature: 1, observedAt: at(NOW + 30_001) },
      'OBSERVED_IN_FUTURE',
      '30001 ms',
    ],
    [
      'an instant too old',
      { temperature: 1, observedAt: at(NOW - OLDEST_ACCEPTED_MS - 1) },
      'OBSERVED_TOO_OLD',
      '2006-03-01',
    ],
  ])('%s is refused, named, and kept', (_, payload, code, reason) => {
    const { readings, refused, refusals, device } = takeIn([payload, { light: 100 }]);
    expect(readings).toHaveLength(1);
    expect(refusals).toMatchObject([{ index: 0, code }]);
    expect(refusals[0]!.message).toContain(reason);
    expect(refused).toMatchObject([
      { deviceId: device.deviceId, tenantId: device.tenantId, code, receivedAt: NOW },
    ]);
    expect(refused[0]!.raw).toBe(JSON.stringify(payload));
  });

  test('a number beyond all numbers is refused as not finite', () => {
    expect(takeIn('{"motion": 1e999}').refused).toMatchObject([
      { code: 'VALUE_NOT_FINITE', channel: 'motion' },
    ]);
  });

  test('the edges of the range and of time are taken', () => {
    const payload = [
      { temperature: -60, observedAt: at(NOW + 30_000) },
      { temperature: 85, observedAt: at(NOW - OLDEST_ACCEPTED_MS) },
      { humidity: 0 },
      { humidity: 100 },
    ];
    expect(takeIn(payload).refused).toEqual([]);
  });

  test('a unit that does not measure the quantity is refused with those that do', () => {
    const { refused } = takeIn([{ n: 'temperature', u: 'lx', v: 20 }], { decoder: senmlJson });
    expect(refused).toMatchObject([{ code: 'UNIT_MISMATCH' }]);
    expect(refused[0]!.message).toContain('Cel, [degF], K');
  });

  test('a state is true or false, 0 or 1, and nothing between', () => {
    const device = buildDevice({ model: 'smoke-detector' });
    const { readings, refused } = takeIn([{ smoke: true }, { smoke: 0 }, { smoke: 0.5 }], { device });
    expect(readings.map((each) => each.value)).toEqual([1, 0]);
    expect(refused).toMatchObject([{ code: 'VALUE_OUT_OF_RANGE' }]);
  });

  test('a channel without a place at that instant is refused under the owner of the device', () => {
    const device = buildDevice({ assignments: [buildAssignment({ from: NOW - 1000 })] });
    const { refused } = takeIn({ temperature: 1, observedAt: at(NOW - 2000) }, { device });
    expect(refused).toMatchObject([{ code: 'NOT_ASSIGNED', buildingId: '', tenantId: device.tenantId }]);
  });

  test('a payload that cannot be read is kept whole, cut', () => {
    const { refused, fault } = takeIn(`{"temperature": ${'1'.repeat(5000)}`);
    expect(fault?.message).toContain('not JSON');
    expect(refused).toMatchObject([{ code: 'PAYLOAD_INVALID', channel: '' }]);
    expect(refused[0]!.raw).toHaveLength(MAXIMUM_RAW_CHARACTERS);
  });

  test('what nests deeper than the stack is refused and kept', () => {
    const deep = `{"temperature": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    expect(takeIn(deep).refused).toMatchObject([{ code: 'VALUE_NOT_A_NUMBER', channel: 'temperature' }]);
  });

  test('what a device wrote is cut in the answer and in the dead letter', () => {
    const channel = 'x'.repeat(100_000);
    const { refused } = takeIn({ [channel]: 'y'.repeat(100_000) });
    expect(refused[0]!.channel).toHaveLength(128);
    expect(refused[0]!.raw.length).toBeLessThanOrEqual(MAXIMUM_RAW_CHARACTERS);
    expect(refused[0]!.message.length).toBeLessThan(500);
  });

  test('more readings than a request may hold refuse the message, and none of it is taken', () => {
    const payload = Array.from({ length: 11 }, (_, i) => ({ temperature: i }));
    const { readings, refused, fault } = takeIn(payload, { readingsPerRequest: 10 });
    expect(readings).toEqual([]);
    expect(refused).toHaveLength(1);
    expect(fault?.message).toContain('10 readings');
  });

  test('a decoder that throws costs its message and nothing else', () => {
    const faults: unknown[] = [];
    const device = buildDevice();
    const intake = createIntake({
      device,
      readingsPerRequest: 100,
      onDecoderFault: (_decoder, error) => faults.push(error),
    });
    const broken: PayloadDecoder = {
      contentType: 'x/broken',
      decode(_message, sink) {
        sink.undated(0, 'temperature', 20, undefined, 0, {});
        throw new TypeError('a fault of ours');
      },
      excerpt: () => '',
    };
    const { deviceId } = device;
    const message = { deviceId, channels: [], messageId: null, receivedAt: NOW, createdAt: null };
    intake.take({ ...message, body: Buffer.from('{"humidity": 40}') }, flatJson, 0);
    intake.take({ ...message, body: Buffer.from('broken') }, broken, 1);
    intake.take({ ...message, body: Buffer.from('{"light": 40}') }, flatJson, 2);
    expect(intake.readings.map((each) => each.value)).toEqual([40, 40]);
    expect(intake.refusals).toMatchObject([{ messageIndex: 1, code: 'PAYLOAD_INVALID' }]);
    expect(intake.refused[0]).toMatchObject({ raw: 'broken' });
    expect(faults).toHaveLength(1);
  });
});

describe('what is refused is kept so that it can be judged again', () => {
  const letterOf = (taken: ReturnType<typeof takeIn>) => taken.refused[0]!.letter!;
  const jsonOf = (taken: ReturnType<typeof takeIn>): unknown =>
    JSON.parse(letterOf(taken).payload!.toString('utf8'));

  test('a reading as a message of its own, its base values resolved', () => {
    const pack = [
      { bn: 'temp', bt: NOW / 1000, bu: 'K', n: 'erature', v: 294 },
      { n: 'erature', t: -5.25, v: 9000 },
    ];
    const taken = takeIn(pack, { decoder: senmlJson, message: { messageId: 'm-1', createdAt: NOW } });
    expect(jsonOf(taken)).toEqual([{ n: 'temperature', u: 'K', t: (NOW - 5250) / 1000, v: 9000 }]);
    expect(letterOf(taken)).toMatchObject({
      contentType: 'application/senml+json',
      messageId: 'm-1',
      index: 1,
      createdAt: null,
    });
    const flat = takeIn({ temperature: 9000, observedAt: at(NOW) });
    expect(jsonOf(flat)).toEqual([{ n: 'temperature', t: NOW / 1000, v: 9000 }]);
  });

  test('a reading without a time as one without a time', () => {
    expect(jsonOf(takeIn({ temperature: 9000 }))).toEqual([{ n: 'temperature', v: 9000 }]);
    expect(jsonOf(takeIn([{ n: 'x', t: -30, vb: true }], { decoder: senmlJson }))).toEqual([
      { n: 'x', t: -30, vb: true },
    ]);
    // The device's own creation time dates it for good.
    expect(jsonOf(takeIn({ x: 'on' }, { message: { createdAt: NOW - 1 } }))).toEqual([
      { n: 'x', t: (NOW - 1) / 1000, vs: 'on' },
    ]);
  });

  test('a channel that SenML cannot name in flat JSON', () => {
    const taken = takeIn({ 'Wärme 1': 20, observedAt: at(NOW) });
    expect(letterOf(taken).contentType).toBe('application/json');
    expect(jsonOf(taken)).toEqual({ 'Wärme 1': 20, observedAt: at(NOW) });
    expect(jsonOf(takeIn({ 'Wärme 1': 20 }))).toEqual({ 'Wärme 1': 20 });
  });

  test('judged again as it was received, it gives what it would have given then', () => {
    const before = buildDevice({ model: 'thermometer' });
    const after = { ...before, assignments: [...before.assignments, buildAssignment({ channel: 'humidity', quantity: 'RELATIVE_HUMIDITY', unit: '%' })] }; // prettier-ignore
    for (const payload of [
      [{ humidity: 40 }, { humidity: 41 }],
      [{ humidity: 40, observedAt: at(NOW - 60_000) }],
    ]) {
      const message = { messageId: 'm-1' };
      const first = takeIn(payload, { device: before, message });
      expect(first.readings).toEqual([]);
      const again = first.refused.flatMap(({ letter, receivedAt }) => {
        const intake = createIntake({
          device: after,
          readingsPerRequest: 100,
          firstIndex: letter!.index,
        });
        const { messageId, createdAt } = letter!;
        const { deviceId } = after;
        const own = { deviceId, channels: after.assignments, messageId, createdAt, receivedAt };
        intake.take({ ...own, body: letter!.payload! }, senmlJson);
        return intake.readings;
      });
      expect(again).toEqual(takeIn(payload, { device: after, message }).readings);
    }
  });

  test('a message that cannot be read whole, whatever it holds', () => {
    const body = `[{"n":"temperature","v":"${'x'.repeat(50_000)}"`;
    const taken = takeIn(body, { decoder: senmlJson, message: { createdAt: NOW } });
    expect(taken.refused[0]!.raw).toHaveLength(MAXIMUM_RAW_CHARACTERS);
    expect(letterOf(taken)).toMatchObject({ contentType: 'application/senml+json', createdAt: NOW });
    expect(letterOf(taken).payload!.toString()).toBe(body);
  });

  test('what has no readable time or no value as an excerpt alone', () => {
    const noTime = takeIn({ temperature: 20, observedAt: 'yesterday' });
    expect(letterOf(noTime)).toMatchObject({ payload: null, contentType: '' });
    expect(noTime.refused[0]!.raw).toContain('yesterday');
    expect(letterOf(takeIn({ temperature: { deep: [1] } })).payload).toBeNull();
  });

  test('ten thousand readings that share a long base name cost a mebibyte, not ten thousand names', () => {
    const records = Array.from({ length: 10_000 }, () => ({ v: 1 }));
    const pack = [{ bn: 'x'.repeat(250), v: 1 }, ...records.slice(1)];
    const taken = takeIn(pack, { decoder: senmlJson, readingsPerRequest: 10_000 });
    expect(taken.refused).toHaveLength(10_000);
    const bytes = taken.refused.reduce((sum, { letter }) => sum + (letter!.payload?.length ?? 0), 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThanOrEqual(1024 * 1024);
  });

  test('what stands in a message once and counts for all its readings costs it once, however long it is', () => {
    const long = 'x'.repeat(150_000);
    const records = Array.from({ length: 9_999 }, () => ({ v: 1 }));
    const channels = Object.fromEntries(Array.from({ length: 9_999 }, (_, i) => [`c${i}`, 1]));
    for (const [decoder, payload] of [
      [senmlJson, [{ bn: long, v: 1 }, ...records]],
      [senmlJson, [{ bn: 'temperature', bu: long, v: 1 }, ...records]],
      [flatJson, { observedAt: long, ...channels }],
      [flatJson, { observedAt: [[long]], ...channels }],
    ] as const) {
      const before = process.cpuUsage();
      const { refused } = takeIn(payload, { decoder, readingsPerRequest: 10_000 });
      const { user, system } = process.cpuUsage(before);
      expect(refused.length).toBeGreaterThanOrEqual(9_999);
      // Written, or searched, for each of them it took ten seconds and more.
      expect((user + system) / 1_000).toBeLessThan(2_000);
    }
  });
});
