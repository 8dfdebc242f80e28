import { type Client as ClientClass, type Message as MessageClass, type Twin } from 'azure-iot-device';
import { type TwinDocument } from '../../src/store/documents';
import { emptyTwin } from '../../src/store/twins';
import { type Certificate, createCertificates, selfSigned, thumbprintOf } from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { buildDevice, connectionStringOf } from './devices.support';
import { startPlatform } from './gateway.support';

/* eslint-disable @typescript-eslint/no-require-imports -- the device SDK is CommonJS with assignments to exports. */
const { Client, Message } = require('azure-iot-device') as {
  Client: typeof ClientClass;
  Message: typeof MessageClass;
};
const { Amqp } = require('azure-iot-device-amqp') as {
  Amqp: Parameters<typeof Client.fromConnectionString>[1];
};
/* eslint-enable @typescript-eslint/no-require-imports */

type Device = InstanceType<typeof Client>;

describe('the unmodified Azure IoT device SDK over AMQP', () => {
  const certificates = createCertificates();
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  const clients: Device[] = [];

  beforeAll(async () => {
    platform = await startPlatform({ devices: [], tls: certificates });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close().catch(() => undefined);
  });
  afterAll(() => platform.stop());

  const newDevice = (parts: Parameters<typeof buildDevice>[0] = {}) => {
    const device = buildDevice(parts);
    platform.directory.put(device);
    return device;
  };
  const clientOf = async (device = newDevice(), connectionString?: string): Promise<Device> => {
    const host = `localhost:${platform.amqpsPort}`;
    const client = Client.fromConnectionString(connectionString ?? connectionStringOf(device, host), Amqp);
    clients.push(client);
    client.on('error', () => undefined);
    await client.setOptions({ ca: certificates.ca });
    return client;
  };
  const valuesOf = (deviceId: string): number[] =>
    platform.stream.readings.filter((each) => each.deviceId === deviceId).map((each) => each.value);
  const metric = async (pattern: RegExp): Promise<number> =>
    Number(pattern.exec(await platform.metrics.metrics())?.[1] ?? 0);

  test('sends a message with its properties, and all stand in the stream', async () => {
    const device = newDevice();
    const client = await clientOf(device);
    await client.open();
    const single = new Message(JSON.stringify({ temperature: 21.5 }));
    single.messageId = 'sdk-amqp-1';
    single.contentType = 'application/json';
    single.contentEncoding = 'utf-8';
    single.properties.add('room', '511 & more');
    await client.sendEvent(single);
    await Promise.all(
      [40.5, 41.5, 42.5].map((humidity) => client.sendEvent(new Message(JSON.stringify({ humidity })))),
    );
    await eventually(() => {
      expect(valuesOf(device.deviceId).sort((a, b) => a - b)).toEqual([21.5, 40.5, 41.5, 42.5]);
      expect(platform.stream.undated.map((each) => each.messageId)).toContain('sdk-amqp-1');
    });
  });

  test('keeps what cannot be read as a dead letter, and refuses what is too large by its link', async () => {
    const device = newDevice();
    const client = await clientOf(device);
    await client.open();
    const refusedOf = () => platform.stream.refused.filter((each) => each.deviceId === device.deviceId);
    await client.sendEvent(new Message('no json'));
    const unknown = new Message('x');
    (unknown as { contentType: string }).contentType = 'text/plain';
    await client.sendEvent(unknown);
    await eventually(() => {
      expect(refusedOf()).toHaveLength(2);
      expect(refusedOf().map(({ letter }) => letter?.protocol)).toEqual(['AMQP', 'AMQP']);
      expect(refusedOf().map(({ letter }) => letter?.contentType)).toContain('text/plain');
    });
    await expect(client.sendEvent(new Message(Buffer.alloc(300_000, 32)))).rejects.toMatchObject({
      name: 'MessageTooLargeError',
    });
  });

  test('sends for a child that its field gateway names', async () => {
    const parent = newDevice();
    const child = newDevice({
      parentId: parent.deviceId,
      tenantId: parent.tenantId,
      buildingId: parent.buildingId,
    });
    const client = await clientOf(parent);
    await client.open();
    const message = new Message('{"light": 7}');
    message.properties.add('childDeviceId', child.deviceId);
    await client.sendEvent(message);
    await eventually(() => expect(valuesOf(child.deviceId)).toEqual([7]));
  });

  test('has its twin: reads it, reports, and is told of what it is to be', async () => {
    const device = newDevice();
    const configure = (desired: object, desiredVersion: number): void => {
      const before = platform.twins.documents.get(device.deviceId) ?? emptyTwin(device);
      platform.twins.documents.set(device.deviceId, {
        ...before,
        desired: { ...desired },
        desiredVersion,
      } as TwinDocument);
      platform.directory.tellTwin(platform.twins.documents.get(device.deviceId)!);
    };
    configure({ interval: 60 }, 1);
    const client = await clientOf(device);
    await client.open();
    const twin = (await client.getTwin()) as Twin & { properties: { desired: Record<string, unknown> } };
    expect(twin.properties.desired).toMatchObject({ interval: 60, $version: 1 });
    const report = (patch: object): Promise<void> =>
      new Promise((resolve, reject) => {
        const { reported } = twin.properties as unknown as {
          reported: { update(patch: object, done: (error?: Error) => void): void };
        };
        reported.update(patch, (error) => (error ? reject(error) : resolve()));
      });
    await report({ firmware: '1.2' });
    expect(platform.twins.documents.get(device.deviceId)?.reported).toEqual({ firmware: '1.2' });
    await expect(report({ wrong: 'x'.repeat(40_000) })).rejects.toThrow(/32768 bytes/);

    const told: Record<string, unknown>[] = [];
    twin.on('properties.desired', (patch: Record<string, unknown>) => told.push(patch));
    // Its first call is with what it knows already.
    await eventually(() => expect(told).toHaveLength(1));
    let version = 1;
    await eventually(() => {
      configure({ interval: 30, step: ++version }, version);
      expect(told.at(-1)).toMatchObject({ interval: 30 });
    });
  });

  test('renews its token on the same connection without losing a message', async () => {
    const device = newDevice();
    const client = await clientOf(device);
    await client.setOptions({
      ca: certificates.ca,
      tokenRenewal: { tokenValidTimeInSeconds: 6, tokenRenewalMarginInSeconds: 5 },
    });
    const accepted = () => metric(/amqp_connects_total\{outcome="accepted".*\} (\d+)/);
    const ended = () => metric(/amqp_endings_total\{reason="not-permitted".*\} (\d+)/);
    const [before, endedBefore] = [await accepted(), await ended()];
    await client.open();
    let sent = 0;
    const until = Date.now() + 7_000;
    await eventually(async () => {
      await client.sendEvent(new Message(JSON.stringify({ motion: 1000 + sent++ })));
      expect(await accepted()).toBeGreaterThanOrEqual(before + 3);
      // Longer than any one of the tokens lives.
      expect(Date.now()).toBeGreaterThan(until);
    });
    await eventually(() => expect(valuesOf(device.deviceId)).toHaveLength(sent));
    expect(await ended()).toBe(endedBefore);
  });

  test('proves itself by its certificate', async () => {
    const certificate: Certificate = selfSigned({ commonName: 'a sensor' });
    const device = { ...buildDevice({ thumbprints: [thumbprintOf(certificate)] }), keys: [] };
    platform.directory.put(device);
    const host = `localhost:${platform.amqpsPort}`;
    const client = await clientOf(device, `HostName=${host};DeviceId=${device.deviceId};x509=true`);
    await client.setOptions({ ca: certificates.ca, ...certificate });
    await client.open();
    await client.sendEvent(new Message('{"light": 52}'));
    await eventually(() => expect(valuesOf(device.deviceId)).toEqual([52]));

    const other = newDevice();
    const thief = await clientOf(other, `HostName=${host};DeviceId=${other.deviceId};x509=true`);
    await thief.setOptions({ ca: certificates.ca, ...certificate });
    thief.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
    await thief.open();
    await expect(thief.sendEvent(new Message('{"light": 53}'))).rejects.toThrow();
    expect(valuesOf(other.deviceId)).toEqual([]);
  });

  test('is refused with a wrong key, and while its device is suspended, in the same words', async () => {
    const words = async (device: ReturnType<typeof buildDevice>): Promise<string> => {
      const client = await clientOf(device);
      return client.open().then(
        () => 'let in',
        (error: Error) => `${error.name} ${error.message}`,
      );
    };
    const stranger = buildDevice();
    const suspended = newDevice({ state: 'SUSPENDED' });
    const wrong = { ...newDevice(), keys: buildDevice().keys };
    const answers = [await words(stranger), await words(suspended), await words(wrong)];
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^UnauthorizedError/);
  });

  test('is cut off within two seconds of its suspension, and let in again afterwards', async () => {
    const device = newDevice();
    const client = await clientOf(device);
    await client.open();
    await client.sendEvent(new Message('{"light": 1}'));
    const gone = new Promise<void>((resolve) => client.on('disconnect', () => resolve()));
    const taken = startOwnTime();
    platform.directory.put({ ...device, state: 'SUSPENDED' });
    await gone;
    expect(taken()).toBeLessThan(2_000);
    await expect((await clientOf(device)).open()).rejects.toMatchObject({ name: 'UnauthorizedError' });
    platform.directory.put(device);
    const again = await clientOf(device);
    await again.open();
    await again.sendEvent(new Message('{"light": 2}'));
    await eventually(() => expect(valuesOf(device.deviceId)).toEqual([1, 2]));
  });

  test('takes the place of its own older connection', async () => {
    const device = newDevice();
    const first = await clientOf(device);
    first.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
    await first.open();
    const gone = new Promise<void>((resolve) => first.on('disconnect', () => resolve()));
    const second = await clientOf(device);
    await second.open();
    await gone;
    await second.sendEvent(new Message('{"light": 3}'));
    expect(await metric(/amqp_connections\{[^}]*\} (\d+)/)).toBe(1);
  });

  test('listens for commands, of which none come', async () => {
    const client = await clientOf();
    await client.open();
    client.on('message', () => undefined);
    client.onDeviceMethod('reboot', () => undefined);
    await client.sendEvent(new Message('{"light": 5}'));
    expect(await metric(/amqp_endings_total\{reason="(?:fault|malformed)".*\} (\d+)/)).toBe(0);
  });
});
