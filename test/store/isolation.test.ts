import { type TenantScope } from '../../src/auth/scope';
import { createRegistry, type Registry } from '../../src/store/registry';
import {
  createBuilding,
  freshKey,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

let store: Store;
let stranger: TenantScope;
let foreign: { buildingId: string; spaceId: string; deviceId: string; pointId: string };
const unknown = { buildingId: 'bld_x', spaceId: 'spc_x', deviceId: 'dev_x', pointId: 'pnt_x' };

beforeAll(async () => {
  store = await startStore();
  const owner = await store.member('owner', 'ten_a', 'OWNER');
  stranger = await store.member('stranger', 'ten_b', 'OWNER');
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  const input = { buildingId, devices: newDevices(1, spaceIds) };
  const [made] = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  const { id: deviceId, assignments } = made!.device;
  foreign = { buildingId, spaceId: spaceIds[0]!, deviceId, pointId: assignments[0]!.pointId };
});
afterAll(() => store.stop());

type Ids = typeof foreign;
const operations: Record<string, (registry: Registry, ids: Ids) => Promise<unknown>> = {
  tenant: (registry) => registry.tenant(stranger, 'ten_a'),
  buildings: (registry) => registry.buildings(stranger, { tenantId: 'ten_a', first: 10, after: null }),
  buildingsById: (registry, ids) => registry.buildingsById(stranger, [ids.buildingId]),
  spaces: (registry, ids) => registry.spaces(stranger, ids.buildingId),
  spacesById: (registry, ids) =>
    registry.spacesById(stranger, [{ buildingId: ids.buildingId, id: ids.spaceId }]),
  pointsById: (registry, ids) =>
    registry.pointsById(stranger, [{ buildingId: ids.buildingId, id: ids.pointId }]),
  devices: (registry, ids) => registry.devices(stranger, ids.buildingId, { first: 10, after: null }),
  devicesById: (registry, ids) => registry.devicesById(stranger, [ids.deviceId]),
  createBuilding: (registry) =>
    registry.createBuilding(
      stranger,
      { tenantId: 'ten_a', name: 'n', timeZone: 'UTC', spaces: [] },
      freshKey(),
    ),
  provisionDevices: (registry, ids) =>
    registry.provisionDevices(
      stranger,
      { buildingId: ids.buildingId, devices: newDevices(1, [ids.spaceId]) },
      freshKey(),
    ),
  retireDevice: (registry, ids) => registry.retireDevice(stranger, ids.deviceId),
};

async function answerAndCalls(operation: string, ids: Ids): Promise<{ answer: string; calls: string[] }> {
  const calls: string[] = [];
  const cosmos = tapped(store.cosmos, { before: (_call, name) => void calls.push(name) });
  const registry = createRegistry({ cosmos, keyring: store.keyring });
  let answer = JSON.stringify(await operations[operation]!(registry, ids));
  for (const [name, id] of Object.entries(ids)) answer = answer.replaceAll(id, name);
  return { answer, calls };
}

test.each(Object.keys(operations))(
  '%s answers the same for what is another tenant’s and what does not exist, after the same calls',
  async (operation) => {
    const theirs = await answerAndCalls(operation, foreign);
    expect(theirs).toEqual(await answerAndCalls(operation, unknown));
    expect(theirs.answer).not.toContain('Building 25');
    expect(theirs.answer).not.toContain('Device 0');
  },
);

test('every method of the registry that takes a scope is tried', () => {
  const unscoped = ['memberships', 'seedTenants'];
  expect([...Object.keys(operations), ...unscoped].sort()).toEqual(Object.keys(store.registry).sort());
});

test('a device cannot be provisioned into another tenant’s space of one’s own building’s id', async () => {
  const { buildingId } = await createBuilding(store.registry, stranger);
  const input = { buildingId, devices: newDevices(1, [foreign.spaceId]) };
  const outcome = await store.registry.provisionDevices(stranger, input, freshKey());
  expect(outcome).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND', path: 'devices.0.spaceId' } });
});
