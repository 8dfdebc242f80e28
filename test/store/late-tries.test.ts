import { type TenantScope } from '../../src/auth/scope';
import { type Cosmos } from '../../src/store/cosmos';
import { type DeviceDocument, twinId } from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import { dying, expectSound, inStock, provisioned, storedIn, theOne, twoBuildings } from './saga.support';
import { createBuilding, freshKey, newDevices, startStore, type Store, valueOf } from './store.support';

let store: Store;
let maker: TenantScope;
let north: TenantScope;
let south: TenantScope;
beforeAll(async () => {
  store = await startStore();
  maker = await store.member('maker', 'ten_maker', 'OWNER');
  north = await store.member('north', 'ten_north', 'OWNER');
  south = await store.member('south', 'ten_south', 'OWNER');
});
afterAll(() => store.stop());

const HOUR = 3_600_000;

async function offered(deviceId: string): Promise<string> {
  const input = { deviceId, toTenantId: 'ten_south', expiresInMs: HOUR };
  return valueOf(await store.registry.offerDeviceTransfer(north, input)).transfer!.id;
}

/** As after a day: what was noted of idempotency keys is forgotten, and what has ended has expired. */
async function aDayLater(...buildingIds: string[]): Promise<void> {
  const forget = async (
    container: 'directory' | 'registry',
    partition: string,
    id: string,
  ): Promise<void> => {
    await store.cosmos.batch(container, partition, [{ remove: id }]);
  };
  for (const buildingId of buildingIds) {
    const records = await store.cosmos.query<{ id: string }>(
      'registry',
      buildingId,
      "SELECT c.id FROM c WHERE c.type = 'idempotency'",
    );
    for (const { id } of records) {
      await forget('registry', buildingId, id);
      await forget('directory', id, 'idempotency');
    }
  }
  const sagas = await store.cosmos.query<{ id: string }>(
    'directory',
    'sagas:pending',
    'SELECT c.id FROM c WHERE IS_DEFINED(c.ttl)',
  );
  for (const { id } of sagas) await forget('directory', 'sagas:pending', id);
}

describe('an idempotency key that serves again when it is forgotten', () => {
  it('claims another device', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, north);
    const key = freshKey();
    for (let day = 0; day < 2; day++) {
      const { serialNumber, claimCode, deviceId } = await inStock(store, maker);
      const input = { serialNumber, claimCode, buildingId, spaceId: spaceIds[0]!, name: `Day ${day}` };
      const { device, keys } = valueOf(await store.registry.claimDevice(north, input, key));
      expect(device).toMatchObject({ id: deviceId, name: `Day ${day}` });
      expect(keys).not.toBeNull();
      await theOne(store, deviceId, [buildingId]);
      await aDayLater(buildingId);
    }
    await expectSound(store, buildingId);
  });

  it('accepts another device', async () => {
    const place = await createBuilding(store.registry, north);
    const { buildingId, spaceIds } = await createBuilding(store.registry, south);
    const key = freshKey();
    for (let day = 0; day < 2; day++) {
      const { id } = await provisioned(store, north, place);
      const input = { transferId: await offered(id), buildingId, spaceId: spaceIds[0]!, name: null };
      const { device, keys } = valueOf(await store.registry.acceptDeviceTransfer(south, input, key));
      expect(device).toMatchObject({ id, tenantId: 'ten_south' });
      expect(keys).not.toBeNull();
      await theOne(store, id, [place.buildingId, buildingId]);
      await aDayLater(buildingId);
    }
    await expectSound(store, place.buildingId);
    await expectSound(store, buildingId);
  });

  it('replaces another device, and gives no serial number twice', async () => {
    const place = await createBuilding(store.registry, north);
    const key = freshKey();
    const replace = async (serialNumber: string) => {
      const { id } = await provisioned(store, north, place);
      const replacement = { from: 'new' as const, model: 'room-sensor', serialNumber };
      return store.registry.replaceDevice(north, { deviceId: id, replacement, name: null }, key);
    };
    const first = valueOf(await replace('LT 1')).device;
    await aDayLater(place.buildingId);
    const second = valueOf(await replace('LT 2')).device;
    expect(second.id).not.toBe(first.id);
    await aDayLater(place.buildingId);
    expect(await replace('LT 1')).toMatchObject({ refusal: { code: 'CONFLICT' } });
    await expectSound(store, place.buildingId);
  });
});

test.each(['goes on', 'goes back'])(
  'a device that %s before an earlier move is through stays there',
  async (how) => {
    for (let n = 1; ; n++) {
      const [one, two] = await twoBuildings(store, north);
      const three = await createBuilding(store.registry, north, 'Three');
      const { id } = await provisioned(store, north, one);
      const { registry, died } = dying(store, n);
      const to = ({ buildingId, spaceIds }: typeof one) => ({
        deviceId: id,
        buildingId,
        spaceId: spaceIds[1]!,
      });
      await registry.moveDevice(north, to(two)).catch(() => undefined);
      const goal = how === 'goes on' ? three : one;
      let outcome = await store.registry.moveDevice(north, to(goal));
      if (!outcome.ok && outcome.refusal.code === 'CONFLICT') {
        // It has left and not come as far as its entry: whoever asks is told to try again.
        await store.registry.resumeSagas({ olderThanMs: -1_000, limit: 100 });
        outcome = await store.registry.moveDevice(north, to(goal));
      }
      const moved = valueOf(outcome);
      expect(moved).toMatchObject({ buildingId: goal.buildingId, spaceId: goal.spaceIds[1] });
      await store.registry.resumeSagas({ olderThanMs: -1_000, limit: 100 });
      const buildings = [one.buildingId, two.buildingId, three.buildingId];
      expect(await theOne(store, id, buildings)).toMatchObject({ buildingId: goal.buildingId });
      for (const each of buildings) await expectSound(store, each);
      if (!died()) return;
    }
  },
);

