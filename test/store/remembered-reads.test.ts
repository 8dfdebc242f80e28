import { type Cosmos } from '../../src/store/cosmos';
import { type BuildingDocument } from '../../src/store/documents';
import { createRegistry } from '../../src/store/registry';
import { createRememberedReads } from '../../src/store/remembered-reads';
import { type TenantScope } from '../../src/auth/scope';
import { eventually } from '../support/eventually';
import { createBuilding, logger, startStore, type Store, valueOf } from './store.support';

describe('reads of a building that are remembered', () => {
  let store: Store;
  let owner: TenantScope;
  let stranger: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', 'ten_a', 'OWNER');
    stranger = await store.member('stranger', 'ten_b', 'OWNER');
  });
  afterAll(() => store.stop());

  const open: { stop(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
  });

  /** One process of the API, whose calls to the store are counted and can be held up or cut off. */
  const replica = async (
    options: { maximumCharacters?: number; maximumBehindMs?: number; now?: () => number } = {},
  ) => {
    const cosmos = store.anotherCosmos();
    let calls = 0;
    let away = false;
    let gate: Promise<void> | undefined;
    const passing = async <T>(call: () => Promise<T>): Promise<T> => {
      if (away) throw Object.assign(new Error('the store is away'), { code: 'ECONNREFUSED' });
      calls++;
      const answer = await call();
      await gate;
      return answer;
    };
    const watched: Cosmos = {
      ...cosmos,
      query: (...asked) => passing(() => cosmos.query(...asked)) as Promise<never>,
      readMany: (...asked) => passing(() => cosmos.readMany(...asked)) as Promise<never>,
      changes: (...asked) => {
        const feed = cosmos.changes(...asked);
        return {
          async next() {
            if (away) throw Object.assign(new Error('the store is away'), { code: 'ECONNREFUSED' });
            return feed.next();
          },
        };
      },
    };
    const remembered = createRememberedReads({
      ...{ cosmos: watched, container: 'registry', logger },
      // What is judged here is what is held, not how quickly this machine follows.
      ...{ maximumBehindMs: 600_000, now: () => 0 },
      ...options,
    });
    open.push(remembered);
    await remembered.start();
    const noting = remembered.noting(watched);
    return {
      registry: createRegistry({ cosmos: noting, keyring: store.keyring, reads: remembered.reads }),
      cosmos: noting,
      counts: remembered.counts,
      /** Calls since the last asking. */
      calls: () => {
        const made = calls;
        calls = 0;
        return made;
      },
      setAway: (value: boolean) => (away = value),
      /** Answers of the store are held back until what this returns is called. */
      hold: () => {
        let release!: () => void;
        gate = new Promise((resolve) => (release = resolve));
        return () => {
          gate = undefined;
          release();
        };
      },
    };
  };
  /** As another process changes it. */
  const rename = async (id: string, name: string, through: Cosmos = store.cosmos): Promise<void> => {
    const document = (await store.cosmos.read<BuildingDocument>('registry', id, id))!;
    const renamed: BuildingDocument = { ...document, name };
    await through.bulkUpsert('registry', [renamed]);
  };
  const page = { first: 20, after: null };

  it('ask the store once for what does not change, and again for what another process changed', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry, calls } = await replica();
    const nameOf = async () => (await registry.buildingsById(owner, [buildingId]))[0]?.name;
    await registry.spaces(owner, buildingId);
    await nameOf();
    calls();
    expect(await registry.spaces(owner, buildingId)).toHaveLength(3);
    expect(await nameOf()).toBe('Building 25');
    expect(calls()).toBe(0);
    await rename(buildingId, 'Building 26');
    await eventually(async () => expect(await nameOf()).toBe('Building 26'));
  });

  it('show a client of this process what it changed, at once', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, owner);
    const { registry, cosmos } = await replica();
    const room = { name: 'Sensor', model: 'thermometer', spaceId: spaceIds[0]!, serialNumber: null };
    for (let n = 1; n <= 3; n++) {
      const devices = [{ ...room, name: `Sensor ${n}` }];
      valueOf(await registry.provisionDevices(owner, { buildingId, devices }, `key ${buildingId} ${n}`));
      expect((await registry.devices(owner, buildingId, page)).items).toHaveLength(n);
      await rename(buildingId, `Building ${n}`, cosmos);
      expect((await registry.buildingsById(owner, [buildingId]))[0]!.name).toBe(`Building ${n}`);
    }
  });

  it('keep nothing that was read before a change and answered after it', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry, cosmos, hold } = await replica();
    const release = hold();
    const before = registry.buildingsById(owner, [buildingId]);
    await rename(buildingId, 'Renamed', cosmos);
    release();
    await before;
    expect((await registry.buildingsById(owner, [buildingId]))[0]!.name).toBe('Renamed');
  });

  it('cost whoever may not see a building the same calls as one that is not there', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry, calls } = await replica();
    const ask = async (who: TenantScope, id: string) => {
      calls();
      const found = [await registry.buildingsById(who, [id]), await registry.spaces(who, id)];
      const listed = await registry.devices(who, id, page);
      return { found: JSON.stringify([found, listed]), calls: calls() };
    };
    await ask(owner, buildingId);
    expect((await ask(owner, buildingId)).calls).toBeLessThan(3);
    for (let again = 0; again < 3; again++) {
      const foreign = await ask(stranger, buildingId);
      expect(foreign).toEqual(await ask(stranger, 'bld_unknown'));
      expect(foreign.calls).toBe(3);
    }
  });

  it('show nobody what their rights do not show, however it came to be held', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry, calls } = await replica();
    await registry.buildingsById(owner, [buildingId]);
    calls();
    // Whoever was let go a moment ago asks with the rights of now.
    expect(await registry.buildingsById({ ...owner, entitlements: [] }, [buildingId])).toEqual([null]);
    expect(calls()).toBe(1);
    expect(await registry.buildingsById(owner, [buildingId])).toHaveLength(1);
    expect(calls()).toBe(0);
  });

  it('are read through while the store cannot be followed, and fail where it is away', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry, calls, setAway } = await replica({ maximumBehindMs: 1_000 });
    await registry.buildingsById(owner, [buildingId]);
    setAway(true);
    // What is held is believed no longer than that.
    await eventually(() => expect(registry.buildingsById(owner, [buildingId])).rejects.toThrow(/away/));
    setAway(false);
    await rename(buildingId, 'While it was away');
    await eventually(async () => {
      calls();
      expect((await registry.buildingsById(owner, [buildingId]))[0]!.name).toBe('While it was away');
      expect(calls()).toBe(0);
    });
  });

  it('are bounded, leave out first what was not asked for longest, and end with their age', async () => {
    const made: { buildingId: string }[] = [];
    for (let n = 0; n < 16; n++) made.push(await createBuilding(store.registry, owner, `House ${n}`, 1));
    let time = 0;
    const { registry, counts, calls } = await replica({ maximumCharacters: 6_000, now: () => time });
    const ask = (n: number) => registry.buildingsById(owner, [made[n]!.buildingId]);
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < made.length; n++) {
        await ask(n);
        expect(counts().characters).toBeLessThanOrEqual(6_000);
      }
    }
    expect(counts().partitions).toBeLessThan(made.length);
    const last = made.length - 1;
    calls();
    await ask(last);
    expect(calls()).toBe(0);
    time += 31_000;
    await ask(last);
    expect(calls()).toBe(1);
  });

  it('are the same objects for all, and nobody can change them', async () => {
    const { buildingId } = await createBuilding(store.registry, owner);
    const { registry } = await replica();
    const [building] = await registry.buildingsById(owner, [buildingId]);
    expect(() => (building!.devicesByQuantity['CO2_LEVEL'] = 7)).toThrow(TypeError);
  });
});
