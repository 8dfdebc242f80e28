import { type TenantScope } from '../../src/auth/scope';
import { type BuildingCounts, createBuildingCounts } from '../../src/store/building-counts';
import { eventually } from '../support/eventually';
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
let owner: TenantScope;
let counts: BuildingCounts;
beforeAll(async () => {
  store = await startStore();
  owner = await store.member('owner', 'ten_a', 'OWNER');
  counts = createBuildingCounts({ cosmos: store.anotherCosmos(), logger });
  await counts.start();
});
afterAll(async () => {
  await counts.stop();
  await store.stop();
});

test('a building’s counts are unknown when first asked for, then follow what is provisioned and retired', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  expect(counts.devicesExpected(buildingId, 'AIR_TEMPERATURE')).toBeUndefined();
  await eventually(() => expect(counts.devicesExpected(buildingId, 'AIR_TEMPERATURE')).toBe(0));
  const input = { buildingId, devices: newDevices(5, spaceIds, 'climate-sensor') };
  const made = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  await eventually(() => expect(counts.devicesExpected(buildingId, 'AIR_TEMPERATURE')).toBe(5));
  expect(counts.devicesExpected(buildingId, 'BATTERY_LEVEL')).toBe(5);
  expect(counts.devicesExpected(buildingId, 'CO2_LEVEL')).toBe(0);
  valueOf(await store.registry.retireDevice(owner, made[0]!.device.id));
  await eventually(() => expect(counts.devicesExpected(buildingId, 'AIR_TEMPERATURE')).toBe(4));
});

test('a building that did not exist when it was asked for is known once it does', async () => {
  expect(counts.devicesExpected('bld_nowhere', 'AIR_TEMPERATURE')).toBeUndefined();
  await store.cosmos.bulkUpsert('registry', [
    {
      id: 'bld_nowhere',
      buildingId: 'bld_nowhere',
      type: 'building',
      devicesByQuantity: { AIR_TEMPERATURE: 3 },
    } as { id: string },
  ]);
  await eventually(() => expect(counts.devicesExpected('bld_nowhere', 'AIR_TEMPERATURE')).toBe(3));
});
