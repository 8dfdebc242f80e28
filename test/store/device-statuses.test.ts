import { codeOfProtocol } from '../../src/domain/device-protocol';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { createDeviceStatuses } from '../../src/store/device-statuses';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  startStore,
  type Store,
  valueOf,
} from './store.support';

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.stop());

describe('the statuses of devices', () => {
  it('begin with both what a device is and when it was heard, although it changes while that is read', async () => {
    const { cosmos, registry } = store;
    const scope = await store.member('owner', 'ten_north', 'OWNER');
    const house = async () => {
      const { buildingId, spaceIds } = await createBuilding(registry, scope);
      const input = { buildingId, devices: newDevices(1, spaceIds) };
      const made = valueOf(await registry.provisionDevices(scope, input, freshKey()));
      const { device } = made[0]!;
      return { buildingId, device };
    };
    const { buildingId, device } = await house();
    const other = await house();
    const ordinal = device.assignments[0]!.deviceOrdinal;
    const seconds = new Uint32Array(ordinal + 1).fill(1_790_000_000);
    const protocols = new Uint8Array(ordinal + 1).fill(codeOfProtocol('MQTT'));
    await createActivityWriter({ cosmos }).write([
      { buildingId, chunks: [{ index: 0, seconds, protocols }] },
    ]);

    let read!: () => void;
    const mayRead = new Promise<void>((resolve) => (read = resolve));
    let readings = 0;
    const statuses = createDeviceStatuses({
      cosmos,
      registry: {
        devices: registry.devices,
        devicesById: registry.devicesById,
        toldDevices: registry.toldDevices,
        async lastSeen(...args) {
          if (++readings === 1) await mayRead;
          return registry.lastSeen(...args);
        },
      },
      logger,
    });
    await statuses.start();
    const slow = statuses.follow(scope, { buildingId });
    const first = slow.next();
    const quick = statuses.follow(scope, { buildingId: other.buildingId });
    await quick.next();
    valueOf(await registry.suspendDevice(scope, device.id, null));
    valueOf(await registry.suspendDevice(scope, other.device.id, null));
    // Who hears of the later change shares the feed with who still reads, and was told of the earlier one by then.
    for (;;) if ((await quick.next()).value.state === 'SUSPENDED') break;
    read();
    expect((await first).value).toMatchObject({
      deviceId: device.id,
      state: 'SUSPENDED',
      lastSeen: { at: 1_790_000_000_000, protocol: 'MQTT' },
    });
    await Promise.all([slow.return!(), quick.return!()]);
    await statuses.stop();
  });
});
