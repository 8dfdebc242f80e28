import { type Client as ClientClass, type Message as MessageClass } from 'azure-iot-device';
import { createCertificates } from '../support/certificate';
import { eventually } from '../support/eventually';
import { buildDevice, connectionStringOf } from './devices.support';
import { startPlatform } from './gateway.support';

/* eslint-disable @typescript-eslint/no-require-imports -- the device SDK is CommonJS with assignments to exports. */
const { Client, Message } = require('azure-iot-device') as {
  Client: typeof ClientClass;
  Message: typeof MessageClass;
};
const { Mqtt } = require('azure-iot-device-mqtt') as {
  Mqtt: Parameters<typeof Client.fromConnectionString>[1];
};

describe('the unmodified Azure IoT device SDK over MQTT and TLS', () => {
  const certificates = createCertificates();
  const device = buildDevice();
  const suspended = buildDevice({ state: 'SUSPENDED' });
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  const clients: InstanceType<typeof Client>[] = [];

  beforeAll(async () => {
    platform = await startPlatform({ devices: [device, suspended], tls: certificates });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close().catch(() => undefined);
  });
  afterAll(() => platform.stop());

  const open = async (who = device) => {
    const client = Client.fromConnectionString(
      connectionStringOf(who, `localhost:${platform.mqttsPort}`),
      Mqtt,
    );
    clients.push(client);
    client.on('error', () => undefined);
    await client.setOptions({ ca: certificates.ca });
    return client;
  };

  test('sends a message with its properties, and a batch, and all stand in the stream', async () => {
    const client = await open();
    await client.open();
    const single = new Message(JSON.stringify({ temperature: 21.5 }));
    single.messageId = 'sdk-mqtt-1';
    single.contentType = 'application/json';
    single.contentEncoding = 'utf-8';
    single.properties.add('room', '511 & more');
    await client.sendEvent(single);

    const senml = new Message(
      JSON.stringify([
        { bu: 'Cel', n: 'temperature', v: 22.5 },
        { n: 'light', u: 'lx', v: 300 },
      ]),
    );
    // Its types know only JSON.
    (senml as { contentType: string }).contentType = 'application/senml+json';
    await client.sendEvent(senml);
    // Over MQTT the SDK itself knows no batch: a batch is messages in flight together, or several readings in one.
    await Promise.all(
      [40.5, 41.5, 42.5].map((humidity) => client.sendEvent(new Message(JSON.stringify({ humidity })))),
    );
    await client.sendEvent(new Message(JSON.stringify([{ co2: 600 }, { co2: 601 }])));

    await eventually(() => {
      expect(platform.stream.readings.map((each) => each.value).sort((a, b) => a - b)).toEqual([
        21.5, 22.5, 40.5, 41.5, 42.5, 300, 600, 601,
      ]);
      expect(platform.stream.undated.map((each) => each.messageId)).toContain('sdk-mqtt-1');
    });
  });

  test('renews its token without losing a message', async () => {
    const client = await open();
    await client.setOptions({
      ca: certificates.ca,
      tokenRenewal: { tokenValidTimeInSeconds: 12, tokenRenewalMarginInSeconds: 10 },
    });
    await client.open();
    const connects = async () =>
      Number(/mqtt_connects_total\{code="0".*\} (\d+)/.exec(await platform.metrics.metrics())![1]);
    const before = await connects();
    let sent = 0;
    await eventually(async () => {
      await client.sendEvent(new Message(JSON.stringify({ motion: 1000 + sent++ })));
      expect(await connects()).toBeGreaterThanOrEqual(before + 2);
    });
    await eventually(() =>
      expect(platform.stream.readings.filter((each) => each.value >= 1000)).toHaveLength(sent),
    );
  });

  test('listens for commands, of which none come', async () => {
    const client = await open();
    await client.open();
    client.on('message', () => undefined);
    client.onDeviceMethod('reboot', () => undefined);
    await client.sendEvent(new Message(JSON.stringify({ light: 5 })));
    expect(await platform.metrics.metrics()).not.toMatch(/endings_total\{reason="forbidden-topic"/);
  });

  test('is refused while its device is suspended', async () => {
    const client = await open(suspended);
    // Without this it tries again for four minutes.
    client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
    await expect(client.open()).rejects.toThrow(/Not authorized/);
  });
});
