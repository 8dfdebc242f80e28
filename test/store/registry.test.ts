import { type TenantScope } from '../../src/auth/scope';
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

let store: Store;
let owner: TenantScope;
beforeAll(async () => {
  store = await startStore();
  owner = await store.member('owner', 'ten_a', 'OWNER');
});
afterAll(() => store.stop());

async function provisionOne(buildingId: string, spaceIds: string[], model = 'thermometer') {
  const input = { buildingId, devices: newDevices(1, spaceIds, model) };
  return valueOf(await store.registry.provisionDevices(owner, input, freshKey()))[0]!;
}

test('a provisioned device is found by its id, in its building, with its points and its keys sealed', async () => {
  const { registry, keyring } = store;
  const { buildingId, spaceIds } = await createBuilding(registry, owner);
  const made = await provisionOne(buildingId, spaceIds, 'climate-sensor');
  const [device] = await registry.devicesById(owner, [made.device.id]);
  expect(device).toMatchObject({ name: 'Device 00000', state: 'PROVISIONED', buildingId, tenantId: 'ten_a' });
  expect(device!.assignments.map((each) => [each.channel, each.pointOrdinal, each.to])).toEqual([
    ['temperature', 0, null],
    ['humidity', 1, null],
    ['battery', 2, null],
  ]);
  expect(keyring.open(device!.id, device!.keys!.primary).toString('base64')).toBe(made.keys!.primary);
  expect(Buffer.from(made.keys!.secondary, 'base64')).toHaveLength(32);
  const points = await registry.pointsById(
    owner,
    device!.assignments.map((each) => ({ buildingId, id: each.pointId })),
  );
  expect(points.map((point) => point?.quantity)).toEqual([
    'AIR_TEMPERATURE',
    'RELATIVE_HUMIDITY',
    'BATTERY_LEVEL',
  ]);
  const [building] = await registry.buildingsById(owner, [buildingId]);
  expect(building).toMatchObject({
    devices: 1,
    nextPointOrdinal: 3,
    nextDeviceOrdinal: 1,
    devicesByQuantity: { AIR_TEMPERATURE: 1, RELATIVE_HUMIDITY: 1, BATTERY_LEVEL: 1 },
  });
});

