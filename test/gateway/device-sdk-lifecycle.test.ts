import { mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { type Client as ClientClass, type Message as MessageClass, type Twin } from 'azure-iot-device';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { directoryScope } from '../../src/auth/directory-scope';
import { type TenantScope } from '../../src/auth/scope';
import { createDeviceDirectory, type DeviceDirectory } from '../../src/store/device-directory';
import { type Cosmos } from '../../src/store/cosmos';
import { type TwinDocument, twinId } from '../../src/store/documents';
import { createTwins } from '../../src/store/twins';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  startStore,
  type Store,
  valueOf,
} from '../store/store.support';
import { createCertificates, selfSigned, thumbprintOf } from '../support/certificate';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { HUB, readStream, type RunningGateway, startGateway, type StreamReader } from './gateway.support';

/* eslint-disable @typescript-eslint/no-require-imports -- the device SDK is CommonJS with assignments to exports. */
const { Client, Message } = require('azure-iot-device') as {
  Client: typeof ClientClass;
  Message: typeof MessageClass;
};
type Transport = Parameters<typeof Client.fromConnectionString>[1];
const { Mqtt } = require('azure-iot-device-mqtt') as { Mqtt: Transport };
const { Http } = require('azure-iot-device-http') as { Http: Transport };
/* eslint-enable @typescript-eslint/no-require-imports */

type Device = InstanceType<typeof Client>;
type Properties = { desired: Record<string, unknown>; reported: Record<string, unknown> & Reporter };
interface Reporter {
  update(patch: object, done: (error?: Error) => void): void;
}

