import { directoryScope } from '../../src/auth/directory-scope';
import { type TenantScope } from '../../src/auth/scope';
import { createDeviceDirectory, type DeviceDirectory } from '../../src/store/device-directory';
import { type ChangeFeed, type Cosmos } from '../../src/store/cosmos';
import { type Change } from '../../src/store/cosmos';
import {
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type TwinDocument,
  twinId,
} from '../../src/store/documents';
import { emptyTwin } from '../../src/store/twins';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

let store: Store;
let owner: TenantScope;
const directories: DeviceDirectory[] = [];
beforeAll(async () => {
  store = await startStore();
  owner = await store.member('owner', 'ten_a', 'OWNER');
});
afterEach(async () => {
  await Promise.all(directories.splice(0).map((each) => each.stop()));
});
afterAll(() => store.stop());

/** A directory in a process of its own, so to speak, with the calls that it makes. */
async function openDirectory(options: { limit?: number; wrap?: (cosmos: Cosmos) => Cosmos } = {}) {
  const calls: string[] = [];
  const { wrap = (cosmos) => cosmos, limit } = options;
  const own = wrap(store.anotherCosmos());
  const counted = tapped(own, { before: (_call, name) => void calls.push(name) });
  const cosmos: Cosmos = {
    ...counted,
    pages: (...args) => {
      calls.push('pages');
      return own.pages(...args);
    },
  };
  const directory = createDeviceDirectory({
    cosmos,
    keyring: store.keyring,
    scope: directoryScope('device-authentication'),
    logger,
    limit,
  });
  directories.push(directory);
  await directory.start();
  calls.length = 0;
  return { directory, calls };
}

async function provision(count: number, model?: string) {
  const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
  const input = { buildingId, devices: newDevices(count, spaceIds, model) };
  const made = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  return { buildingId, spaceIds, made, ids: made.map((each) => each.device.id) };
}

test('a device is known with its opened keys and its assignments', async () => {
  const { made } = await provision(2, 'climate-sensor');
  const { directory } = await openDirectory();
  const { device, keys } = made[1]!;
  const found = await directory.lookup(device.id);
  expect(found).toEqual({
    deviceId: device.id,
    tenantId: 'ten_a',
    buildingId: device.buildingId,
    state: 'PROVISIONED',
    thumbprints: [],
    authority: null,
    parentId: null,
    keys: [Buffer.from(keys!.primary, 'base64'), Buffer.from(keys!.secondary, 'base64')],
    assignments: device.assignments,
  });
  expect(directory.peek(device.id)).toEqual(found);
  expect(directory.readiness()).toEqual({ ready: true, reasons: [] });
});

test('a building’s devices that come at once cost one reading of the building; known ones cost nothing', async () => {
  const { ids } = await provision(300);
  const { directory, calls } = await openDirectory();
  expect(directory.peek(ids[0]!)).toBeUndefined();
  const found = await Promise.all(ids.map((id) => directory.lookup(id)));
  expect(found.map((each) => each?.deviceId)).toEqual(ids);
  expect(calls).toEqual(['readMany', 'pages']);
  for (const id of ids) expect(directory.peek(id)?.deviceId).toBe(id);
  expect(calls).toHaveLength(2);
});

test('an unknown id costs one read, and for a moment none', async () => {
  const { directory, calls } = await openDirectory();
  expect(await directory.lookup('dev_unknown')).toBeNull();
  expect(directory.peek('dev_unknown')).toBeNull();
  expect(await directory.lookup('dev_unknown')).toBeNull();
  expect(calls).toEqual(['readMany']);
  expect(await directory.lookup('dev_a/../b')).toBeNull();
  expect(calls).toHaveLength(1);
});

test('a retirement is seen within two seconds, by what was held and by a lookup', async () => {
  const { ids } = await provision(3);
  const { directory } = await openDirectory();
  await directory.lookup(ids[0]!);
  valueOf(await store.registry.retireDevice(owner, ids[0]!));
  // Seen, or, where this process could not follow in time, no longer believed.
  const taken = startOwnTime();
  await eventually(() => expect(directory.peek(ids[0]!)?.state).not.toBe('PROVISIONED'), { every: 10 });
  expect(taken()).toBeLessThan(2_500);
  expect(await directory.lookup(ids[0]!)).toMatchObject({ state: 'RETIRED', keys: [] });
  await eventually(() => expect(directory.peek(ids[0]!)).toMatchObject({ state: 'RETIRED', keys: [] }));
  await eventually(() => expect(directory.peek(ids[1]!)).toMatchObject({ state: 'PROVISIONED' }));
});

