import { type TenantScope } from '../../src/auth/scope';
import { type AuditDocument, type DeviceDocument } from '../../src/store/documents';
import { createRegistry, type Outcome, type Registry } from '../../src/store/registry';
import { type ReceivedDevice } from '../../src/store/registry/shown-once';
import {
  admittedAs,
  dying,
  expectSound,
  inStock,
  pendingSagas,
  provisioned,
  stockPartition,
  storedIn,
  theOne,
  twoBuildings,
} from './saga.support';
import { createBuilding, freshKey, startStore, type Store, tapped, valueOf } from './store.support';

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

interface Journey {
  deviceId: string;
  /** Every partition that it touches. */
  buildings: string[];
  /** As whom the device may be let in, besides not at all. */
  owners: { tenantId: string; buildingId: string }[];
  run(registry: Registry): Promise<Outcome<ReceivedDevice> | Outcome<DeviceDocument>>;
  /** What must hold once it is over. */
  check(device: DeviceDocument): Promise<void>;
  /** The audit events that it writes, by partition and action, and whether it gives secrets. */
  audits: [partition: string, action: string][];
  secrets: boolean;
}

const owner = (scope: TenantScope, buildingId: string) => ({
  tenantId: scope.entitlements[0]!.tenantId,
  buildingId,
});

async function claim(): Promise<Journey> {
  const place = await createBuilding(store.registry, north);
  const { serialNumber, claimCode, deviceId } = await inStock(store, maker);
  const key = freshKey();
  const input = {
    serialNumber,
    claimCode,
    buildingId: place.buildingId,
    spaceId: place.spaceIds[0]!,
    name: 'Claimed',
  };
  return {
    deviceId,
    buildings: [place.buildingId],
    owners: [owner(north, place.buildingId)],
    run: (registry) => registry.claimDevice(north, input, key),
    async check(device) {
      expect(device).toMatchObject({
        serialNumber,
        state: 'PROVISIONED',
        manufacturerId: 'ten_maker',
        spaceId: place.spaceIds[0],
      });
      const { departed, audits } = await storedIn(store, stockPartition(maker));
      expect(departed.some((each) => each.id === deviceId)).toBe(true);
      // The manufacturer learns that it was claimed, and not by whom.
      const told = audits.find((each) => each.subject === deviceId && each.action === 'device.claimed');
      expect(JSON.stringify(told)).not.toMatch(/ten_north|bld_|per_/);
      const again = await store.registry.claimDevice(north, input, freshKey());
      expect(again).toMatchObject({ refusal: { code: 'NOT_FOUND' } });
    },
    audits: [
      [place.buildingId, 'device.claim'],
      [stockPartition(maker), 'device.claimed'],
    ],
    secrets: true,
  };
}

async function replacementFromStock(): Promise<Journey> {
  const place = await createBuilding(store.registry, north);
  const old = await provisioned(store, north, place, 'room-sensor');
  const { serialNumber, claimCode, deviceId } = await inStock(store, maker);
  const key = freshKey();
  const input = {
    deviceId: old.id,
    replacement: { from: 'stock' as const, serialNumber, claimCode },
    name: null,
  };
  return {
    deviceId,
    buildings: [place.buildingId],
    owners: [owner(north, place.buildingId)],
    run: (registry) => registry.replaceDevice(north, input, key),
    async check(device) {
      const gone = (await theOne(store, old.id, [place.buildingId]))!;
      expect(gone).toMatchObject({ state: 'RETIRED', keys: null, replacedBy: deviceId });
      expectTakenOver(gone, device, ['AIR_TEMPERATURE', 'RELATIVE_HUMIDITY'], ['BATTERY_LEVEL']);
    },
    audits: [
      [place.buildingId, 'device.claim'],
      [place.buildingId, 'device.replace'],
      [stockPartition(maker), 'device.claimed'],
    ],
    secrets: true,
  };
}

async function replacementByNew(): Promise<Journey> {
  const place = await createBuilding(store.registry, north);
  const old = await provisioned(store, north, place, 'room-sensor');
  const key = freshKey();
  const input = {
    deviceId: old.id,
    replacement: { from: 'new' as const, model: 'climate-sensor', serialNumber: freshKey() },
    name: 'New',
  };
  // Its id follows from the key, and is known once a try has ended.
  const journey: Journey = {
    deviceId: '',
    buildings: [place.buildingId],
    owners: [owner(north, place.buildingId)],
    async run(registry) {
      const outcome = await registry.replaceDevice(north, input, key);
      if (outcome.ok) journey.deviceId = outcome.value.device.id;
      return outcome;
    },
    async check(device) {
      const gone = (await theOne(store, old.id, [place.buildingId]))!;
      expect(gone).toMatchObject({ state: 'RETIRED', keys: null, replacedBy: device.id });
      expectTakenOver(gone, device, ['AIR_TEMPERATURE', 'RELATIVE_HUMIDITY'], ['BATTERY_LEVEL']);
    },
    audits: [
      [place.buildingId, 'device.provision'],
      [place.buildingId, 'device.replace'],
    ],
    secrets: true,
  };
  return journey;
}

