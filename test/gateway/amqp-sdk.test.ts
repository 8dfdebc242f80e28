import { type Client as ClientClass, type Message as MessageClass, type Twin } from 'azure-iot-device';
import { type TwinDocument } from '../../src/store/documents';
import { emptyTwin } from '../../src/store/twins';
import { type Certificate, createCertificates, selfSigned, thumbprintOf } from '../support/certificate';
import { eventually } from '../support/eventually';
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
});