test('a building is created once for a key, with its spaces under each other, however many there are', async () => {
  const { registry } = store;
  const spaces = [
    { name: 'Ground floor', kind: 'LEVEL' as const, parent: null },
    ...Array.from({ length: 250 }, (_, i) => ({ name: `Room ${i}`, kind: 'ROOM' as const, parent: 0 })),
  ];
  const input = { tenantId: 'ten_a', name: 'Tower', timeZone: 'Europe/London', spaces };
  const key = freshKey();
  const [first, twin] = await Promise.all([
    registry.createBuilding(owner, input, key),
    registry.createBuilding(owner, input, key),
  ]);
  const { building } = valueOf(first!);
  expect(valueOf(twin!).building.id).toBe(building.id);
  expect(valueOf(await registry.createBuilding(owner, input, key)).building.id).toBe(building.id);
  const stored = await registry.spaces(owner, building.id);
  expect(stored).toHaveLength(251);
  const ground = stored.find((each) => each.kind === 'LEVEL')!;
  expect(stored.filter((each) => each.parentId === ground.id)).toHaveLength(250);
  const reused = await registry.createBuilding(owner, { ...input, name: 'Other' }, key);
  expect(reused).toMatchObject({ ok: false, refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
});

test('a creation that dies at any store call is completed by the next try', async () => {
  let died = true;
  for (let call = 1; died; call++) {
    const spaces = Array.from({ length: 150 }, (_, i) => ({
      name: `Room ${i}`,
      kind: 'ROOM' as const,
      parent: null,
    }));
    const input = { tenantId: 'ten_a', name: `Broken ${call}`, timeZone: 'Europe/London', spaces };
    const key = freshKey();
    died = false;
    const cosmos = tapped(store.cosmos, {
      before(number) {
        if (number < call) return;
        died = true;
        throw new Error('killed');
      },
    });
    const crashing = createRegistry({ cosmos, keyring: store.keyring });
    await crashing.createBuilding(owner, input, key).catch(() => undefined);
    // What was begun leaves no hole in the listing.
    const listed = await store.registry.buildings(owner, { first: 1000, after: null });
    expect(listed.items.filter((each) => each.name === input.name)).toHaveLength(died ? 0 : 1);
    const { building } = valueOf(await store.registry.createBuilding(owner, input, key));
    expect(await store.registry.spaces(owner, building.id)).toHaveLength(150);
    const after = await store.registry.buildings(owner, { first: 1000, after: null });
    expect(after.items.filter((each) => each.name === input.name).map((each) => each.id)).toEqual([
      building.id,
    ]);
  }
});

test.each([
  ['no name', { name: '' }, 'name'],
  ['a time zone of nowhere', { timeZone: 'Mars/Olympus' }, 'timeZone'],
  ['an offset for a time zone', { timeZone: '+01:00' }, 'timeZone'],
  ['a space inside itself', { spaces: [{ name: 'a', kind: 'ROOM' as const, parent: 0 }] }, 'spaces.0.parent'],
])('a building with %s is refused', async (_what, change, path) => {
  const input = { tenantId: 'ten_a', name: 'Mistaken', timeZone: 'Europe/London', spaces: [], ...change };
  const outcome = await store.registry.createBuilding(owner, input, freshKey());
  expect(outcome).toMatchObject({ ok: false, refusal: { code: 'INVALID_INPUT', path } });
});

test('pages of buildings, over tenants, come in the order of names and lose none', async () => {
  const one = await store.member('pager', 'ten_p', 'OWNER');
  const other = await store.member('other', 'ten_q', 'OWNER');
  const names = ['Ä', 'a', 'B', 'b', 'Z', 'B', '\u{1f3e2} tower', '\uffee wide', 'B', 'c'];
  for (const [i, name] of names.entries()) await createBuilding(store.registry, i % 2 ? one : other, name, 0);
  const both = { ...one, entitlements: [...one.entitlements, ...other.entitlements] };
  const seen: string[] = [];
  let after: string | null = null;
  do {
    const page = await store.registry.buildings(both, { first: 3, after });
    // The position after an item is where the page after it begins, also in the middle of a page.
    const middle = await store.registry.buildings(both, { first: 3, after: page.positions[0]! });
    expect(middle.items[0]?.id).toBe(page.items[1]?.id);
    seen.push(...page.items.map((each) => each.name));
    after = page.next;
  } while (after !== null);
  const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  expect(seen).toEqual([...names].sort(byCodePoint));
  const narrowed = await store.registry.buildings(both, { tenantId: 'ten_p', first: 100, after: null });
  expect(narrowed.items).toHaveLength(5);
  expect(narrowed.next).toBeNull();
});

test('a right to one building lists that building alone', async () => {
  const owner = await store.member('lender', 'ten_l', 'OWNER');
  const { buildingId } = await createBuilding(store.registry, owner, 'Lent');
  const kept = await createBuilding(store.registry, owner, 'Kept');
  const grantee = {
    ...owner,
    entitlements: [{ ...owner.entitlements[0]!, buildingId, role: 'VIEWER' as const }],
  };
  const page = await store.registry.buildings(grantee, { first: 10, after: null });
  expect(page.items.map((each) => each.name)).toEqual(['Lent']);
  expect(await store.registry.buildingsById(grantee, [kept.buildingId])).toEqual([null]);
  expect(await store.registry.spaces(grantee, kept.buildingId)).toEqual([]);
  expect(await store.registry.spaces(grantee, buildingId)).toHaveLength(3);
});

test('pages of devices come in the order of names, by state and by space', async () => {
  const { registry } = store;
  const { buildingId, spaceIds } = await createBuilding(registry, owner);
  const input = { buildingId, devices: newDevices(25, spaceIds).reverse() };
  const made = valueOf(await registry.provisionDevices(owner, input, freshKey()));
  valueOf(await registry.retireDevice(owner, made[0]!.device.id));
  const first = await registry.devices(owner, buildingId, { first: 10, after: null });
  const second = await registry.devices(owner, buildingId, { first: 20, after: first.next });
  expect([...first.items, ...second.items].map((each) => each.name)).toEqual(
    newDevices(25, spaceIds).map((each) => each.name),
  );
  expect(second.next).toBeNull();
  const retired = await registry.devices(owner, buildingId, { first: 10, after: null, state: 'RETIRED' });
  expect(retired.items.map((each) => each.id)).toEqual([made[0]!.device.id]);
  const inRoom = await registry.devices(owner, buildingId, { first: 30, after: null, spaceId: spaceIds[0]! });
  expect(inRoom.items).toHaveLength(9);
});

test('a retired device keeps its history and loses its keys, and its building counts one fewer', async () => {
  const { registry } = store;
  const { buildingId, spaceIds } = await createBuilding(registry, owner);
  const { device } = await provisionOne(buildingId, spaceIds, 'climate-sensor');
  const kept = await provisionOne(buildingId, spaceIds);
  const before = Date.now();
  const retired = valueOf(await registry.retireDevice(owner, device.id));
  expect(retired).toMatchObject({ state: 'RETIRED', keys: null });
  expect(retired.retiredAt).toBeGreaterThanOrEqual(before);
  expect(retired.assignments.map((each) => each.to)).toEqual([1, 2, 3].map(() => retired.retiredAt));
  const again = valueOf(await registry.retireDevice(owner, device.id));
  expect(again.retiredAt).toBe(retired.retiredAt);
  expect((await registry.buildingsById(owner, [buildingId]))[0]).toMatchObject({
    devices: 1,
    nextDeviceOrdinal: 2,
    devicesByQuantity: { AIR_TEMPERATURE: 1, RELATIVE_HUMIDITY: 0, BATTERY_LEVEL: 0 },
  });
  expect((await registry.devicesById(owner, [kept.device.id]))[0]!.state).toBe('PROVISIONED');
});

test('retirements that race, from two processes, count each device once', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  const input = { buildingId, devices: newDevices(12, spaceIds) };
  const made = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
  const outcomes = await Promise.all(
    made.flatMap(({ device }) => [
      store.registry.retireDevice(owner, device.id),
      other.retireDevice(owner, device.id),
    ]),
  );
  expect(outcomes.map((each) => valueOf(each).state)).toEqual(outcomes.map(() => 'RETIRED'));
  const [building] = await store.registry.buildingsById(owner, [buildingId]);
  expect(building).toMatchObject({ devices: 0, devicesByQuantity: { AIR_TEMPERATURE: 0 } });
  const audits = await store.cosmos.query<{ action: string }>('registry', buildingId, 'SELECT * FROM c');
  expect(audits.filter((each) => each.action === 'device.retire')).toHaveLength(12);
});

test('what is refused to a role that sees it is forbidden, not missing', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  const { device } = await provisionOne(buildingId, spaceIds);
  const technician = await store.member('technician', 'ten_a', 'TECHNICIAN');
  const viewer = await store.member('viewer', 'ten_a', 'VIEWER');
  expect(await store.registry.retireDevice(technician, device.id)).toMatchObject({
    refusal: { code: 'FORBIDDEN' },
  });
  expect(await store.registry.retireDevice(viewer, device.id)).toMatchObject({
    refusal: { code: 'NOT_FOUND' },
  });
  const input = { buildingId, devices: newDevices(1, spaceIds) };
  expect(await store.registry.provisionDevices(viewer, input, freshKey())).toMatchObject({
    refusal: { code: 'FORBIDDEN' },
  });
  expect(await store.registry.devicesById(viewer, [device.id])).toEqual([null]);
});

test('a tenant and its members may be seeded again, and a changed role holds', async () => {
  const { registry } = store;
  const seed = (role: 'VIEWER' | 'MANAGER') => ({
    tenants: [{ id: 'ten_s', name: 'Seeded' }],
    members: [{ issuer: 'https://identity.test', subject: 'sam', tenantId: 'ten_s', role }],
  });
  await registry.seedTenants(seed('VIEWER'));
  await registry.seedTenants(seed('MANAGER'));
  const scope = await store.member('somebody', 'ten_s', 'VIEWER');
  expect(await registry.tenant(scope, 'ten_s')).toMatchObject({ name: 'Seeded' });
  expect(await registry.tenant(owner, 'ten_s')).toBeNull();
  expect(await registry.memberships('per_stranger')).toEqual([]);
});
