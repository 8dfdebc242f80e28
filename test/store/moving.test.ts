import { type TenantScope } from '../../src/auth/scope';
import { type DeviceDocument, twinId, type TwinDocument } from '../../src/store/documents';
import { expectSound, inStock, provisioned, storedIn, twoBuildings } from './saga.support';
import { createBuilding, freshKey, startStore, type Store, valueOf } from './store.support';

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

async function offered(device: DeviceDocument, toTenantId = 'ten_south'): Promise<string> {
  const input = { deviceId: device.id, toTenantId, expiresInMs: HOUR };
  return valueOf(await store.registry.offerDeviceTransfer(north, input)).transfer!.id;
}

test('a move within a building gives new points from now on, in one batch, and keeps everything else', async () => {
  const place = await createBuilding(store.registry, north);
  const device = await provisioned(store, north, place);
  const input = { deviceId: device.id, buildingId: null, spaceId: place.spaceIds[2]! };
  const moved = valueOf(await store.registry.moveDevice(north, input));
  expect(moved).toMatchObject({ spaceId: input.spaceId, keys: device.keys, state: device.state });
  const open = moved.assignments.filter((each) => each.to === null);
  expect(open.map((each) => each.spaceId)).toEqual(Array(3).fill(input.spaceId));
  expect(new Set(moved.assignments.map((each) => each.deviceOrdinal)).size).toBe(1);
  expect(new Set(moved.assignments.map((each) => each.pointId)).size).toBe(6);
  await expectSound(store, place.buildingId);
  // Again, it is there already.
  expect(valueOf(await store.registry.moveDevice(north, input)).assignments).toEqual(moved.assignments);
  const { audits } = await storedIn(store, place.buildingId);
  expect(audits.filter((each) => each.action === 'device.move')).toHaveLength(1);
});

test('a move holds from when every gateway has heard of it, so that none takes what comes after for the place before', async () => {
  const [one, two] = await twoBuildings(store, north);
  for (const target of [one, two]) {
    const device = await provisioned(store, north, one);
    const asked = Date.now();
    const input = { deviceId: device.id, buildingId: target.buildingId, spaceId: target.spaceIds[1]! };
    const moved = valueOf(await store.registry.moveDevice(north, input));
    const open = moved.assignments.filter((each) => each.to === null);
    const past = moved.assignments.filter((each) => each.to !== null);
    // A directory that is more than two seconds behind is not believed.
    for (const { from } of open) expect(from).toBeGreaterThanOrEqual(asked + 3_000);
    expect(new Set(past.map(({ to }) => to))).toEqual(new Set(open.map(({ from }) => from)));
    const retired = valueOf(await store.registry.retireDevice(north, device.id));
    expect(retired.assignments.every(({ to }) => to! <= Date.now())).toBe(true);
  }
});

test('a device that is moved back to a building is one device there, with new points', async () => {
  const [one, two] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  for (const { buildingId, spaceIds } of [two, one, two, one]) {
    valueOf(
      await store.registry.moveDevice(north, { deviceId: device.id, buildingId, spaceId: spaceIds[0]! }),
    );
  }
  await expectSound(store, one.buildingId);
  await expectSound(store, two.buildingId);
  const { devices, points } = await storedIn(store, one.buildingId);
  expect(devices.map((each) => each.id)).toEqual([device.id]);
  expect(points).toHaveLength(9);
});

test('what a device was told to be goes with a move, and not with a transfer', async () => {
  const [one, two] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  const told = { deviceId: device.id, desired: { interval: 30 }, expectedVersion: null };
  valueOf(await store.registry.setDeviceConfiguration(north, told));
  const { buildingId } = two;
  const moved = valueOf(
    await store.registry.moveDevice(north, { deviceId: device.id, buildingId, spaceId: two.spaceIds[0]! }),
  );
  const [twin] = await store.registry.twinsById(north, [{ buildingId, deviceId: device.id }]);
  expect(twin).toMatchObject({ desired: { interval: 30 }, desiredVersion: 1, buildingId });

  const to = await createBuilding(store.registry, south);
  const input = {
    transferId: await offered(moved),
    buildingId: to.buildingId,
    spaceId: to.spaceIds[0]!,
    name: null,
  };
  valueOf(await store.registry.acceptDeviceTransfer(south, input, freshKey()));
  const twins = await Promise.all(
    [one.buildingId, two.buildingId, to.buildingId].map((each) =>
      store.cosmos.read<TwinDocument>('registry', each, twinId(device.id)),
    ),
  );
  // Those that are left are about to expire.
  for (const each of twins) if (each) expect(each.ttl).toBe(1);
  expect(twins[2]).toBeNull();
});

test('a suspended device keeps its state on a move and comes provisioned to a new owner', async () => {
  const [one, two] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  valueOf(await store.registry.suspendDevice(north, device.id, 'broken'));
  const { buildingId, spaceIds } = two;
  const moved = valueOf(
    await store.registry.moveDevice(north, { deviceId: device.id, buildingId, spaceId: spaceIds[0]! }),
  );
  expect(moved).toMatchObject({ state: 'SUSPENDED', suspended: { reason: 'broken' } });
  const to = await createBuilding(store.registry, south);
  const input = {
    transferId: await offered(moved),
    buildingId: to.buildingId,
    spaceId: to.spaceIds[0]!,
    name: 'Ours',
  };
  const { device: received, keys } = valueOf(
    await store.registry.acceptDeviceTransfer(south, input, freshKey()),
  );
  expect(received).toMatchObject({ state: 'PROVISIONED', suspended: null, name: 'Ours' });
  expect(store.keyring.open(device.id, received.keys!.primary).toString('base64')).toBe(keys!.primary);
});