test('a device that is provisioned into a known building is found at once, and soon without a call', async () => {
  const { buildingId, spaceIds, ids } = await provision(1);
  const { directory, calls } = await openDirectory();
  await directory.lookup(ids[0]!);
  const input = { buildingId, devices: newDevices(1, spaceIds) };
  const [made] = valueOf(await store.registry.provisionDevices(owner, input, freshKey()));
  expect(await directory.lookup(made!.device.id)).toMatchObject({ deviceId: made!.device.id });
  await eventually(() => {
    calls.length = 0;
    expect(directory.peek(made!.device.id)).toMatchObject({ state: 'PROVISIONED' });
    expect(calls).toEqual([]);
  });
});

test('a change that falls into the reading of its building is not lost', async () => {
  const { ids } = await provision(3);
  let retired: Promise<unknown> | undefined;
  const changesSeen: string[] = [];
  const { directory } = await openDirectory({
    wrap: (cosmos) => ({
      ...cosmos,
      changes: (...args) => {
        const feed = cosmos.changes(...args);
        return {
          async next() {
            const page = await feed.next();
            for (const each of page.documents as { id: string }[]) changesSeen.push(each.id);
            return page;
          },
        };
      },
      // The page is read, then the device is retired and the feed brings it, then the page arrives.
      async *pages<T>(...args: Parameters<Cosmos['pages']>) {
        for await (const page of cosmos.pages<T>(...args)) {
          retired = store.registry.retireDevice(owner, ids[0]!);
          await retired;
          await eventually(() => expect(changesSeen).toContain(ids[0]));
          yield page;
        }
      },
    }),
  });
  expect(await directory.lookup(ids[0]!)).toMatchObject({ state: 'RETIRED', keys: [] });
  expect(directory.peek(ids[0]!)).toMatchObject({ state: 'RETIRED' });
});

test('a directory that falls behind believes nothing that it holds, reads through, and recovers', async () => {
  const { ids } = await provision(2);
  let stuck = false;
  const { directory } = await openDirectory({
    wrap: (cosmos) => ({
      ...cosmos,
      changes: (...args): ChangeFeed => {
        const feed = cosmos.changes(...args);
        return { next: () => (stuck ? Promise.reject(new Error('stuck')) : feed.next()) };
      },
    }),
  });
  await directory.lookup(ids[0]!);
  expect(directory.peek(ids[0]!)).toMatchObject({ state: 'PROVISIONED' });
  stuck = true;
  valueOf(await store.registry.retireDevice(owner, ids[0]!));
  await eventually(() => expect(directory.peek(ids[0]!)).toBeUndefined());
  expect(directory.readiness().ready).toBe(false);
  expect(await directory.lookup(ids[0]!)).toMatchObject({ state: 'RETIRED', keys: [] });
  expect(await directory.lookup(ids[1]!)).toMatchObject({ state: 'PROVISIONED' });
  stuck = false;
  await eventually(() => expect(directory.readiness().ready).toBe(true));
  expect(directory.peek(ids[0]!)).toMatchObject({ state: 'RETIRED' });
});

test('a held device’s lookup waits a moment for a feed that is behind, instead of reading the device on its own', async () => {
  const { ids } = await provision(2);
  let slow: Promise<void> | undefined;
  let goOn!: () => void;
  let reads = 0;
  const { directory } = await openDirectory({
    wrap: (cosmos) => ({
      ...cosmos,
      readMany: (...args) => {
        reads++;
        return cosmos.readMany(...args);
      },
      changes: (...args): ChangeFeed => {
        const feed = cosmos.changes(...args);
        return { next: async () => slow?.then(() => feed.next()) ?? feed.next() };
      },
    }),
  });
  await directory.lookup(ids[0]!);
  slow = new Promise((resolve) => (goOn = resolve));
  await eventually(() => expect(directory.peek(ids[1]!)).toBeUndefined());
  reads = 0;
  const found = Promise.all(ids.map((id) => directory.lookup(id)));
  slow = undefined;
  goOn();
  expect(await found).toMatchObject(ids.map((deviceId) => ({ deviceId, state: 'PROVISIONED' })));
  expect(reads).toBe(0);
});