test('what a device is told while it goes to another building goes with it', async () => {
  const [one, two] = await twoBuildings(store, north);
  const { id } = await provisioned(store, north, one);
  const cosmos = meanwhile(
    store.cosmos,
    (_partition, document) => document === twinId(id),
    () =>
      store.registry.moveDevice(north, {
        deviceId: id,
        buildingId: two.buildingId,
        spaceId: two.spaceIds[0]!,
      }),
  );
  const registry = createRegistry({ cosmos, keyring: store.keyring });
  const told = { deviceId: id, desired: { interval: 30 }, expectedVersion: null };
  valueOf(await registry.setDeviceConfiguration(north, told));
  const [twin] = await store.registry.twinsById(north, [{ buildingId: two.buildingId, deviceId: id }]);
  expect(twin).toMatchObject({ desired: { interval: 30 } });
});

test.each(['moved', 'transferred'])(
  'a provisioning that is resumed when its device was %s leaves it there and shows nobody else’s keys',
  async (how) => {
    for (let n = 1; ; n++) {
      const [one, two] = await twoBuildings(store, north);
      const there = how === 'moved' ? two : await createBuilding(store.registry, south);
      const input = { buildingId: one.buildingId, devices: newDevices(1, one.spaceIds) };
      const key = freshKey();
      const { registry, died } = dying(store, n);
      await registry.provisionDevices(north, input, key).catch(() => undefined);
      const [made] = (await storedIn(store, one.buildingId)).devices;
      let moved: DeviceDocument | undefined;
      const { buildingId, spaceIds } = there;
      if (made && how === 'moved') {
        const goal = { deviceId: made.id, buildingId, spaceId: spaceIds[0]! };
        moved = valueOf(await store.registry.moveDevice(north, goal));
      } else if (made) {
        const goal = { transferId: await offered(made.id), buildingId, spaceId: spaceIds[0]!, name: null };
        moved = valueOf(await store.registry.acceptDeviceTransfer(south, goal, freshKey())).device;
      }
      const [again] = valueOf(await store.registry.provisionDevices(north, input, key));
      if (moved) {
        expect(again).toMatchObject({ device: { id: moved.id, tenantId: 'ten_north' }, keys: null });
        expect(again!.device.assignments).not.toHaveLength(0);
        if (how === 'transferred') expect(again!.device.keys).toBeNull();
        const found = await theOne(store, moved.id, [one.buildingId, buildingId]);
        expect(found).toMatchObject({ buildingId, keys: moved.keys });
      }
      await expectSound(store, one.buildingId);
      if (!died()) return;
    }
  },
);

/** The store, which lets something happen once behind the first call that is asked for. */
function meanwhile(
  cosmos: Cosmos,
  behind: (partition: string, id: unknown) => boolean,
  what: () => Promise<unknown>,
): Cosmos {
  let happened = false;
  const tap =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const result = await method(...args);
      if (!happened && behind(args[1] as string, args[2])) {
        happened = true;
        await what();
      }
      return result;
    };
  return { ...cosmos, read: tap(cosmos.read) as Cosmos['read'], batch: tap(cosmos.batch) };
}

describe('a call that is sent twice by a phone that lost its connection', () => {
  it('claims the device once, and both get it', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, north);
    const { serialNumber, claimCode, deviceId } = await inStock(store, maker);
    const input = { serialNumber, claimCode, buildingId, spaceId: spaceIds[0]!, name: 'Twice' };
    const key = freshKey();
    const cosmos = meanwhile(
      store.cosmos,
      (partition) => partition.startsWith('attempts:'),
      () => store.registry.claimDevice(north, input, key),
    );
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const outcome = valueOf(await registry.claimDevice(north, input, key));
    expect(outcome).toMatchObject({ device: { id: deviceId }, keys: null, factoryKeyed: false });
    await theOne(store, deviceId, [buildingId]);
  });

  it('accepts a transfer once, and both get the device', async () => {
    const place = await createBuilding(store.registry, north);
    const { buildingId, spaceIds } = await createBuilding(store.registry, south);
    const { id } = await provisioned(store, north, place);
    const input = { transferId: await offered(id), buildingId, spaceId: spaceIds[0]!, name: null };
    const key = freshKey();
    const cosmos = meanwhile(
      store.cosmos,
      (partition) => partition.startsWith('transfers:'),
      () => store.registry.acceptDeviceTransfer(south, input, key),
    );
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const outcome = valueOf(await registry.acceptDeviceTransfer(south, input, key));
    expect(outcome).toMatchObject({ device: { id, tenantId: 'ten_south' }, keys: null });
    await theOne(store, id, [place.buildingId, buildingId]);
  });
});
