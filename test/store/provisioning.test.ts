import { type TenantScope } from '../../src/auth/scope';
import { OLDEST_ACCEPTED_MS } from '../../src/domain/reading';
import { type AuditDocument, type DeviceDocument, type PointDocument } from '../../src/store/documents';
import { createRegistry, type ProvisionedDevice } from '../../src/store/registry';
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
let scope: TenantScope;
beforeAll(async () => {
  store = await startStore();
  scope = await store.member('owner', 'ten_a', 'OWNER');
});
afterAll(() => store.stop());

/** Everything of a building as it is stored. */
async function stored(buildingId: string) {
  const documents = await store.cosmos.query<{ id: string; type: string }>(
    'registry',
    buildingId,
    'SELECT * FROM c',
  );
  const of = <T>(type: string): T[] => documents.filter((each) => each.type === type) as T[];
  return {
    building: (await store.registry.buildingsById(scope, [buildingId]))[0]!,
    devices: of<DeviceDocument>('device'),
    points: of<PointDocument>('point'),
    audits: of<AuditDocument>('audit'),
  };
}

/** What must hold of a building whose only devices are these, however their provisioning went. */
async function expectExactly(
  buildingId: string,
  results: readonly ProvisionedDevice[],
  channels = 1,
): Promise<void> {
  const { building, devices, points } = await stored(buildingId);
  const count = results.length;
  expect(devices.map((each) => each.id).sort()).toEqual(results.map((each) => each.device.id).sort());
  expect(new Set(devices.flatMap((each) => each.assignments.map((a) => a.deviceOrdinal))).size).toBe(count);
  expect(points).toHaveLength(count * channels);
  expect(new Set(points.map((each) => each.ordinal)).size).toBe(count * channels);
  expect(points.every((each) => each.ordinal < building.nextPointOrdinal)).toBe(true);
  expect(building.devices).toBe(count);
  expect(building.nextDeviceOrdinal).toBe(count);
  expect(building.nextPointOrdinal).toBe(count * channels);
  const found = await store.registry.devicesById(
    scope,
    results.map((each) => each.device.id),
  );
  expect(found.every((each) => each !== null)).toBe(true);
  for (const { device, keys } of results) {
    if (!keys) continue;
    const sealed = devices.find((each) => each.id === device.id)!.keys!;
    expect(store.keyring.open(device.id, sealed.primary).toString('base64')).toBe(keys.primary);
    expect(store.keyring.open(device.id, sealed.secondary).toString('base64')).toBe(keys.secondary);
  }
}

test('a repeated key gives the same devices without their keys, and changes nothing', async () => {
  const { registry } = store;
  const { buildingId, spaceIds } = await createBuilding(registry, scope);
  const input = { buildingId, devices: newDevices(120, spaceIds, 'climate-sensor') };
  const key = freshKey();
  const first = valueOf(await registry.provisionDevices(scope, input, key));
  const again = valueOf(await registry.provisionDevices(scope, input, key));
  expect(first.map((each) => each.device.name)).toEqual(input.devices.map((each) => each.name));
  expect(again.map((each) => each.device.id)).toEqual(first.map((each) => each.device.id));
  expect(first.every((each) => each.keys !== null)).toBe(true);
  expect(again.every((each) => each.keys === null)).toBe(true);
  await expectExactly(buildingId, first, 3);
});

test('a key that was used with other variables is refused, also for another building', async () => {
  const { registry } = store;
  const [one, other] = [await createBuilding(registry, scope), await createBuilding(registry, scope)];
  const key = freshKey();
  valueOf(
    await registry.provisionDevices(
      scope,
      { buildingId: one.buildingId, devices: newDevices(2, one.spaceIds) },
      key,
    ),
  );
  for (const input of [
    { buildingId: one.buildingId, devices: newDevices(3, one.spaceIds) },
    { buildingId: other.buildingId, devices: newDevices(2, other.spaceIds) },
  ]) {
    const outcome = await registry.provisionDevices(scope, input, key);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  }
});

test('the first assignment reaches back to the oldest reading that is accepted', async () => {
  const { registry } = store;
  const { buildingId, spaceIds } = await createBuilding(registry, scope);
  const before = Date.now();
  const [made] = valueOf(
    await registry.provisionDevices(scope, { buildingId, devices: newDevices(1, spaceIds) }, freshKey()),
  );
  const { from, to } = made!.device.assignments[0]!;
  expect(from).toBeGreaterThanOrEqual(before - OLDEST_ACCEPTED_MS);
  expect(from).toBeLessThanOrEqual(Date.now() - OLDEST_ACCEPTED_MS);
  expect(to).toBeNull();
});