test('a store that cannot be asked makes a lookup fail, never answer', async () => {
  const { ids } = await provision(1);
  const { directory } = await openDirectory({
    wrap: (cosmos) => ({ ...cosmos, readMany: () => Promise.reject(new Error('away')) }),
  });
  await expect(directory.lookup(ids[0]!)).rejects.toThrow('away');
  expect(directory.peek(ids[0]!)).toBeUndefined();
});

test('a reading of a building that fails is not taken for the building, and is tried again', async () => {
  const { ids } = await provision(1200);
  let failures = 1;
  const { directory } = await openDirectory({
    wrap: (cosmos) => ({
      ...cosmos,
      async *pages<T>(...args: Parameters<Cosmos['pages']>) {
        for await (const page of cosmos.pages<T>(...args)) {
          yield page;
          if (failures-- > 0) throw new Error('broken off');
        }
      },
    }),
  });
  await expect(directory.lookup(ids[0]!)).rejects.toThrow('broken off');
  const found = await Promise.all(ids.map((id) => directory.lookup(id)));
  expect(found.every((each) => each !== null)).toBe(true);
});

test('no more devices are held than the limit, and all are found all the same', async () => {
  const buildings = [await provision(40), await provision(40), await provision(40), await provision(150)];
  const { directory, calls } = await openDirectory({ limit: 100 });
  for (const { ids } of [...buildings, ...buildings]) {
    for (const id of ids) expect(await directory.lookup(id)).toMatchObject({ deviceId: id });
  }
  const held = buildings.flatMap(({ ids }) => ids).filter((id) => directory.peek(id));
  expect(held.length).toBeGreaterThan(0);
  // The building in use stays, the one that was longest unused has gone.
  calls.length = 0;
  const [first] = buildings;
  await directory.lookup(first!.ids[0]!);
  await directory.lookup(first!.ids[1]!);
  expect(calls.filter((each) => each === 'pages').length).toBeLessThanOrEqual(1);
});

test('keys that do not open cost their device alone: its building is read and its changes are followed', async () => {
  const { buildingId, ids } = await provision(3);
  const documentOf = async (id: string): Promise<DeviceDocument> =>
    (await store.cosmos.read<DeviceDocument>('registry', buildingId, id))!;
  const damage = async (id: string): Promise<void> => {
    // Sealed for another device: what whoever can write the store but has no key could try.
    const { keys } = await documentOf(ids[0]!);
    const damaged = { ...(await documentOf(id)), keys };
    await store.cosmos.batch('registry', buildingId, [{ upsert: damaged }]);
  };
  await damage(ids[1]!);
  const { directory } = await openDirectory();
  expect((await directory.lookup(ids[0]!))?.keys).toHaveLength(2);
  expect(await directory.lookup(ids[1]!)).toMatchObject({ state: 'PROVISIONED', keys: [] });

  await damage(ids[2]!);
  await eventually(() => expect(directory.peek(ids[2]!)).toMatchObject({ keys: [] }));
  valueOf(await store.registry.retireDevice(owner, ids[0]!));
  await eventually(() => expect(directory.peek(ids[0]!)).toMatchObject({ state: 'RETIRED' }));
  expect(directory.readiness().ready).toBe(true);
});