test('a retired device is moved, replaced and offered no more, and the stock keeps what was to replace it', async () => {
  const [one, two] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  const other = await provisioned(store, north, one);
  valueOf(await store.registry.retireDevice(north, device.id));
  const refusal = { ok: false, refusal: { code: 'WRONG_STATE' } };
  const { registry } = store;
  const { buildingId, spaceIds } = two;
  const deviceId = device.id;
  expect(await registry.moveDevice(north, { deviceId, buildingId, spaceId: spaceIds[0]! })).toMatchObject(
    refusal,
  );
  expect(
    await registry.moveDevice(north, { deviceId, buildingId: null, spaceId: one.spaceIds[1]! }),
  ).toMatchObject(refusal);
  expect(
    await registry.offerDeviceTransfer(north, { deviceId, toTenantId: 'ten_south', expiresInMs: HOUR }),
  ).toMatchObject(refusal);
  const { serialNumber, claimCode } = await inStock(store, maker);
  const replacement = { from: 'stock' as const, serialNumber, claimCode };
  expect(
    await registry.replaceDevice(north, { deviceId, replacement, name: null }, freshKey()),
  ).toMatchObject(refusal);
  valueOf(await registry.replaceDevice(north, { deviceId: other.id, replacement, name: null }, freshKey()));
  await expectSound(store, one.buildingId);
});

test('a replacement and a retirement at the same time leave one device or none, and the code to whom it is left', async () => {
  for (let round = 0; round < 5; round++) {
    const place = await createBuilding(store.registry, north);
    const device = await provisioned(store, north, place);
    const { serialNumber, claimCode } = await inStock(store, maker);
    const replacement = { from: 'stock' as const, serialNumber, claimCode };
    const input = { deviceId: device.id, replacement, name: null };
    const [replaced] = await Promise.all([
      store.registry.replaceDevice(north, input, freshKey()),
      store.registry.retireDevice(north, device.id),
    ]);
    await expectSound(store, place.buildingId);
    const claim = {
      serialNumber,
      claimCode,
      buildingId: place.buildingId,
      spaceId: place.spaceIds[0]!,
      name: 'New',
    };
    expect((await store.registry.claimDevice(north, claim, freshKey())).ok).toBe(!replaced.ok);
  }
});

test('an offer can be withdrawn, is taken by nobody else, and once', async () => {
  const place = await createBuilding(store.registry, north);
  const device = await provisioned(store, north, place);
  const to = await createBuilding(store.registry, south);
  const accept = (scope: TenantScope, transferId: string, at = to) =>
    store.registry.acceptDeviceTransfer(
      scope,
      { transferId, buildingId: at.buildingId, spaceId: at.spaceIds[0]!, name: null },
      freshKey(),
    );
  const gone = { ok: false, refusal: { code: 'NOT_FOUND', path: 'transferId' } };
  const first = await offered(device);
  expect(await offered(device)).toBe(first);
  valueOf(await store.registry.withdrawDeviceTransfer(north, device.id));
  expect(await accept(south, first)).toMatchObject(gone);
  const elsewhere = await offered(device, 'ten_east');
  const second = await offered(device);
  expect(await accept(south, elsewhere)).toMatchObject(gone);
  expect(await accept(north, second, place)).toMatchObject(gone);
  const outcomes = await Promise.all([accept(south, second), accept(south, second)]);
  expect(outcomes.filter((each) => each.ok)).toHaveLength(1);
  expect(await accept(south, second)).toMatchObject(gone);
  await expectSound(store, place.buildingId);
  await expectSound(store, to.buildingId);
});

test('a device is moved into no other tenant’s building, and offered to no tenant that has it', async () => {
  const place = await createBuilding(store.registry, north);
  const device = await provisioned(store, north, place);
  const to = await createBuilding(store.registry, south);
  const both = { ...north, entitlements: [...north.entitlements, ...south.entitlements] } as TenantScope;
  const target = { deviceId: device.id, buildingId: to.buildingId, spaceId: to.spaceIds[0]! };
  expect(await store.registry.moveDevice(both, target)).toMatchObject({ refusal: { code: 'INVALID_INPUT' } });
  expect(await store.registry.moveDevice(north, target)).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
  const own = { deviceId: device.id, toTenantId: 'ten_north', expiresInMs: HOUR };
  expect(await store.registry.offerDeviceTransfer(north, own)).toMatchObject({
    refusal: { code: 'INVALID_INPUT', path: 'toTenantId' },
  });
});

test('commands on a device that is on its way are refused until it has arrived', async () => {
  const [one] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  const stored = await store.cosmos.read<DeviceDocument>('registry', one.buildingId, device.id);
  const departing: DeviceDocument = {
    ...stored!,
    departing: { saga: 'job_x', at: Date.now(), channels: [] },
  };
  await store.cosmos.batch('registry', one.buildingId, [{ replace: departing, etag: stored!._etag! }]);
  const { registry } = store;
  const busy = { ok: false, refusal: { code: 'CONFLICT' } };
  expect(await registry.retireDevice(north, device.id)).toMatchObject(busy);
  expect(await registry.suspendDevice(north, device.id, null)).toMatchObject(busy);
  expect(
    await registry.moveDevice(north, { deviceId: device.id, buildingId: null, spaceId: one.spaceIds[1]! }),
  ).toMatchObject(busy);
});
