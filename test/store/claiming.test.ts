import { createHmac } from 'node:crypto';
import { type TenantScope } from '../../src/auth/scope';
import { type AttemptsDocument } from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import { createClaimAttempts } from '../../src/store/registry/claim-attempts';
import { newClaimCode } from '../../src/store/registry/claim-code';
import { admittedAs, inStock, storedIn } from './saga.support';
import { createBuilding, freshKey, startStore, type Store, tapped, valueOf } from './store.support';
import { freezeDate } from '../support/frozen-date';

let store: Store;
let maker: TenantScope;
beforeAll(async () => {
  store = await startStore();
  maker = await store.member('maker', 'ten_maker', 'OWNER');
});
afterAll(() => store.stop());

let people = 0;
/** Somebody whose attempts nobody else's count against, with a room. */
async function claimant(role: 'OWNER' | 'TECHNICIAN' = 'TECHNICIAN', tenantId = `ten_${++people}`) {
  const owner = await store.member(`owner of ${tenantId}`, tenantId, 'OWNER');
  const scope = await store.member(`claimant ${++people}`, tenantId, role);
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  return { scope, tenantId, place: { buildingId, spaceId: spaceIds[0]!, name: 'New' } };
}

test('a code that somebody typed as they read it is taken, and once', async () => {
  const { scope, place } = await claimant();
  const { serialNumber, claimCode, deviceId } = await inStock(store, maker);
  const typed = claimCode.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'I');
  const input = { ...place, serialNumber: ` ${serialNumber} `, claimCode: typed };
  const key = freshKey();
  const first = valueOf(await store.registry.claimDevice(scope, input, key));
  expect(first.device).toMatchObject({ id: deviceId, state: 'PROVISIONED', manufacturerId: 'ten_maker' });
  expect((await admittedAs(store, deviceId))!.keys).toEqual([first.keys!.primary, first.keys!.secondary]);
  const again = valueOf(await store.registry.claimDevice(scope, input, key));
  expect(again).toMatchObject({ device: { id: deviceId }, keys: null, factoryKeyed: false });
  const elsewhere = await claimant();
  const other = await store.registry.claimDevice(
    elsewhere.scope,
    { ...elsewhere.place, serialNumber, claimCode },
    freshKey(),
  );
  expect(other).toMatchObject({ ok: false, refusal: { code: 'NOT_FOUND', path: 'claimCode' } });
});

test('unknown serial number, another’s code and wrong code are one answer after the same calls', async () => {
  const one = await inStock(store, maker);
  const other = await inStock(store, maker);
  const wrong = [
    { serialNumber: 'SN nowhere', claimCode: newClaimCode() },
    { serialNumber: one.serialNumber, claimCode: other.claimCode },
    { serialNumber: one.serialNumber, claimCode: newClaimCode() },
    { serialNumber: one.serialNumber, claimCode: 'no code at all' },
  ];
  const seen = new Set<string>();
  for (const printed of wrong) {
    const { scope, place } = await claimant();
    const calls: string[] = [];
    const cosmos = tapped(store.cosmos, { before: (_call, name) => void calls.push(name) });
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const outcome = await registry.claimDevice(scope, { ...place, ...printed }, freshKey());
    seen.add(JSON.stringify([outcome, calls]));
  }
  expect(seen.size).toBe(1);
});

