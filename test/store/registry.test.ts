import { createBuilding, freshKey, newDevices, startStore, type Store, valueOf } from './store.support';

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.stop());

test('a provisioned device is found by its id, in its building, with its points and its keys sealed', async () => {
  const { registry, keyring } = store;
  const scope = await store.member('owner', 'ten_a', 'OWNER');
  const { buildingId, spaceIds } = await createBuilding(registry, scope);
  const [made] = valueOf(
    await registry.provisionDevices(
      scope,
      { buildingId, devices: newDevices(1, spaceIds, 'climate-sensor') },
      freshKey(),
    ),
  );
  const [device] = await registry.devicesById(scope, [made!.device.id]);
  expect(device).toMatchObject({ name: 'Device 00000', state: 'PROVISIONED', buildingId, tenantId: 'ten_a' });
  expect(device!.assignments.map((each) => [each.channel, each.pointOrdinal, each.to])).toEqual([
    ['temperature', 0, null],
    ['humidity', 1, null],
    ['battery', 2, null],
  ]);
  expect(keyring.open(device!.id, device!.keys!.primary).toString('base64')).toBe(made!.keys!.primary);
  expect(Buffer.from(made!.keys!.secondary, 'base64')).toHaveLength(32);
  const points = await registry.pointsById(
    scope,
    device!.assignments.map((each) => ({ buildingId, id: each.pointId })),
  );
  expect(points.map((point) => point?.quantity)).toEqual([
    'AIR_TEMPERATURE',
    'RELATIVE_HUMIDITY',
    'BATTERY_LEVEL',
  ]);
  const [building] = await registry.buildingsById(scope, [buildingId]);
  expect(building).toMatchObject({
    devices: 1,
    nextPointOrdinal: 3,
    nextDeviceOrdinal: 1,
    devicesByQuantity: { AIR_TEMPERATURE: 1, RELATIVE_HUMIDITY: 1, BATTERY_LEVEL: 1 },
  });
});