describe('the unmodified Azure IoT device SDK and a device of the registry', () => {
  const server = createCertificates();
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-gateway-'));
  const eventHubs = createEventHubsEmulator({ dataDir, hubs: { [HUB]: 4 }, fsync: false });
  const directories: DeviceDirectory[] = [];
  const gateways: RunningGateway[] = [];
  const clients: Device[] = [];
  let store: Store;
  let owner: TenantScope;
  let stream: StreamReader;
  /** While it is set, the store cannot be asked for twins by the first gateway. */
  let away = false;

  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', 'ten_north', 'OWNER');
    const { connectionString } = await eventHubs.start();
    // Two replicas, each with a store of its own and following for itself.
    for (let replica = 0; replica < 2; replica++) {
      const own = store.anotherCosmos();
      const cosmos: Cosmos = {
        ...own,
        read: (...args) => (away && replica === 0 ? Promise.reject(new Error('away')) : own.read(...args)),
      };
      const directory = createDeviceDirectory({
        cosmos,
        keyring: store.keyring,
        scope: directoryScope('device-authentication'),
        logger,
      });
      await directory.start();
      directories.push(directory);
      const twins = createTwins({ cosmos });
      gateways.push(await startGateway({ connectionString, directory, twins, tls: server }));
    }
    stream = await readStream(connectionString);
  });
  afterEach(async () => {
    away = false;
    for (const client of clients.splice(0)) await client.close().catch(() => undefined);
  });
  afterAll(async () => {
    await Promise.all(gateways.map((each) => each.stop()));
    await Promise.all(directories.map((each) => each.stop()));
    await stream.stop();
    await eventHubs.stop();
    await store.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** A device with a key that was issued to it, as `IssueDeviceCredential` shows it. */
  const newDevice = async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
    const input = { buildingId, devices: newDevices(1, spaceIds, 'room-sensor') };
    const [made] = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
    const deviceId = made!.device.id;
    const issued = valueOf(
      await store.registry.issueDeviceCredential(
        owner,
        {
          deviceId,
          credential: {
            kind: 'SYMMETRIC_KEY',
            primaryThumbprint: null,
            secondaryThumbprint: null,
            authority: null,
          },
        },
        freshKey(),
      ),
    );
    return { deviceId, buildingId, key: issued.key! };
  };
  const configure = async (deviceId: string, desired: Record<string, unknown>) =>
    valueOf(await store.registry.setDeviceConfiguration(owner, { deviceId, desired, expectedVersion: null }));
  const readingsOf = (deviceId: string): number[] =>
    stream.readings.filter((each) => each.deviceId === deviceId).map((each) => each.value);

  const patient = (client: Device): Device => {
    clients.push(client);
    client.on('error', () => undefined);
    // Without this what is refused is tried again for four minutes.
    client.setRetryPolicy({ shouldRetry: () => false, nextRetryTimeout: () => 0 });
    return client;
  };
  const overMqtt = async ({ deviceId, key }: { deviceId: string; key: string }, replica = 0) => {
    const host = `localhost:${gateways[replica]!.mqttsPort}`;
    const connectionString = `HostName=${host};DeviceId=${deviceId};SharedAccessKey=${key}`;
    const client = patient(Client.fromConnectionString(connectionString, Mqtt));
    await client.setOptions({ ca: server.ca });
    return client;
  };
  /** Its transport knows port 443 only: the agent leads its connections here. */
  const overHttp = (
    { deviceId, key }: { deviceId: string; key: string },
    certificate?: { cert: string; key: string },
  ) => {
    const secret = certificate ? 'x509=true' : `SharedAccessKey=${key}`;
    const connectionString = `HostName=localhost;DeviceId=${deviceId};${secret}`;
    const client = patient(Client.fromConnectionString(connectionString, Http));
    const agent = new Agent({ keepAlive: false });
    agent.createConnection = ({ cert, key: own }: ConnectionOptions) => {
      const { httpsPort: port } = gateways[0]!;
      return connectTls({
        host: '127.0.0.1',
        port,
        servername: 'localhost',
        ca: server.ca,
        ...(cert && { cert, key: own }),
      });
    };
    if (certificate) void client.setOptions({ ...certificate });
    void client.setOptions({ http: { agent } } as Parameters<Device['setOptions']>[0]);
    return client;
  };
  const reading = (light: number) => new Message(JSON.stringify({ light }));
  const propertiesOf = (twin: Twin) => twin.properties as unknown as Properties;
  const report = (twin: Twin, patch: object): Promise<void> =>
    new Promise((resolve, reject) =>
      propertiesOf(twin).reported.update(patch, (error) => (error ? reject(error) : resolve())),
    );
  const twinDocument = ({ buildingId, deviceId }: { buildingId: string; deviceId: string }) =>
    store.cosmos.read<TwinDocument>('registry', buildingId, twinId(deviceId));

  test('sends single messages and batches with the key that was issued to it, over MQTT and HTTP', async () => {
    const device = await newDevice();
    const mqtt = await overMqtt(device);
    await mqtt.open();
    await mqtt.sendEvent(reading(1));
    await Promise.all([2, 3].map((light) => mqtt.sendEvent(reading(light))));
    const http = overHttp(device);
    await http.sendEvent(reading(4));
    await http.sendEventBatch([reading(5), reading(6)]);
    await eventually(() => expect(readingsOf(device.deviceId).sort()).toEqual([1, 2, 3, 4, 5, 6]));
  });

  test('gets its twin, hears within two seconds what it is told to be, and reports what it is', async () => {
    const device = await newDevice();
    await configure(device.deviceId, { interval: 60, led: { on: true } });
    const client = await overMqtt(device);
    await client.open();
    const twin = await client.getTwin();
    expect(propertiesOf(twin).desired).toEqual({ interval: 60, led: { on: true }, $version: 1 });
    const told: unknown[] = [];
    twin.on('properties.desired', (patch: unknown) => told.push(patch));
    // It is told at once what it knows already.
    await eventually(() => expect(told).toHaveLength(1));
    await configure(device.deviceId, { interval: 30, led: null });
    const taken = startOwnTime();
    await eventually(() => expect(told.at(-1)).toEqual({ interval: 30, led: null, $version: 2 }), {
      every: 5,
    });
    expect(taken()).toBeLessThan(2_000);
    expect(propertiesOf(twin).desired).toEqual({ interval: 30, $version: 2 });

    await report(twin, { firmware: '1.2.3', interval: 30 });
    expect(await twinDocument(device)).toMatchObject({
      reported: { firmware: '1.2.3', interval: 30 },
      reportedVersion: 1,
      desired: { interval: 30 },
      desiredVersion: 2,
    });
    const [stored] = await store.registry.twinsById(owner, [device]);
    expect(stored?.reported).toEqual({ firmware: '1.2.3', interval: 30 });
  });

  test('hears of its configuration on whichever replica it is connected to', async () => {
    const device = await newDevice();
    const client = await overMqtt(device, 1);
    await client.open();
    const twin = await client.getTwin();
    const versions: number[] = [];
    // At first it gives its own properties, which it goes on changing.
    twin.on('properties.desired', ({ $version }: { $version: number }) => versions.push($version));
    for (let interval = 1; interval <= 3; interval++) await configure(device.deviceId, { interval });
    await eventually(() => expect(propertiesOf(twin).desired).toEqual({ interval: 3, $version: 3 }));
    expect(versions).toEqual([...versions].sort());
  });

  test('is told when the store is away, sends on meanwhile, and gets its twin afterwards', async () => {
    const device = await newDevice();
    const client = await overMqtt(device);
    await client.open();
    await client.sendEvent(reading(1));
    away = true;
    await expect(client.getTwin()).rejects.toThrow('the twin cannot be reached now');
    await client.sendEvent(reading(2));
    away = false;
    expect(propertiesOf(await client.getTwin()).desired).toEqual({ $version: 0 });
    await eventually(() => expect(readingsOf(device.deviceId)).toEqual([1, 2]));
  });

  test('renews its token without losing a message or a change of its configuration', async () => {
    const device = await newDevice();
    const client = await overMqtt(device);
    await client.setOptions({
      ca: server.ca,
      tokenRenewal: { tokenValidTimeInSeconds: 12, tokenRenewalMarginInSeconds: 10 },
    });
    await client.open();
    const twin = await client.getTwin();
    twin.on('properties.desired', () => undefined);
    const connects = async () =>
      Number(/mqtt_connects_total\{code="0".*\} (\d+)/.exec(await gateways[0]!.metrics.metrics())![1]);
    const before = await connects();
    let sent = 0;
    let version = 0;
    await eventually(
      async () => {
        await client.sendEvent(reading(++sent));
        await configure(device.deviceId, { version: ++version });
        expect(await connects()).toBeGreaterThanOrEqual(before + 2);
      },
      { every: 100 },
    );
    await eventually(() => expect(propertiesOf(twin).desired).toEqual({ version, $version: version }));
    await report(twin, { renewed: true });
    expect((await twinDocument(device))?.reported).toEqual({ renewed: true });
    const all = Array.from({ length: sent }, (_, i) => i + 1);
    await eventually(() => expect([...new Set(readingsOf(device.deviceId))]).toEqual(all));
  });

  test('is cut off on both replicas and over HTTP when its device is suspended, and may again when it is resumed', async () => {
    const device = await newDevice();
    // One connection a device and gateway: the second is at the other replica.
    const open = await Promise.all([overMqtt(device, 0), overMqtt(device, 1)]);
    const http = overHttp(device);
    for (const client of open) await client.open();
    for (const client of open) await client.sendEvent(reading(1));
    await http.sendEvent(reading(2));
    const gone = open.map(
      (client) => new Promise<number>((resolve) => client.on('disconnect', () => resolve(Date.now()))),
    );
    valueOf(await store.registry.suspendDevice(owner, device.deviceId, 'cleaning'));
    const suspendedAt = Date.now();
    for (const at of await Promise.all(gone)) expect(at - suspendedAt).toBeLessThan(2_000);
    await expect((await overMqtt(device)).open()).rejects.toThrow(/Not authorized/);
    await expect(http.sendEvent(reading(3))).rejects.toThrow();

    valueOf(await store.registry.resumeDevice(owner, device.deviceId));
    await eventually(async () => {
      const client = await overMqtt(device);
      await client.open();
      await client.sendEvent(reading(4));
    });
    await eventually(() => http.sendEvent(reading(5)));
    await eventually(() => expect(readingsOf(device.deviceId)).toEqual(expect.arrayContaining([1, 2, 4, 5])));
    expect(readingsOf(device.deviceId)).not.toContain(3);
  });

  test('proves who it is by a certificate, over MQTT and HTTP, until its thumbprint is replaced', async () => {
    const device = await newDevice();
    const certificate = selfSigned({ commonName: 'a sensor' });
    const issue = (primaryThumbprint: string) =>
      store.registry.issueDeviceCredential(
        owner,
        {
          deviceId: device.deviceId,
          credential: {
            kind: 'X509_THUMBPRINT',
            primaryThumbprint,
            secondaryThumbprint: null,
            authority: null,
          },
        },
        freshKey(),
      );
    valueOf(await issue(thumbprintOf(certificate)));
    const open = async (): Promise<Device> => {
      const host = `localhost:${gateways[0]!.mqttsPort}`;
      const connectionString = `HostName=${host};DeviceId=${device.deviceId};x509=true`;
      const client = patient(Client.fromConnectionString(connectionString, Mqtt));
      await client.setOptions({ ca: server.ca, ...certificate });
      await client.open();
      return client;
    };
    const client = await eventually(open);
    await client.sendEvent(reading(1));
    await overHttp(device, certificate).sendEvent(reading(2));
    const twin = await client.getTwin();
    await report(twin, { certificate: true });
    expect((await twinDocument(device))?.reported).toEqual({ certificate: true });
    // A key is of no use to a device that is registered with a certificate.
    await expect((await overMqtt(device)).open()).rejects.toThrow(/Not authorized/);

    const gone = new Promise<void>((resolve) => client.on('disconnect', () => resolve()));
    valueOf(await issue(thumbprintOf(selfSigned({ commonName: 'another' }))));
    await gone;
    await expect(open()).rejects.toThrow(/Not authorized/);
    await eventually(() => expect(readingsOf(device.deviceId)).toEqual([1, 2]));
  });
});
