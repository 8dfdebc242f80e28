import { type TenantScope } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { type AuditDocument, type BuildingDocument, type DeviceDocument } from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import {
  createBuilding,
  freshKey,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

describe('operations on a device', () => {
  let store: Store;
  let owner: TenantScope;
  let stranger: TenantScope;
  let building: Awaited<ReturnType<typeof createBuilding>>;
  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', 'ten_north', 'OWNER');
    stranger = await store.member('stranger', 'ten_south', 'OWNER');
    building = await createBuilding(store.registry, owner);
  });
  afterAll(() => store.stop());

  async function provision(count = 1): Promise<DeviceDocument[]> {
    const input = { buildingId: building.buildingId, devices: newDevices(count, building.spaceIds) };
    return valueOf(await store.registry.provisionDevices(owner, input, freshKey())).map(
      ({ device }) => device,
    );
  }
  const read = async (id: string): Promise<DeviceDocument> =>
    (await store.cosmos.read<DeviceDocument>('registry', building.buildingId, id))!;
  const audits = (subject: string): Promise<AuditDocument[]> =>
    store.cosmos.query<AuditDocument>(
      'registry',
      building.buildingId,
      "SELECT * FROM c WHERE c.type = 'audit' AND c.subject = @subject ORDER BY c.auditKey",
      { subject },
    );
  const counts = async () => {
    const { devices, devicesByQuantity } = (await store.cosmos.read<BuildingDocument>(
      'registry',
      building.buildingId,
      building.buildingId,
    ))!;
    return { devices, devicesByQuantity };
  };

  describe('suspension', () => {
    it('keeps what the device was, its credentials and its part in the counts, until it is resumed', async () => {
      const [device] = await provision();
      const before = await counts();
      const suspended = valueOf(await store.registry.suspendDevice(owner, device!.id, 'new battery'));
      expect(suspended).toMatchObject({
        state: 'SUSPENDED',
        suspended: { before: 'PROVISIONED', at: expect.any(Number), reason: 'new battery' },
        assignments: [{ to: null }],
      });
      expect((await read(device!.id)).keys).toEqual(device!.keys);
      expect(await counts()).toEqual(before);

      const resumed = valueOf(await store.registry.resumeDevice(owner, device!.id));
      expect(resumed).toMatchObject({ state: 'PROVISIONED', suspended: null });
      expect(await audits(device!.id)).toMatchObject([
        {
          action: 'device.suspend',
          actor: owner.principal.id,
          before: { state: 'PROVISIONED' },
          after: { state: 'SUSPENDED', reason: 'new battery' },
        },
        {
          action: 'device.resume',
          before: { state: 'SUSPENDED', reason: 'new battery' },
          after: { state: 'PROVISIONED' },
        },
      ]);
    });

    it('done a second time changes nothing and tells of nothing', async () => {
      const [device] = await provision();
      valueOf(await store.registry.resumeDevice(owner, device!.id));
      valueOf(await store.registry.suspendDevice(owner, device!.id, 'first'));
      const again = valueOf(await store.registry.suspendDevice(owner, device!.id, 'second'));
      expect(again.suspended!.reason).toBe('first');
      expect(await audits(device!.id)).toHaveLength(1);
    });

    it('is refused for a retired device, for a reason that is no text, and to who may not', async () => {
      const [device, other] = await provision(2);
      valueOf(await store.registry.retireDevice(owner, device!.id));
      expect(await store.registry.suspendDevice(owner, device!.id, null)).toMatchObject({
        refusal: { code: 'WRONG_STATE', path: 'deviceId' },
      });
      expect(await store.registry.resumeDevice(owner, device!.id)).toMatchObject({
        refusal: { code: 'WRONG_STATE' },
      });
      expect(await store.registry.suspendDevice(owner, other!.id, 'a\nb')).toMatchObject({
        refusal: { code: 'INVALID_INPUT', path: 'reason' },
      });
      expect(await store.registry.suspendDevice(stranger, other!.id, null)).toMatchObject({
        refusal: { code: 'NOT_FOUND' },
      });
    });

    it('took effect once where the answer was lost', async () => {
      const [device] = await provision();
      let lost = false;
      const cosmos = tapped(store.cosmos, {
        after: (_call, name) => {
          if (name !== 'batch' || lost) return;
          lost = true;
          throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        },
      });
      const registry = createRegistry({ cosmos, keyring: store.keyring });
      expect(valueOf(await registry.suspendDevice(owner, device!.id, null)).state).toBe('SUSPENDED');
      expect(await audits(device!.id)).toHaveLength(1);
    });
  });

  describe('configuration', () => {
    const set = (deviceId: string, desired: Record<string, unknown>, expectedVersion: number | null = null) =>
      store.registry.setDeviceConfiguration(owner, { deviceId, desired, expectedVersion });

    it('is merged, leaves the device’s document as it is, and tells which properties and not their values', async () => {
      const [device] = await provision();
      const key = { buildingId: building.buildingId, deviceId: device!.id };
      const before = await read(device!.id);
      expect(await store.registry.twinsById(owner, [key])).toEqual([null]);

      valueOf(await set(device!.id, { interval: 60, wifi: { ssid: 'hall', password: 'secret' } }, 0));
      const { twin } = valueOf(await set(device!.id, { interval: null, wifi: { ssid: 'yard' } }, 1));
      expect(twin).toMatchObject({
        desired: { wifi: { ssid: 'yard', password: 'secret' } },
        desiredVersion: 2,
        reportedVersion: 0,
      });
      expect(await store.registry.twinsById(owner, [key, { ...key, deviceId: newId('dev') }])).toMatchObject([
        { desired: twin.desired },
        null,
      ]);
      expect(await store.registry.twinsById(stranger, [key])).toEqual([null]);
      // Written again, so that it cannot leave the building meanwhile.
      const written = { _etag: expect.any(String), _ts: expect.any(Number) };
      expect(await read(device!.id)).toEqual({ ...before, ...written });

      const told = await audits(device!.id);
      expect(told).toMatchObject([
        { action: 'device.configure', before: { desiredVersion: 0 }, after: { desiredVersion: 1 } },
        {
          action: 'device.configure',
          before: { desiredVersion: 1 },
          after: { desiredVersion: 2, properties: ['interval', 'wifi'] },
        },
      ]);
      expect(JSON.stringify(told)).not.toContain('secret');
    });

    it('is refused where another version was expected, unless there is nothing to change', async () => {
      const [device] = await provision();
      valueOf(await set(device!.id, { a: 1 }));
      expect(await set(device!.id, { a: 2 }, 0)).toMatchObject({
        refusal: { code: 'CONFLICT', path: 'expectedVersion' },
      });
      const { twin } = valueOf(await set(device!.id, { a: 1 }, 0));
      expect(twin).toMatchObject({ desired: { a: 1 }, desiredVersion: 1 });
      expect(await audits(device!.id)).toHaveLength(1);
    });

    it('loses none of several changes at once', async () => {
      const [device] = await provision();
      const registries = [store.cosmos, store.anotherCosmos()].map((cosmos) =>
        createRegistry({ cosmos, keyring: store.keyring }),
      );
      await Promise.all(
        Array.from({ length: 6 }, async (_, i) =>
          valueOf(
            await registries[i % 2]!.setDeviceConfiguration(owner, {
              deviceId: device!.id,
              desired: { [`k${i}`]: i },
              expectedVersion: null,
            }),
          ),
        ),
      );
      const { twin } = valueOf(await set(device!.id, {}));
      expect(twin.desired).toEqual({ k0: 0, k1: 1, k2: 2, k3: 3, k4: 4, k5: 5 });
      expect(twin.desiredVersion).toBe(6);
      expect(await audits(device!.id)).toHaveLength(6);
    });

    it('is refused beyond IoT Hub’s limits, naming where', async () => {
      const [device] = await provision();
      expect(await set(device!.id, { radio: { 'tx.power': 1 } })).toMatchObject({
        refusal: { code: 'INVALID_INPUT', path: 'desired.radio' },
      });
      for (let i = 0; i < 8; i++) valueOf(await set(device!.id, { [`k${i}`]: 'x'.repeat(4000) }));
      expect(await set(device!.id, { k8: 'x'.repeat(4000) })).toMatchObject({
        refusal: { code: 'INVALID_INPUT', path: 'desired', message: expect.stringContaining('32768') },
      });
    });
  });

  describe('a field gateway', () => {
    it('is named and taken away again, and ends with the device', async () => {
      const [child, gateway] = await provision(2);
      expect(valueOf(await store.registry.setDeviceParent(owner, child!.id, gateway!.id)).parentId).toBe(
        gateway!.id,
      );
      valueOf(await store.registry.setDeviceParent(owner, child!.id, gateway!.id));
      valueOf(await store.registry.setDeviceParent(owner, child!.id, null));
      valueOf(await store.registry.setDeviceParent(owner, child!.id, gateway!.id));
      expect(valueOf(await store.registry.retireDevice(owner, child!.id)).parentId).toBeNull();
      expect((await audits(child!.id)).map(({ before, after }) => [before, after]).slice(0, 2)).toEqual([
        [{ parentId: null }, { parentId: gateway!.id }],
        [{ parentId: gateway!.id }, { parentId: null }],
      ]);
    });

    it('is left behind where the device goes to another building', async () => {
      const [child, gateway] = await provision(2);
      valueOf(await store.registry.setDeviceParent(owner, child!.id, gateway!.id));
      const { buildingId, spaceIds } = await createBuilding(store.registry, owner, 'Building 27');
      const to = { deviceId: child!.id, buildingId, spaceId: spaceIds[0]! };
      expect(valueOf(await store.registry.moveDevice(owner, to)).parentId).toBeNull();
    });

    it('is another device in service in the same building, with no parent, for a device without children', async () => {
      const [child, gateway, far, retired] = await provision(4);
      valueOf(await store.registry.setDeviceParent(owner, child!.id, gateway!.id));
      valueOf(await store.registry.retireDevice(owner, retired!.id));
      const elsewhere = await createBuilding(store.registry, owner, 'Building 26');
      const [foreign] = valueOf(
        await store.registry.provisionDevices(
          owner,
          { buildingId: elsewhere.buildingId, devices: newDevices(1, elsewhere.spaceIds) },
          freshKey(),
        ),
      );
      const cases: [string, string, string, RegExp][] = [
        [far!.id, far!.id, 'INVALID_INPUT', /its own parent/],
        [far!.id, child!.id, 'INVALID_INPUT', /has a parent itself/],
        [gateway!.id, far!.id, 'INVALID_INPUT', /is a parent itself/],
        [far!.id, retired!.id, 'WRONG_STATE', /is RETIRED/],
        [retired!.id, far!.id, 'WRONG_STATE', /does not admit/],
        [far!.id, foreign!.device.id, 'NOT_FOUND', /in the building/],
        [far!.id, newId('dev'), 'NOT_FOUND', /in the building/],
        // What stands in the building under another id is no device.
        [far!.id, building.buildingId, 'NOT_FOUND', /in the building/],
        [far!.id, building.spaceIds[0]!, 'NOT_FOUND', /in the building/],
      ];
      for (const [deviceId, parentId, code, message] of cases) {
        const outcome = await store.registry.setDeviceParent(owner, deviceId, parentId);
        expect(outcome).toMatchObject({
          ok: false,
          refusal: { code, message: expect.stringMatching(message) },
        });
      }
      expect(await audits(far!.id)).toEqual([]);
    });
  });
});