describe('a device that goes to another building', () => {
  const documentOf = async (buildingId: string, id: string): Promise<DeviceDocument> =>
    (await store.cosmos.read<DeviceDocument>('registry', buildingId, id))!;
  const write = (buildingId: string, ...changes: Change[]) =>
    store.cosmos.batch('registry', buildingId, changes);

  /** The steps of a move between buildings, each a write of its own. */
  async function moveOf(id: string, from: string, to: string) {
    const device = await documentOf(from, id);
    const departed: DepartedDocument = { id, type: 'departed', buildingId: from, tenantId: 'ten_a', at: 1 };
    const entry: DeviceEntryDocument & { id: 'device' } = {
      id: 'device',
      key: `device:${id}`,
      tenantId: 'ten_a',
      buildingId: to,
    };
    const arrived: DeviceDocument = { ...device, buildingId: to };
    return {
      depart: () => write(from, { upsert: departed }),
      arrive: () => write(to, { upsert: arrived }),
      enter: () => store.cosmos.bulkUpsert('directory', [entry]),
    };
  }

  type Step = 'depart' | 'arrive' | 'enter';
  const orders: Step[][] = [
    ['arrive', 'enter', 'depart'],
    ['depart', 'arrive', 'enter'],
    ['arrive', 'depart', 'enter'],
  ];

  test.each(orders)(
    'is in its new one after %s, %s and %s, whether that was held before or not',
    async (...order) => {
      for (const bothHeld of [true, false]) {
        const here = await provision(2);
        const there = await provision(1);
        const id = here.ids[0]!;
        const { directory, calls } = await openDirectory();
        await directory.lookup(id);
        if (bothHeld) await directory.lookup(there.ids[0]!);
        const move = await moveOf(id, here.buildingId, there.buildingId);
        for (const step of order) await move[step]();
        await eventually(async () =>
          expect(await directory.lookup(id)).toMatchObject({ deviceId: id, buildingId: there.buildingId }),
        );
        // And stays there, soon without a call.
        await eventually(() => {
          calls.length = 0;
          expect(directory.peek(id)).toMatchObject({ buildingId: there.buildingId });
          expect(calls).toEqual([]);
        });
        expect(directory.peek(here.ids[1]!)).toMatchObject({ buildingId: here.buildingId });
      }
    },
  );

  test('and comes back is where it was, whatever the feed tells of the other last', async () => {
    const here = await provision(2);
    const there = await provision(1);
    const id = here.ids[0]!;
    const { directory } = await openDirectory();
    await directory.lookup(id);
    await directory.lookup(there.ids[0]!);
    const away = await moveOf(id, here.buildingId, there.buildingId);
    await away.arrive();
    await away.enter();
    await away.depart();
    const back = await moveOf(id, there.buildingId, here.buildingId);
    await back.arrive();
    await back.enter();
    // Until the departure is written the other building shows it too.
    await eventually(async () =>
      expect(await directory.lookup(id)).toMatchObject({ buildingId: here.buildingId }),
    );
    await back.depart();
    await eventually(async () =>
      expect(await directory.lookup(id)).toMatchObject({ buildingId: here.buildingId }),
    );
  });

  test('is neither known nor unknown while it is on its way, and building and neighbours are read without it', async () => {
    const here = await provision(2);
    const there = await provision(1);
    const id = here.ids[0]!;
    const move = await moveOf(id, here.buildingId, there.buildingId);
    await move.depart();
    const { directory } = await openDirectory();
    await expect(directory.lookup(id)).rejects.toThrow('on its way');
    expect(directory.peek(id)).toBeUndefined();
    expect(await directory.lookup(here.ids[1]!)).toMatchObject({ buildingId: here.buildingId });
    await move.arrive();
    await move.enter();
    expect(await directory.lookup(id)).toMatchObject({ buildingId: there.buildingId });
  });

  test('is on its way from the moment its old places end, so that nothing it sends meanwhile is refused', async () => {
    const here = await provision(2);
    const there = await provision(1);
    const id = here.ids[0]!;
    const { directory } = await openDirectory();
    await directory.lookup(id);
    const device = await documentOf(here.buildingId, id);
    const move = await moveOf(id, here.buildingId, there.buildingId);
    const leaving: DeviceDocument = { ...device, departing: { saga: 's', at: Date.now(), channels: [] } };
    await write(here.buildingId, { upsert: leaving });
    await eventually(() => expect(directory.peek(id)).toBeUndefined());
    await expect(directory.lookup(id)).rejects.toThrow('on its way');
    // To a directory that has just begun, too.
    const another = await openDirectory();
    await another.directory.lookup(here.ids[1]!);
    await expect(another.directory.lookup(id)).rejects.toThrow('on its way');
    await move.arrive();
    await move.enter();
    for (const each of [directory, another.directory]) {
      expect(await each.lookup(id)).toMatchObject({ buildingId: there.buildingId, state: 'PROVISIONED' });
    }
  });

  test('leaves a twin behind that nobody hears of any more', async () => {
    const { buildingId, ids } = await provision(1);
    const { directory } = await openDirectory();
    const told: string[] = [];
    directory.onTwin(({ deviceId }) => told.push(deviceId));
    const twin = { ...emptyTwin({ deviceId: ids[0]!, buildingId, tenantId: 'ten_a' }), ttl: 100 };
    const marker = emptyTwin({ deviceId: 'dev_marker', buildingId, tenantId: 'ten_a' });
    await write(buildingId, { upsert: twin });
    await write(buildingId, { upsert: marker });
    await eventually(() => expect(told).toContain('dev_marker'));
    expect(told).toEqual(['dev_marker']);
  });

  test('is not believed to be in its old one by a directory that cannot follow', async () => {
    const here = await provision(2);
    const there = await provision(1);
    const id = here.ids[0]!;
    let stuck = false;
    const { directory } = await openDirectory({
      wrap: (cosmos) => ({
        ...cosmos,
        changes: (...args): ChangeFeed => {
          const feed = cosmos.changes(...args);
          return { next: () => (stuck ? Promise.reject(new Error('stuck')) : feed.next()) };
        },
      }),
    });
    await directory.lookup(id);
    stuck = true;
    const move = await moveOf(id, here.buildingId, there.buildingId);
    await move.arrive();
    await move.enter();
    await eventually(() => expect(directory.peek(id)).toBeUndefined());
    // Its old document still stands there.
    expect(await directory.lookup(id)).toMatchObject({ buildingId: there.buildingId });
  });
});