function expectTakenOver(
  gone: DeviceDocument,
  device: DeviceDocument,
  taken: string[],
  fresh: string[],
): void {
  expect(device.assignments.map((each) => each.quantity).sort()).toEqual([...taken, ...fresh].sort());
  for (const quantity of taken) {
    const before = gone.assignments.find((each) => each.quantity === quantity)!;
    const after = device.assignments.find((each) => each.quantity === quantity)!;
    expect(after).toMatchObject({
      pointId: before.pointId,
      pointOrdinal: before.pointOrdinal,
      from: before.to,
    });
    expect(after.deviceOrdinal).not.toBe(before.deviceOrdinal);
  }
  for (const quantity of fresh) {
    const after = device.assignments.find((each) => each.quantity === quantity)!;
    expect(gone.assignments.map((each) => each.pointId)).not.toContain(after.pointId);
  }
}

async function move(): Promise<Journey> {
  const [one, two] = await twoBuildings(store, north);
  const device = await provisioned(store, north, one);
  const input = { deviceId: device.id, buildingId: two.buildingId, spaceId: two.spaceIds[1]! };
  return {
    deviceId: device.id,
    buildings: [one.buildingId, two.buildingId],
    owners: [owner(north, one.buildingId), owner(north, two.buildingId)],
    run: (registry) => registry.moveDevice(north, input),
    async check(moved) {
      expect(moved).toMatchObject({ buildingId: two.buildingId, spaceId: input.spaceId, keys: device.keys });
      expectOneSwitch(moved, two.buildingId);
    },
    audits: [
      [one.buildingId, 'device.move'],
      [two.buildingId, 'device.arrive'],
    ],
    secrets: false,
  };
}

async function transfer(): Promise<Journey> {
  const from = await createBuilding(store.registry, north);
  const to = await createBuilding(store.registry, south);
  const device = await provisioned(store, north, from);
  const offer = { deviceId: device.id, toTenantId: 'ten_south', expiresInMs: 3_600_000 };
  const { transfer } = valueOf(await store.registry.offerDeviceTransfer(north, offer));
  const key = freshKey();
  const input = {
    transferId: transfer!.id,
    buildingId: to.buildingId,
    spaceId: to.spaceIds[0]!,
    name: null,
  };
  return {
    deviceId: device.id,
    buildings: [from.buildingId, to.buildingId],
    owners: [owner(north, from.buildingId), owner(south, to.buildingId)],
    run: (registry) => registry.acceptDeviceTransfer(south, input, key),
    async check(received) {
      expect(received).toMatchObject({ tenantId: 'ten_south', state: 'PROVISIONED', transfer: null });
      expect(received.keys).not.toEqual(device.keys);
      expectOneSwitch(received, to.buildingId);
      const [mine] = await store.registry.devicesById(north, [device.id]);
      expect(mine).toBeNull();
      const listed = await store.registry.deviceTransfers(south, 'ten_south', { first: 100, after: null });
      expect(listed.items.map((each) => each.id)).not.toContain(transfer!.id);
    },
    audits: [
      [from.buildingId, 'device.transfer.accept'],
      [to.buildingId, 'device.transfer.receive'],
    ],
    secrets: true,
  };
}

/** Each channel has one earlier assignment, and one here that begins where that ended. */
function expectOneSwitch({ assignments }: DeviceDocument, buildingId: string): void {
  const now = assignments.filter((each) => each.to === null);
  expect(now).toHaveLength(3);
  expect(assignments).toHaveLength(6);
  for (const each of now) {
    const before = assignments.find((a) => a.channel === each.channel && a.to === each.from)!;
    expect(each.buildingId).toBe(buildingId);
    expect(before.pointId).not.toBe(each.pointId);
  }
}

const keysOf = (outcome: Outcome<ReceivedDevice> | Outcome<DeviceDocument> | undefined) =>
  outcome?.ok && 'keys' in outcome.value && 'device' in outcome.value ? outcome.value.keys : null;

