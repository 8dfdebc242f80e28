import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { directoryScope } from '../../src/auth/directory-scope';
import { createDeviceDirectory, type DeviceDirectory } from '../../src/store/device-directory';
import { type ProvisionedDevice } from '../../src/store/registry';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  startStore,
  type Store,
  valueOf,
} from '../store/store.support';
import { eventually } from '../support/eventually';
import { createSasToken } from '../../simulator/sas-token';
import { HUB, readStream, type RunningGateway, startGateway } from './gateway.support';
import { closed, connectDevice } from './mqtt.support';

describe('devices of the registry at the gateway', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-gateway-'));
  const eventHubs = createEventHubsEmulator({ dataDir, hubs: { [HUB]: 4 }, fsync: false });
  let store: Store;
  let directory: DeviceDirectory;
  let gateway: RunningGateway;
  let connectionString: string;

  beforeAll(async () => {
    store = await startStore();
    ({ connectionString } = await eventHubs.start());
    directory = createDeviceDirectory({
      cosmos: store.anotherCosmos(),
      keyring: store.keyring,
      scope: directoryScope('device-authentication'),
      logger,
    });
    await directory.start();
    gateway = await startGateway({ connectionString, directory });
  });
  afterAll(async () => {
    await gateway.stop();
    await directory.stop();
    await eventHubs.stop();
    await store.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const provision = async (count: number, model = 'thermometer') => {
    const scope = await store.member('owner', 'ten_north', 'OWNER');
    const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
    const devices = newDevices(count, spaceIds, model);
    const provisioned = await store.registry.provisionDevices(scope, { buildingId, devices }, freshKey());
    return { scope, buildingId, devices: valueOf(provisioned) };
  };

  const send = async ({ device, keys }: ProvisionedDevice, payload: unknown): Promise<number> => {
    const connection = `HostName=127.0.0.1:${gateway.port};DeviceId=${device.id};SharedAccessKey=${keys!.primary}`;
    const response = await fetch(`${gateway.url}/devices/${device.id}/messages/events`, {
      method: 'POST',
      headers: { authorization: createSasToken(connection, 60), 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    });
    await response.text();
    return response.status;
  };

  test('a device that was just provisioned sends at once, and its reading has the registry’s place', async () => {
    const { buildingId, devices } = await provision(3);
    const statuses = await Promise.all(devices.map((each, i) => send(each, { temperature: 20 + i })));
    expect(statuses).toEqual([204, 204, 204]);
    const stream = await readStream(connectionString);
    const stored = await eventually(() => {
      const mine = stream.readings.filter((each) => each.buildingId === buildingId);
      expect(mine).toHaveLength(3);
      return mine;
    });
    await stream.stop();
    for (const [i, { device }] of devices.entries()) {
      const [assignment] = device.assignments;
      expect(stored.find((each) => each.deviceId === device.id)).toMatchObject({
        tenantId: 'ten_north',
        spaceId: device.spaceId,
        pointId: assignment!.pointId,
        pointOrdinal: assignment!.pointOrdinal,
        deviceOrdinal: assignment!.deviceOrdinal,
        value: 20 + i,
      });
    }
  });

  test('a device that is retired is refused within moments, and its neighbour goes on', async () => {
    const { scope, devices } = await provision(2);
    const [retired, neighbour] = devices as [ProvisionedDevice, ProvisionedDevice];
    expect(await send(retired, { temperature: 20 })).toBe(204);
    valueOf(await store.registry.retireDevice(scope, retired.device.id));
    await eventually(async () => expect(await send(retired, { temperature: 20 })).toBe(401));
    expect(await send(neighbour, { temperature: 20 })).toBe(204);
  });

  test('an open MQTT connection of a device that is retired is cut, and its neighbour’s is not', async () => {
    const { scope, devices } = await provision(2);
    const [retired, neighbour] = await Promise.all(
      devices.map(({ device, keys }) => {
        const connection = `HostName=127.0.0.1;DeviceId=${device.id};SharedAccessKey=${keys!.primary}`;
        return connectDevice(
          gateway.mqttPort,
          { deviceId: device.id },
          { password: createSasToken(connection, 60) },
        );
      }),
    );
    const gone = closed(retired!);
    valueOf(await store.registry.retireDevice(scope, devices[0]!.device.id));
    await gone;
    const topic = `devices/${devices[1]!.device.id}/messages/events/`;
    await neighbour!.publishAsync(topic, '{"temperature": 20}', { qos: 1 });
    await neighbour!.endAsync();
  });

  test('a field gateway relays for a device from when it is made its parent until it no longer is', async () => {
    const { scope, devices } = await provision(2);
    const [parent, child] = devices as [ProvisionedDevice, ProvisionedDevice];
    const relayed = [{ n: `${child.device.id}/temperature`, v: 20 }];
    const connection = `HostName=127.0.0.1;DeviceId=${parent.device.id};SharedAccessKey=${parent.keys!.primary}`;
    const relay = async (): Promise<number> => {
      const response = await fetch(`${gateway.url}/devices/${parent.device.id}/messages/events`, {
        method: 'POST',
        headers: {
          authorization: createSasToken(connection, 60),
          'content-type': 'application/senml+json',
        },
        body: JSON.stringify(relayed),
      });
      await response.text();
      return response.status;
    };
    expect(await relay()).toBe(400);
    valueOf(await store.registry.setDeviceParent(scope, child.device.id, parent.device.id));
    await eventually(async () => expect(await relay()).toBe(204));
    valueOf(await store.registry.suspendDevice(scope, child.device.id, null));
    await eventually(async () => expect(await relay()).toBe(400));
    valueOf(await store.registry.resumeDevice(scope, child.device.id));
    await eventually(async () => expect(await relay()).toBe(204));
    valueOf(await store.registry.setDeviceParent(scope, child.device.id, null));
    await eventually(async () => expect(await relay()).toBe(400));
  });

  test('an id that nobody has is refused, again and again', async () => {
    const { devices } = await provision(1);
    const stranger = { ...devices[0]!, device: { ...devices[0]!.device, id: 'dev_AAAAAAAAAAAAAAAAAAAAAA' } };
    expect(await send(stranger, { temperature: 20 })).toBe(401);
    expect(await send(stranger, { temperature: 20 })).toBe(401);
  });
});
