import { connect } from 'node:net';
import { createGateway } from '../../src/gateway/gateway';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';
import { OperatorError } from '../../src/observability/operator-error';
import { createStreamProducer } from '../../src/stream/producer';
import { eventually } from '../support/eventually';
import { buildDevice, directoryOf, tokenOf, twinsOf } from './devices.support';
import { post, startPlatform } from './gateway.support';

const now = (offset = 0): string => new Date(Date.now() + offset).toISOString();

describe('the device gateway over HTTP', () => {
  const device = buildDevice();
  const suspended = buildDevice({ state: 'SUSPENDED' });
  let platform: Awaited<ReturnType<typeof startPlatform>>;

  beforeAll(async () => {
    platform = await startPlatform({ devices: [device, suspended], limits: { bodyBytes: 64 * 1024 } });
  });
  afterAll(() => platform.stop());

  const streamed = <T>(find: () => T | undefined): Promise<T> =>
    eventually(() => {
      const found = find();
      if (found === undefined) throw new Error('it is not in the stream yet');
      return found;
    });
  const readingWith = (value: number) =>
    streamed(() => platform.stream.readings.find((each) => each.value === value));

  test('a reading that was answered 204 stands in the stream with its place', async () => {
    const observedAt = now(-1000);
    expect((await post(platform, device, { temperature: 21.125, observedAt })).status).toBe(204);
    const [temperature] = device.assignments;
    expect(await readingWith(21.125)).toMatchObject({
      deviceId: device.deviceId,
      pointId: temperature!.pointId,
      buildingId: temperature!.buildingId,
      tenantId: temperature!.tenantId,
      quantity: 1,
      observedAt: Date.parse(observedAt),
    });
  });

  test('SenML is taken with its units and base fields', async () => {
    const pack = [
      { bn: `${device.deviceId}/`, bt: Date.now() / 1000, bu: 'K', n: 'temperature', v: 295.4 },
      { n: 'light', u: 'lx', v: 777.25 },
    ];
    const headers = { 'content-type': 'application/senml+json; charset=utf-8' };
    expect((await post(platform, device, pack, { headers })).status).toBe(204);
    await readingWith(777.25);
    await streamed(() => platform.stream.originals.find((each) => each.value === 295.4 && each.unit === 'K'));
  });

  test('the rest of a batch is taken, and the answer says which were not and why', async () => {
    const payload = [
      { temperature: 20.0625, observedAt: now() },
      { temperature: 394, observedAt: now() },
      { pressure: 1013 },
    ];
    const { status, body } = await post(platform, device, payload);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      accepted: 1,
      refused: [
        { index: 1, channel: 'temperature', code: 'VALUE_OUT_OF_RANGE' },
        { index: 2, channel: 'pressure', code: 'UNKNOWN_CHANNEL' },
      ],
    });
    await readingWith(20.0625);
    const letter = await streamed(() => platform.stream.refused.find((each) => each.channel === 'pressure'));
    expect(letter).toMatchObject({ deviceId: device.deviceId, raw: '{"pressure":1013}' });
  });

  test('where all were refused the answer is 400 with each reason, and they are kept', async () => {
    const { status, body } = await post(platform, device, { temperature: 1, observedAt: now(3_600_000) });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: { code: 'ALL_REFUSED' },
      accepted: 0,
      refused: [{ index: 0, code: 'OBSERVED_IN_FUTURE' }],
    });
    await streamed(() => platform.stream.refused.find((each) => each.code === 'OBSERVED_IN_FUTURE'));
  });

  test('a payload that cannot be read is answered 400 and kept', async () => {
    const { status, body } = await post(platform, device, '{"temperature": 21.5, oops');
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'PAYLOAD_INVALID' });
    expect(body.error!.message).toContain('not JSON');
    await streamed(() => platform.stream.refused.find((each) => each.raw.includes('oops')));
  });

  test('SenML that breaks the RFC is answered with the place', async () => {
    const headers = { 'content-type': 'application/senml+json' };
    const { status, body } = await post(platform, device, [{ n: 'light', v: 1 }, { must_: 1 }], { headers });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'PAYLOAD_INVALID', index: 1 });
  });

  test('IoT Hub’s batch is taken message by message, each with its own properties', async () => {
    const base64 = (payload: unknown) => Buffer.from(JSON.stringify(payload)).toString('base64');
    const batch = [
      {
        body: base64({ light: 801.5 }),
        properties: { 'IoTHub-MessageId': 'm-17', 'iothub-app-room': '511' },
      },
      {
        body: base64([{ n: 'light', v: 802.5 }]),
        properties: {
          'iothub-contenttype': 'application/senml+json',
          'iothub-creationtimeutc': '2026-01-01T00:00:00Z',
        },
      },
      { body: 'no base64!' },
      { body: base64({ light: 1 }), properties: { 'iothub-contenttype': 'text/html' } },
      { body: base64('nothing') },
    ];
    const headers = { 'content-type': 'application/vnd.microsoft.iothub.json' };
    const { status, body } = await post(platform, device, batch, { headers });
    expect(status).toBe(200);
    expect(body.accepted).toBe(2);
    expect(body.refused!.map((each) => [each.messageIndex, each.index, each.code])).toEqual([
      [2, 0, 'PAYLOAD_INVALID'],
      [3, 0, 'PAYLOAD_INVALID'],
      [4, 0, 'PAYLOAD_INVALID'],
    ]);
    const first = await readingWith(801.5);
    expect(await readingWith(802.5)).toMatchObject({ observedAt: Date.parse('2026-01-01T00:00:00Z') });
    await streamed(() => platform.stream.undated.find((each) => each.messageId === 'm-17'));
    expect(platform.stream.undated).toContainEqual({
      pointId: first.pointId,
      messageId: 'm-17',
      messageIndex: 0,
    });
  });

  test('the system properties of a single message come in its headers', async () => {
    const headers = {
      'content-type': 'application/octet-stream',
      'iothub-contenttype': 'application/json',
      'iothub-contentencoding': 'utf-8',
      'iothub-messageid': 'm-18',
    };
    expect((await post(platform, device, { light: 803.5 }, { headers })).status).toBe(204);
    await streamed(() => platform.stream.undated.find((each) => each.messageId === 'm-18'));
    const bad = { ...headers, 'iothub-creationtimeutc': 'yesterday' };
    expect((await post(platform, device, { light: 1 }, { headers: bad })).body.error).toMatchObject({
      code: 'PAYLOAD_INVALID',
    });
  });

  test.each([
    ['without a token', null],
    ['with somebody else’s token', tokenOf(buildDevice())],
    ['with an expired token', tokenOf(device, { ttlSeconds: -10 })],
    ['with a token for another host', tokenOf(device, { host: 'elsewhere.example' })],
  ])('a request %s is answered 401', async (_, token) => {
    const { status, headers, body } = await post(platform, device, { temperature: 1 }, { token });
    expect([status, body.error!.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(headers.get('www-authenticate')).toBe('SharedAccessSignature');
  });

  test('an unknown device and a foreign one get the same answer', async () => {
    const stranger = buildDevice();
    const unknown = await post(platform, stranger, { temperature: 1 });
    const foreign = await post(platform, device, { temperature: 1 }, { token: tokenOf(stranger) });
    expect([unknown.status, unknown.body]).toEqual([foreign.status, foreign.body]);
  });

  test('a suspended device with a good token is answered 403', async () => {
    const { status, body } = await post(platform, suspended, { temperature: 1 });
    expect([status, body.error!.code]).toEqual([403, 'DEVICE_SUSPENDED']);
  });

  test.each([
    ['another path', { path: '/devices' }, 404, 'NOT_FOUND'],
    ['a path that does not decode', { path: '/devices/%E0%A4%A/messages/events' }, 404, 'NOT_FOUND'],
    ['another method', { method: 'PUT' }, 405, 'METHOD_NOT_ALLOWED'],
    ['an unknown content type', { headers: { 'content-type': 'text/csv' } }, 415, 'UNSUPPORTED_CONTENT_TYPE'],
    [
      'another charset',
      { headers: { 'content-type': 'application/json; charset=latin1' } },
      415,
      'UNSUPPORTED_CONTENT_TYPE',
    ],
    ['a compressed body', { headers: { 'content-encoding': 'gzip' } }, 415, 'UNSUPPORTED_CONTENT_TYPE'],
  ])('%s is answered for what it is', async (_, options, status, code) => {
    const answer = await post(platform, device, { temperature: 1 }, options);
    expect([answer.status, answer.body.error!.code]).toEqual([status, code]);
  });

  test('a body over the limit is answered 413, whether it says its length or not', async () => {
    const body = JSON.stringify({ temperature: 'x'.repeat(70 * 1024) });
    const declared = await post(platform, device, body);
    expect([declared.status, declared.body.error!.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const streamed = await fetch(`${platform.url}/devices/${device.deviceId}/messages/events`, {
      method: 'POST',
      headers: { authorization: tokenOf(device), 'content-type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  test('bytes that are no HTTP are answered 400 and the connection ends', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(platform.port, '127.0.0.1', () => socket.write('\x16\x03\x01 hello\r\n\r\n'));
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain('"code":"BAD_REQUEST"');
  });

  test('bytes of a body that is still arriving count as held, and are free again when its sender goes', async () => {
    const held = async () =>
      Number(/bytes_in_flight\{process="gateway"\} (\d+)/.exec(await platform.metrics.metrics())![1]);
    const socket = connect(platform.port, '127.0.0.1', () =>
      socket.write(
        `POST /devices/${device.deviceId}/messages/events HTTP/1.1\r\nhost: h\r\nauthorization: ${tokenOf(device)}\r\n` +
          `content-length: 60000\r\n\r\n${' '.repeat(50_000)}`,
      ),
    );
    await eventually(async () => expect(await held()).toBe(50_000));
    socket.destroy();
    await eventually(async () => expect(await held()).toBe(0));
  });

  test('its metrics count what happened', async () => {
    const text = await platform.metrics.metrics();
    expect(text).toMatch(/atrium_gateway_requests_total\{status="204",process="gateway"\} [1-9]/);
    expect(text).toMatch(
      /atrium_gateway_readings_refused_total\{code="VALUE_OUT_OF_RANGE",process="gateway"\} [1-9]/,
    );
    expect(text).toMatch(/atrium_gateway_readings_accepted_total\{process="gateway"\} [1-9]/);
    expect(text).toMatch(/atrium_gateway_frames_total\{process="gateway"\} [1-9]/);
    expect(text).toMatch(/atrium_gateway_bytes_in_flight\{process="gateway"\} 0\n/);
  });

  test('every reading of many requests at once is answered and stored once', async () => {
    const base = Date.now() - 60_000;
    const before = platform.stream.readings.length;
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        post(platform, device, { motion: 5_000 + i, observedAt: new Date(base + i).toISOString() }),
      ),
    );
    expect(new Set(answers.map((each) => each.status))).toEqual(new Set([204]));
    await eventually(() => {
      const mine = platform.stream.readings.slice(before).filter((each) => each.value >= 5_000);
      expect(mine.map((each) => each.value).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 300 }, (_, i) => 5_000 + i),
      );
    });
  });
});

describe('the device gateway’s limits', () => {
  test('a device over its rate is told when to come back, and others are not held up', async () => {
    const tenantId = 'ten_busy';
    const [loud, quiet] = [buildDevice({ tenantId }), buildDevice({ tenantId })];
    const platform = await startPlatform({
      devices: [loud, quiet],
      limits: { device: { perSecond: 0.1, burst: 2 }, tenant: { perSecond: 0.1, burst: 3.5 } },
    });
    try {
      const many = [1, 2, 3].map((temperature) => ({ temperature }));
      expect((await post(platform, loud, many)).status).toBe(204);
      const held = await post(platform, loud, { temperature: 1 });
      expect([held.status, held.body.error!.code]).toEqual([429, 'DEVICE_RATE_EXCEEDED']);
      expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(1);
      expect((await post(platform, quiet, { temperature: 1 })).status).toBe(204);
      const tenant = await post(platform, quiet, { temperature: 1 });
      expect([tenant.status, tenant.body.error!.code]).toEqual([429, 'TENANT_RATE_EXCEEDED']);
    } finally {
      await platform.stop();
    }
  });

  test('a device pays for what has to be read, whatever stands in it', async () => {
    const device = buildDevice();
    const platform = await startPlatform({
      devices: [device],
      limits: { device: { perSecond: 0.1, burst: 10 } },
    });
    try {
      expect((await post(platform, device, { temperature: 1 })).status).toBe(204);
      const blanks = `{"temperature": 2${' '.repeat(64 * 1024)}}`;
      expect((await post(platform, device, blanks)).status).toBe(204);
      const held = await post(platform, device, { temperature: 3 });
      expect([held.status, held.body.error!.code]).toEqual([429, 'DEVICE_RATE_EXCEEDED']);
    } finally {
      await platform.stop();
    }
  });

  test('a device pays for what was judged of a message that is then dropped', async () => {
    const device = buildDevice();
    const platform = await startPlatform({
      devices: [device],
      limits: { device: { perSecond: 0.1, burst: 10 }, readingsPerRequest: 20 },
    });
    try {
      const many = Array.from({ length: 30 }, (_, i) => ({ temperature: i }));
      expect((await post(platform, device, many)).status).toBe(400);
      expect((await post(platform, device, { temperature: 3 })).status).toBe(429);
    } finally {
      await platform.stop();
    }
  });

  test('with all the bytes held that it may hold, the gateway answers 429', async () => {
    const device = buildDevice();
    const platform = await startPlatform({ devices: [device], limits: { bytesInFlight: 10 } });
    try {
      const { status, headers, body } = await post(platform, device, { temperature: 1 });
      expect([status, body.error!.code, headers.get('retry-after')]).toEqual([429, 'GATEWAY_BUSY', '1']);
    } finally {
      await platform.stop();
    }
  });
});

describe('the device gateway’s life', () => {
  const build = (port: number) => {
    const producer = createStreamProducer({
      namespace: {
        connectionString:
          'Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true',
      },
      hub: 'telemetry',
    });
    const gateway = createGateway({
      logger: createLogger({ name: 'gateway', level: 'fatal' }),
      metrics: createMetrics({ process: 'gateway' }),
      host: '127.0.0.1',
      port,
      hostNames: ['127.0.0.1'],
      directory: directoryOf([]),
      twins: twinsOf(),
      producer,
    });
    return { gateway, stop: () => gateway.stop().then(() => producer.stop()) };
  };

  test('a port in use is one sentence for the operator', async () => {
    const first = build(0);
    const { port } = await first.gateway.start();
    const second = build(port);
    await expect(second.gateway.start()).rejects.toThrow(OperatorError);
    await first.stop();
  });

  test('stopping finishes what was taken and takes no more', async () => {
    const device = buildDevice();
    const platform = await startPlatform({ devices: [device], limits: { lingerMilliseconds: 500 } });
    // The second of each pair waits in an open frame when the gateway stops.
    const requests: Promise<{ status: number }>[] = [post(platform, device, { light: 1 })];
    await requests[0];
    requests.push(post(platform, device, { light: 2 }), post(platform, device, { light: 3 }));
    await eventually(async () =>
      expect(await platform.metrics.metrics()).toMatch(/bytes_in_flight\{process="gateway"\} [1-9]/),
    );
    const stopping = platform.gateway.stop();
    expect((await Promise.all(requests)).map((each) => each.status)).toEqual([204, 204, 204]);
    await stopping;
    expect(platform.gateway.readiness()).toMatchObject({ ready: false });
    await expect(post(platform, device, { light: 4 })).rejects.toThrow();
    await eventually(() =>
      expect(platform.stream.readings.map((each) => each.value).sort()).toEqual([1, 2, 3]),
    );
    await platform.stop().catch(() => undefined);
  });
});