async function over(journey: Journey): Promise<void> {
  const device = await theOne(store, journey.deviceId, journey.buildings);
  await journey.check(device);
  for (const buildingId of journey.buildings) await expectSound(store, buildingId);
  const audits = new Map<string, AuditDocument[]>();
  for (const [partition, action] of journey.audits) {
    if (!audits.has(partition)) audits.set(partition, (await storedIn(store, partition)).audits);
    const written = audits
      .get(partition)!
      .filter(
        (each) =>
          each.action === action &&
          (each.subject === journey.deviceId || each.after?.replacedBy === journey.deviceId),
      );
    expect([action, written.length]).toEqual([action, 1]);
  }
  const admitted = await admittedAs(store, journey.deviceId);
  expect(journey.owners.at(-1)).toMatchObject({
    tenantId: admitted!.tenantId,
    buildingId: admitted!.buildingId,
  });
}

const JOURNEYS = {
  claim,
  'replacement from stock': replacementFromStock,
  'replacement by a new device': replacementByNew,
  move,
  transfer,
};

describe.each(Object.entries(JOURNEYS))('a %s', (_name, begin) => {
  test.each([
    ['the caller', 'retry'],
    ['a sweep', 'sweep'],
  ] as const)('that dies before any store call is brought to its end by %s', async (_who, how) => {
    let n = 0;
    for (let died = true; died;) {
      n++;
      const journey = await begin();
      await forgive();
      const killed = dying(store, n);
      const first = await journey.run(killed.registry).catch(() => undefined);
      died = killed.died();
      const shownFirst = keysOf(first);

      // While it is under way a gateway lets it in as one of its owners or as nobody.
      if (journey.deviceId !== '' && how === 'retry') {
        const admitted = await admittedAs(store, journey.deviceId);
        if (admitted) {
          const { keys: _, ...who } = admitted;
          expect(journey.owners).toContainEqual(who);
        }
      }
      if (how === 'sweep') {
        const swept = await Promise.all([
          store.registry.resumeSagas({ olderThanMs: 0, limit: 100 }),
          store.registry.resumeSagas({ olderThanMs: 0, limit: 100 }),
        ]);
        expect(swept.flatMap((each) => each.failed)).toEqual([]);
        expect(await pendingSagas(store)).toEqual([]);
      }
      const second = await journey.run(store.registry);
      // A move that died before its first step has left a saga that its retry knows nothing of, and that does nothing.
      if (how === 'retry') await store.registry.resumeSagas({ olderThanMs: 0, limit: 100 });
      if (!second.ok) throw new Error(`${n}: ${second.refusal.message}`);
      await over(journey);
      if (journey.secrets) {
        const shown = [shownFirst, keysOf(second)].filter((each) => each !== null);
        expect(shown.length).toBeLessThanOrEqual(1);
        const third = await journey.run(store.registry);
        expect(keysOf(third)).toBeNull();
        for (const keys of shown) {
          expect((await admittedAs(store, journey.deviceId))!.keys).toEqual([keys!.primary, keys!.secondary]);
        }
      }
    }
    expect(n).toBeGreaterThan(8);
  });

  test('whose answers are lost on the way takes place all the same, within the call', async () => {
    const journey = await begin();
    await forgive();
    let writes = 0;
    const registry = createRegistry({
      keyring: store.keyring,
      cosmos: tapped(store.cosmos, {
        after(_call, name) {
          // Bulk requests are tried again further down.
          if (name !== 'batch' || ++writes % 2 === 0 || writes > 30) return;
          throw Object.assign(new Error('connection reset'), { code: 'ECONNRESET' });
        },
      }),
    });
    const outcome = await journey.run(registry);
    if (!outcome.ok) throw new Error(outcome.refusal.message);
    expect(writes).toBeGreaterThan(3);
    if (journey.secrets) expect(keysOf(outcome)).not.toBeNull();
    await over(journey);
  });

  test('that is tried twice at the same time, by two processes, takes place once', async () => {
    const journey = await begin();
    await forgive();
    const other = createRegistry({ cosmos: store.anotherCosmos(), keyring: store.keyring });
    const outcomes = await Promise.all([journey.run(store.registry), journey.run(other)]);
    expect(outcomes.some((each) => each.ok)).toBe(true);
    const shown = outcomes.map(keysOf).filter((each) => each !== null);
    if (journey.secrets) expect(shown.length).toBe(1);
    await store.registry.resumeSagas({ olderThanMs: 0, limit: 100 });
    await over(journey);
  });
});

/** Takes back what the deaths of claims have cost. */
async function forgive(): Promise<void> {
  await store.cosmos.bulkUpsert(
    'directory',
    [north.principal.id, 'ten_north'].map((who) => ({
      id: 'attempts',
      key: `attempts:${who}`,
      failures: 0,
      at: 0,
      blockedUntil: 0,
    })),
  );
}