test.each([
  ['before', 'the call is lost'],
  ['after', 'its answer is lost'],
] as const)(
  'a try that dies %s any store call, so that %s, is completed by the next',
  async (moment, _so) => {
    const devices = 150;
    let died = true;
    let call = 0;
    for (call = 1; died; call++) {
      const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
      const input = { buildingId, devices: newDevices(devices, spaceIds) };
      const key = freshKey();
      died = false;
      const crashing = createRegistry({
        keyring: store.keyring,
        // As when the process is killed: the call and all that follow fail.
        cosmos: tapped(store.cosmos, {
          [moment]: (number: number) => {
            if (number < call) return;
            died = true;
            throw new Error('killed');
          },
        }),
      });
      const first = await crashing.provisionDevices(scope, input, key).catch(() => undefined);
      expect(first === undefined).toBe(died);
      const second = valueOf(await store.registry.provisionDevices(scope, input, key));
      await expectExactly(buildingId, second);
      // Shown by the try that completes the mutation. A death after that loses them: nobody else may show them.
      if (first) expect(second.every((each) => each.keys === null)).toBe(true);
      const shown = second.filter((each) => each.keys !== null).length;
      expect([0, devices]).toContain(shown);
    }
    // Reading, claiming, reserving, four batches with their entries, completing.
    expect(call).toBeGreaterThan(12);
  },
);

test('writes whose answers are lost on the way are found done, within the same call', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  let writes = 0;
  const registry = createRegistry({
    keyring: store.keyring,
    cosmos: tapped(store.cosmos, {
      after(_call, name) {
        if (!['batch', 'bulkUpsert'].includes(name) || ++writes % 2 === 0 || writes > 20) return;
        throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
      },
    }),
  });
  const input = { buildingId, devices: newDevices(150, spaceIds) };
  const results = valueOf(await registry.provisionDevices(scope, input, freshKey()));
  expect(results.every((each) => each.keys !== null)).toBe(true);
  await expectExactly(buildingId, results);
});

test('provisionings of one building at the same time, from two processes, share no ordinal', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
  const outcomes = await Promise.all(
    [store.registry, other, store.registry, other].map((registry) =>
      registry.provisionDevices(scope, { buildingId, devices: newDevices(60, spaceIds) }, freshKey()),
    ),
  );
  const all = outcomes.flatMap(valueOf);
  expect(all).toHaveLength(240);
  await expectExactly(buildingId, all);
});

test('twins with one key, from two processes, make the devices once and show the keys once', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
  const input = { buildingId, devices: newDevices(120, spaceIds) };
  const key = freshKey();
  const outcomes = await Promise.all(
    [store.registry, other].map((registry) => registry.provisionDevices(scope, input, key)),
  );
  const [one, two] = outcomes.map(valueOf);
  expect(one!.map((each) => each.device.id)).toEqual(two!.map((each) => each.device.id));
  expect([one, two].filter((each) => each!.every(({ keys }) => keys !== null))).toHaveLength(1);
  await expectExactly(buildingId, one!);
  await expectExactly(buildingId, two!);
});

test('every change has its audit event', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  const results = valueOf(
    await store.registry.provisionDevices(
      scope,
      { buildingId, devices: newDevices(120, spaceIds) },
      freshKey(),
    ),
  );
  const { audits } = await stored(buildingId);
  expect(audits.every((each) => each.actor === scope.principal.id && each.tenantId === 'ten_a')).toBe(true);
  expect(audits.filter((each) => each.action === 'building.create')).toHaveLength(1);
  const named = audits
    .filter((each) => each.action === 'devices.provision')
    .flatMap((each) => each.after!.devices as string[]);
  expect(named.sort()).toEqual(results.map((each) => each.device.id).sort());
});

test.each([
  ['no device', [], 'INVALID_INPUT', 'devices'],
  ['an unknown model', [{ model: 'teapot' }], 'INVALID_INPUT', 'devices.0.model'],
  ['an empty name', [{}, { name: ' ' }], 'INVALID_INPUT', 'devices.1.name'],
  ['a name with a line break', [{ name: 'a\nb' }], 'INVALID_INPUT', 'devices.0.name'],
  ['a space of nowhere', [{}, { spaceId: 'spc_nowhere' }], 'NOT_FOUND', 'devices.1.spaceId'],
  [
    'one serial number twice',
    [{ serialNumber: '7' }, { serialNumber: '7' }],
    'INVALID_INPUT',
    'devices.1.serialNumber',
  ],
])('input with %s is refused whole', async (_what, changes, code, path) => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  const devices = changes.map((change) => ({ ...newDevices(1, spaceIds)[0]!, ...change }));
  const outcome = await store.registry.provisionDevices(scope, { buildingId, devices }, freshKey());
  expect(outcome).toMatchObject({ ok: false, refusal: { code, path } });
  expect((await stored(buildingId)).devices).toHaveLength(0);
});

test('more than 10,000 devices a call are refused', async () => {
  const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
  const outcome = await store.registry.provisionDevices(
    scope,
    { buildingId, devices: newDevices(10_001, spaceIds) },
    freshKey(),
  );
  expect(outcome).toMatchObject({ ok: false, refusal: { code: 'LIMIT_EXCEEDED', path: 'devices' } });
});