test('a key that was used with other variables is refused, and a wrong code uses no key up', async () => {
  const { scope, place } = await claimant();
  const { serialNumber, claimCode } = await inStock(store, maker);
  const key = freshKey();
  const input = { ...place, serialNumber, claimCode };
  const wrong = await store.registry.claimDevice(scope, { ...input, claimCode: newClaimCode() }, key);
  expect(wrong).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
  valueOf(await store.registry.claimDevice(scope, input, key));
  const renamed = await store.registry.claimDevice(scope, { ...input, name: 'Other' }, key);
  expect(renamed).toMatchObject({ refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
});

test('after five failures the next has to wait, and a right code is neither taken nor used up meanwhile', async () => {
  const { scope, place, tenantId } = await claimant();
  const { serialNumber, claimCode } = await inStock(store, maker);
  const guess = () =>
    store.registry.claimDevice(scope, { ...place, serialNumber, claimCode: newClaimCode() }, freshKey());
  const right = { ...place, serialNumber, claimCode };
  // However slow the machine is, the second has not passed.
  freezeDate();
  try {
    for (let i = 0; i < 5; i++) expect(await guess()).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    expect(await guess()).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    const delayed = await store.registry.claimDevice(scope, right, freshKey());
    expect(delayed).toMatchObject({ refusal: { code: 'TOO_MANY_ATTEMPTS', retryAfterSeconds: 1 } });
  } finally {
    jest.useRealTimers();
  }
  // By caller: the device is nobody's to lock, and a colleague may go on.
  const colleague = await claimant('TECHNICIAN', tenantId);
  valueOf(await store.registry.claimDevice(colleague.scope, right, freshKey()));
});

test('guesses that are made at the same time, by two processes, are counted before they are made', async () => {
  const { scope, place } = await claimant();
  const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
  const guesses = Array.from({ length: 16 }, (_, i) =>
    (i % 2 ? other : store.registry).claimDevice(
      scope,
      { ...place, serialNumber: 'SN', claimCode: newClaimCode() },
      freshKey(),
    ),
  );
  const codes = (await Promise.all(guesses)).map((each) => (each.ok ? 'ok' : each.refusal.code));
  expect(codes.filter((code) => code === 'NOT_FOUND').length).toBeLessThanOrEqual(6);
  expect(codes.every((code) => code === 'NOT_FOUND' || code === 'TOO_MANY_ATTEMPTS')).toBe(true);
});

test('delays double up to a quarter of an hour, are forgotten in time, and are not for those who succeed', async () => {
  let now = Date.now();
  const attempts = createClaimAttempts({ cosmos: store.cosmos, clock: () => now });
  const delays: number[] = [];
  for (let i = 0; i < 20; i++) {
    expect((await attempts.charge('per_x', `ten_x ${i}`)).ok).toBe(true);
    const found = await store.cosmos.read<AttemptsDocument>('directory', 'attempts:per_x', 'attempts');
    delays.push(found!.blockedUntil - now);
    if (found!.blockedUntil > now) expect((await attempts.charge('per_x', 'ten_y')).ok).toBe(false);
    now = found!.blockedUntil;
  }
  expect(delays.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 1000]);
  expect(delays.slice(6).every((delay, i) => delay > delays[i + 5]! || delay > 500_000)).toBe(true);
  expect(Math.max(...delays)).toBeLessThanOrEqual(15 * 60_000);
  // A day later nothing of it is left.
  now += 24 * 3_600_000;
  for (let i = 0; i < 20; i++) {
    const charge = await attempts.charge('per_x', 'ten_z');
    await valueOf(charge).refund();
  }
});

test('a device of an enrollment group has its derived keys, is shown none, and knows them no more once rotated', async () => {
  const made = valueOf(
    await store.registry.createEnrollmentGroup(maker, { tenantId: 'ten_maker', name: 'Batch 7' }, freshKey()),
  );
  const device = await inStock(store, maker, 'thermometer', made.group.id);
  const { scope, place } = await claimant('OWNER');
  const claimed = valueOf(
    await store.registry.claimDevice(
      scope,
      { ...place, serialNumber: device.serialNumber, claimCode: device.claimCode },
      freshKey(),
    ),
  );
  expect(claimed).toMatchObject({ keys: null, factoryKeyed: true });
  const derived = [made.keys!.primary, made.keys!.secondary].map((key) =>
    createHmac('sha256', Buffer.from(key, 'base64')).update(device.deviceId).digest('base64'),
  );
  expect((await admittedAs(store, device.deviceId))!.keys).toEqual(derived);
  const rotation = { deviceId: device.deviceId, thumbprint: null, revokeOther: true };
  valueOf(await store.registry.rotateDeviceCredential(scope, rotation, freshKey()));
  for (const key of (await admittedAs(store, device.deviceId))!.keys) expect(derived).not.toContain(key);
});

test('an enrollment group shows its keys once and keeps them sealed', async () => {
  const key = freshKey();
  const input = { tenantId: 'ten_maker', name: 'Batch 8' };
  const made = valueOf(await store.registry.createEnrollmentGroup(maker, input, key));
  const again = valueOf(await store.registry.createEnrollmentGroup(maker, input, key));
  expect(again.group.id).toBe(made.group.id);
  expect(again.keys).toBeNull();
  const documents = await store.cosmos.query('registry', made.group.buildingId, 'SELECT * FROM c');
  expect(JSON.stringify(documents)).not.toContain(made.keys!.primary);
});

test('a claim leaves the counts, the points and the audit log of its building right', async () => {
  const { scope, place } = await claimant();
  const { serialNumber, claimCode, deviceId } = await inStock(store, maker, 'room-sensor');
  valueOf(await store.registry.claimDevice(scope, { ...place, serialNumber, claimCode }, freshKey()));
  const { building, points, audits } = await storedIn(store, place.buildingId);
  expect(building).toMatchObject({ devices: 1, nextDeviceOrdinal: 1, nextPointOrdinal: 5 });
  expect(points).toHaveLength(5);
  expect(audits.filter((each) => each.subject === deviceId).map((each) => each.action)).toEqual([
    'device.claim',
  ]);
});

test('serial numbers are unique by manufacturer in a tenant, over calls, until their device is retired', async () => {
  const { scope, place } = await claimant('OWNER');
  const one = [{ name: 'a', model: 'thermometer', spaceId: place.spaceId, serialNumber: 'S-1' }];
  const provision = (devices: typeof one, key = freshKey()) =>
    store.registry.provisionDevices(scope, { buildingId: place.buildingId, devices }, key);
  const key = freshKey();
  const [first] = valueOf(await provision(one, key));
  expect(valueOf(await provision(one, key))[0]!.device.id).toBe(first!.device.id);
  const two = [{ ...one[0]!, name: 'b', serialNumber: 'S-2' }, ...one];
  expect(await provision(two)).toMatchObject({
    refusal: { code: 'CONFLICT', path: 'devices.1.serialNumber' },
  });
  // What was refused keeps no number.
  valueOf(await provision([two[0]!]));
  valueOf(await store.registry.retireDevice(scope, first!.device.id));
  valueOf(await provision(one));
  const elsewhere = await claimant('OWNER');
  valueOf(
    await store.registry.provisionDevices(
      elsewhere.scope,
      {
        buildingId: elsewhere.place.buildingId,
        devices: [{ ...one[0]!, spaceId: elsewhere.place.spaceId }],
      },
      freshKey(),
    ),
  );
});

test('two calls that want one serial number at the same time: one has it', async () => {
  const { scope, place } = await claimant('OWNER');
  const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
  const devices = [{ name: 'a', model: 'thermometer', spaceId: place.spaceId, serialNumber: 'S-9' }];
  const outcomes = await Promise.all(
    [store.registry, other, store.registry].map((registry) =>
      registry.provisionDevices(scope, { buildingId: place.buildingId, devices }, freshKey()),
    ),
  );
  expect(outcomes.filter((each) => each.ok)).toHaveLength(1);
});