test('certificates, an authority and a field gateway are told where a device has them', async () => {
  const { buildingId, ids } = await provision(2);
  const device = (await store.cosmos.read<DeviceDocument>('registry', buildingId, ids[0]!))!;
  const { directory } = await openDirectory();
  await directory.lookup(ids[0]!);
  const further = {
    thumbprints: { primary: 'AA', secondary: 'BB' },
    authority: 'PEM',
    parentId: ids[1]!,
  };
  await store.cosmos.batch('registry', buildingId, [{ upsert: { ...device, ...further } }]);
  const told = { thumbprints: ['AA', 'BB'], authority: 'PEM', parentId: ids[1] };
  await eventually(() => expect(directory.peek(ids[0]!)).toMatchObject(told));
  const another = await openDirectory();
  expect(await another.directory.lookup(ids[0]!)).toMatchObject(told);
  expect(await another.directory.lookup(ids[1]!)).toMatchObject({ thumbprints: [], parentId: null });
});

test('a device in stock is nobody at the gateway, and its stock is not read', async () => {
  const { directory, calls } = await openDirectory();
  const entry = { id: 'device', key: 'device:dev_stocked', tenantId: 'ten_a', buildingId: 'stock_ten_a' };
  await store.cosmos.bulkUpsert('directory', [entry]);
  expect(await directory.lookup('dev_stocked')).toBeNull();
  expect(calls).toEqual(['readMany']);
});

test('a twin that changes is told of, in the order of its changes, until nobody listens', async () => {
  const { buildingId, ids } = await provision(1);
  const { directory } = await openDirectory();
  const told: number[] = [];
  const end = directory.onTwin((twin) => {
    if (twin.deviceId === ids[0]) told.push(twin.desiredVersion);
  });
  const write = (desiredVersion: number) => {
    const twin: TwinDocument = {
      id: twinId(ids[0]!),
      type: 'twin',
      buildingId,
      tenantId: 'ten_a',
      deviceId: ids[0]!,
      desired: {},
      desiredVersion,
      desiredAt: 1,
      reported: {},
      reportedVersion: 0,
      reportedAt: null,
    };
    return store.cosmos.batch('registry', buildingId, [{ upsert: twin }]);
  };
  await write(1);
  await eventually(() => expect(told).toEqual([1]));
  await write(2);
  await eventually(() => expect(told).toEqual([1, 2]));
  end();
  await write(3);
  await eventually(() => expect(directory.following()).toBe(true));
  expect(told).toEqual([1, 2]);
});
