import { request, type RequestOptions } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { DEFAULT_LIMITS } from '../../src/gateway/limits';
import {
  type Certificate,
  createAuthority,
  createCertificates,
  selfSigned,
  thumbprintOf,
} from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';
import { closed, connectCode, connectDevice, eventsTopic } from './mqtt.support';

const HOUR = 3_600_000;

describe('a gateway with a certificate', () => {
  const server = createCertificates();
  const factory = createAuthority('factory');
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  beforeAll(async () => {
    platform = await startPlatform({ devices: [], tls: server });
  });
  afterAll(() => platform.stop());

  const withThumbprint = () => {
    const certificate = selfSigned({ commonName: 'a sensor' });
    const device = { ...buildDevice({ thumbprints: [thumbprintOf(certificate)] }), keys: [] };
    platform.directory.put(device);
    return { device, certificate };
  };
  const withAuthority = () => {
    const device = { ...buildDevice({ authority: factory.ca }), keys: [] };
    platform.directory.put(device);
    return { device, certificate: factory.issue({ commonName: device.deviceId }) };
  };

  const send = (
    { deviceId }: { deviceId: string },
    options: RequestOptions & { value?: number } = {},
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const sending = request(
        {
          host: '127.0.0.1',
          port: platform.httpsPort,
          path: `/devices/${deviceId}/messages/events?api-version=2021-04-12`,
          method: 'POST',
          ca: server.ca,
          agent: false,
          ...options,
          headers: { 'content-type': 'application/json', ...options.headers },
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => (body += text));
          response.on('end', () => resolve({ status: response.statusCode!, body }));
        },
      );
      sending.on('error', reject);
      sending.end(JSON.stringify({ light: options.value ?? 1 }));
    });
  const mqtts = (
    device: { deviceId: string },
    certificate?: Certificate,
    more: Parameters<typeof connectDevice>[2] = {},
  ): Parameters<typeof connectDevice> => [
    platform.mqttsPort,
    { deviceId: device.deviceId },
    { protocol: 'mqtts', ca: server.ca, servername: 'localhost', ...certificate, ...more },
  ];

  test('takes readings over HTTPS with a SAS token, as over HTTP', async () => {
    const device = buildDevice();
    platform.directory.put(device);
    const headers = { authorization: tokenOf(device) };
    expect(await send(device, { headers, value: 41 })).toEqual({ status: 204, body: '' });
    await eventually(() => expect(platform.stream.readings.map((each) => each.value)).toContain(41));
    expect((await send(device)).status).toBe(401);
  });

  test('speaks TLS 1.2 and 1.3 and nothing older', async () => {
    const handshake = (port: number, options: ConnectionOptions): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, ca: server.ca, ...options }, () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.on('error', reject);
      });
    for (const port of [platform.httpsPort, platform.mqttsPort]) {
      expect(await handshake(port, { maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
      expect(await handshake(port, {})).toBe('TLSv1.3');
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await expect(handshake(port, old)).rejects.toThrow();
    }
  });

  test.each([
    ['it is registered with', withThumbprint],
    ['its authority made in its name', withAuthority],
  ])('takes the certificate that %s for the device, over HTTPS and MQTTS', async (_what, make) => {
    const { device, certificate } = make();
    expect(await send(device, { ...certificate, value: 51 })).toEqual({ status: 204, body: '' });
    const client = await connectDevice(...mqtts(device, certificate));
    await client.publishAsync(eventsTopic(device as never), '{"light": 52}', { qos: 1 });
    await client.endAsync();
    await eventually(() =>
      expect(
        platform.stream.readings
          .filter((each) => each.deviceId === device.deviceId)
          .map((each) => each.value),
      ).toEqual([51, 52]),
    );
  });

  test('takes it over a connection whose TLS session is resumed, too', async () => {
    const { device, certificate } = withThumbprint();
    let session: Buffer | undefined;
    const open = (): Promise<TLSSocket> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: platform.httpsPort, ca: server.ca, ...certificate };
        const socket = connect({ ...options, ...(session && { session }) }, () => resolve(socket));
        socket.on('session', (ticket) => (session = ticket));
        socket.on('error', reject);
      });
    const statusOver = async (socket: TLSSocket): Promise<string> => {
      const body = '{"light": 1}';
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.write(
        `POST /devices/${device.deviceId}/messages/events HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await eventually(() => expect(text).toMatch(/^HTTP\/1.1 \d+/));
      socket.destroy();
      return text.slice(9, 12);
    };
    expect(await statusOver(await open())).toBe('204');
    const second = await open();
    expect(second.isSessionReused()).toBe(true);
    expect(await statusOver(second)).toBe('204');
  });

  test('gives one answer to whoever presents another certificate, an old one, none, or a bad token beside a good one', async () => {
    const mine = withThumbprint();
    const theirs = withThumbprint();
    const authorised = withAuthority();
    const unknown = buildDevice();
    const expired = factory.issue({
      commonName: authorised.device.deviceId,
      validFrom: -2 * HOUR,
      validFor: HOUR,
    });
    const headers = { authorization: tokenOf(unknown) };
    const answers = [
      await send(mine.device, theirs.certificate),
      await send(mine.device),
      await send(unknown, mine.certificate),
      await send(authorised.device, expired),
      await send(authorised.device, factory.issue({ commonName: mine.device.deviceId })),
      await send(authorised.device, selfSigned({ commonName: authorised.device.deviceId })),
      await send(mine.device, { ...mine.certificate, headers }),
    ];
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(401);
    expect(await connectCode(...mqtts(mine.device, theirs.certificate))).toBe(5);
    expect(await connectCode(...mqtts(mine.device))).toBe(5);
    expect(await connectCode(...mqtts(unknown, mine.certificate))).toBe(5);
    expect(await connectCode(...mqtts(authorised.device, expired))).toBe(5);
    const withToken = { password: tokenOf(unknown) };
    expect(await connectCode(...mqtts(mine.device, mine.certificate, withToken))).toBe(5);
  });

  test('takes no certificate’s word where there is no TLS', async () => {
    const { device } = withThumbprint();
    expect(await connectCode(platform.mqttPort, { deviceId: device.deviceId })).toBe(5);
    const response = await fetch(`${platform.url}/devices/${device.deviceId}/messages/events`, {
      method: 'POST',
      body: '{}',
    });
    expect(response.status).toBe(401);
  });

  test.each([
    ['a thumbprint that was removed', (device: object) => ({ ...device, thumbprints: [] })],
    ['a suspension', (device: object) => ({ ...device, state: 'SUSPENDED' })],
  ])('ends an open connection within two seconds after %s', async (_what, change) => {
    const { device, certificate } = withThumbprint();
    const client = await connectDevice(...mqtts(device, certificate));
    const gone = closed(client);
    const taken = startOwnTime();
    platform.directory.put(change(device) as typeof device);
    await gone;
    // What the gateway adds to the directory's own delay.
    expect(taken()).toBeLessThan(4 * DEFAULT_LIMITS.sweepMilliseconds);
    expect(await connectCode(...mqtts(device, certificate))).toBe(5);
  });

  test('ends a connection whose authority is no longer the device’s', async () => {
    const { device, certificate } = withAuthority();
    const client = await connectDevice(...mqtts(device, certificate));
    const gone = closed(client);
    platform.directory.put({ ...device, authority: createAuthority('factory').ca });
    await gone;
  });

  test('ends a connection when its certificate expires', async () => {
    const device = { ...buildDevice({ authority: factory.ca }), keys: [] };
    platform.directory.put(device);
    // Certificates count in whole seconds.
    const certificate = factory.issue({
      commonName: device.deviceId,
      validFrom: -HOUR,
      validFor: HOUR + 3_000,
    });
    const client = await connectDevice(...mqtts(device, certificate));
    await closed(client);
    expect(await connectCode(...mqtts(device, certificate))).toBe(5);
  });

  test('asks the registry about a device it does not know, and says when that cannot be asked', async () => {
    const { device, certificate } = withThumbprint();
    platform.directory.forget(device.deviceId);
    platform.directory.failing = true;
    expect((await send(device, certificate)).status).toBe(503);
    expect(await connectCode(...mqtts(device, certificate))).toBe(3);
    platform.directory.failing = false;
    expect((await send(device, certificate)).status).toBe(204);
  });
});
