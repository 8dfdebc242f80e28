import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { createSasToken } from '../../simulator/sas-token';
import { directoryScope } from '../../src/auth/directory-scope';
import { type TenantScope } from '../../src/auth/scope';
import { createDeviceActivity } from '../../src/gateway/activity';
import { createMetrics } from '../../src/observability/metrics';
import { createDeviceActivation } from '../../src/store/device-activation';
import { seenKeyOf } from '../../src/store/device-activity-documents';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { createDeviceDirectory, type DeviceDirectory } from '../../src/store/device-directory';
import { type ProvisionedDevice } from '../../src/store/registry';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from '../store/store.support';
import { eventually } from '../support/eventually';
import { HUB, type RunningGateway, startGateway } from './gateway.support';
import { connectDevice } from './mqtt.support';

describe('devices that are heard at the gateway', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atrium-gateway-'));
  const eventHubs = createEventHubsEmulator({ dataDir, hubs: { [HUB]: 4 }, fsync: false });
  let store: Store;
  let scope: TenantScope;
  let directory: DeviceDirectory;
  let gateway: RunningGateway;
  let storeIsAway = false;

  beforeAll(async () => {
    store = await startStore();
    scope = await store.member('owner', 'ten_north', 'OWNER');
    const { connectionString } = await eventHubs.start();
    directory = createDeviceDirectory({
      cosmos: store.anotherCosmos(),
      keyring: store.keyring,
      scope: directoryScope('device-authentication'),
      logger,
    });
    await directory.start();
    const cosmos = tapped(store.anotherCosmos(), {
      before: () => {
        if (storeIsAway) throw new Error('the store is away');
      },
    });
    gateway = await startGateway({
      connectionString,
      directory,
      activity: createDeviceActivity({
        logger,
        metrics: createMetrics({ process: 'gateway' }),
        writer: createActivityWriter({ cosmos }),
        activation: createDeviceActivation({ cosmos }),
        intervalMilliseconds: 200,
        gatherMilliseconds: 20,
      }),
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await directory.stop();
    await eventHubs.stop();
    await store.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const provision = async (count: number): Promise<ProvisionedDevice[]> => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
    const devices = newDevices(count, spaceIds);
    return valueOf(await store.registry.provisionDevices(scope, { buildingId, devices }, freshKey()));
  };
  const tokenFor = ({ device, keys }: ProvisionedDevice): string =>
    createSasToken(`HostName=127.0.0.1;DeviceId=${device.id};SharedAccessKey=${keys!.primary}`, 60);
  const post = async (provisioned: ProvisionedDevice, payload: unknown): Promise<number> => {
    const response = await fetch(`${gateway.url}/devices/${provisioned.device.id}/messages/events`, {
      method: 'POST',
      headers: { authorization: tokenFor(provisioned), 'content-type': 'application/json' },
      body: JSON.stringify(payload),
    });
    await response.text();
    return response.status;
  };
  const lastSeen = async ({ device }: ProvisionedDevice) =>
    (await store.registry.lastSeen(scope, [seenKeyOf(device)!]))[0];
  const stored = async ({ device }: ProvisionedDevice) =>
    (await store.registry.devicesById(scope, [device.id]))[0]!;

  it('are active from their first reading, and the gateway hears of it; when and how is known', async () => {
    const [byHttp, byMqtt, silent] = (await provision(3)) as [
      ProvisionedDevice,
      ProvisionedDevice,
      ProvisionedDevice,
    ];
    const begun = Date.now();
    expect(await post(byHttp, { temperature: 20 })).toBe(204);
    const { id: deviceId } = byMqtt.device;
    const client = await connectDevice(gateway.mqttPort, { deviceId }, { password: tokenFor(byMqtt) });
    await client.publishAsync(`devices/${deviceId}/messages/events/`, '{"temperature": 20}', { qos: 1 });
    await client.endAsync();
    await eventually(async () => {
      expect(await lastSeen(byHttp)).toMatchObject({ protocol: 'HTTP' });
      expect(await lastSeen(byMqtt)).toMatchObject({ protocol: 'MQTT' });
      for (const each of [byHttp, byMqtt]) {
        expect(await stored(each)).toMatchObject({ state: 'ACTIVE', activatedAt: expect.any(Number) });
        expect(directory.peek(each.device.id)?.state).toBe('ACTIVE');
      }
    });
    expect((await stored(byHttp)).activatedAt).toBeGreaterThanOrEqual(begun);
    expect((await lastSeen(byHttp))!.at).toBeGreaterThanOrEqual(begun - 1_000);
    expect([await lastSeen(silent), (await stored(silent)).state]).toEqual([null, 'PROVISIONED']);
    expect(await post(byHttp, { temperature: 21 })).toBe(204);
  });

  it('are seen and not made active by a message of which nothing could be taken', async () => {
    const [device] = (await provision(1)) as [ProvisionedDevice];
    expect(await post(device, { temperature: 1_000 })).toBe(400);
    await eventually(async () => expect(await lastSeen(device)).toMatchObject({ protocol: 'HTTP' }));
    expect((await stored(device)).state).toBe('PROVISIONED');
  });

  it('are answered without delay while the registry cannot be written, and known later', async () => {
    const devices = await provision(5);
    // The directory knows them.
    await Promise.all(devices.map(({ device }) => directory.lookup(device.id)));
    storeIsAway = true;
    const statuses = await Promise.all(devices.map((each) => post(each, { temperature: 20 })));
    expect(statuses).toEqual(Array(5).fill(204));
    expect((await stored(devices[0]!)).state).toBe('PROVISIONED');
    storeIsAway = false;
    await eventually(async () => {
      for (const each of devices) {
        expect((await stored(each)).state).toBe('ACTIVE');
        expect(await lastSeen(each)).toMatchObject({ protocol: 'HTTP' });
      }
    });
  });
});
