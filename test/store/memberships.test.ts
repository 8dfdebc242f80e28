import { allows, type Role, tenantScope } from '../../src/auth/scope';
import { type ApiKeyDocument } from '../../src/store/api-keys/documents';
import { type MembershipDocument } from '../../src/store/documents';
import { createMemberships, type Entitlements } from '../../src/store/memberships';
import { eventually } from '../support/eventually';
import { startOwnTime } from '../support/own-time';
import { logger, principal, startStore, type Store } from './store.support';

describe('memberships', () => {
  let store: Store;
  let away = false;
  let queries = 0;
  const open: { stop(): Promise<void> }[] = [];
  beforeEach(async () => {
    store = await startStore();
    away = false;
    queries = 0;
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.stop();
    await store.stop();
  });

  /** One replica's, over a client that can be cut off. */
  const replica = async (options: { knownMs?: number } = {}) => {
    const cosmos = store.anotherCosmos();
    const cut = <T>(value: () => T): T => {
      if (away) throw Object.assign(new Error('the store is away'), { code: 'ECONNREFUSED' });
      return value();
    };
    const memberships = createMemberships({
      cosmos: {
        query: async (...asked) => {
          // Of people: what is shared with their tenants, and what is erased, is read once for all of them.
          if (asked[1].startsWith('person:')) queries++;
          return cut(() => cosmos.query(...asked)) as Promise<never>;
        },
        changes: (...asked) => {
          const feed = cosmos.changes(...asked);
          return { ...feed, next: async () => cut(() => feed.next()) };
        },
        feedRanges: async (name) => cut(() => cosmos.feedRanges(name)),
      },
      logger,
      ...options,
    });
    open.push(memberships);
    await memberships.start();
    return memberships;
  };
  const put = (tenantId: string, role: Role | null): Promise<void> => {
    const membership: MembershipDocument = {
      id: tenantId,
      key: 'person:ada',
      kind: 'membership',
      tenantId,
      role,
    };
    return store.cosmos.bulkUpsert('directory', [membership]);
  };
  const roles = (entitlements: Entitlements) =>
    entitlements.map(({ tenantId, role }) => `${tenantId} ${role}`);

  it('are read once and then follow every change in every replica within two seconds', async () => {
    await put('ten_a', 'OWNER');
    const replicas = [await replica(), await replica()];
    for (const each of replicas) expect(roles(await each.of('ada'))).toEqual(['ten_a OWNER']);
    expect(queries).toBe(2);
    await put('ten_b', 'VIEWER');
    await put('ten_a', 'ANALYST');
    const taken = startOwnTime();
    for (const each of replicas) {
      await eventually(
        async () => expect(roles(await each.of('ada'))).toEqual(['ten_a ANALYST', 'ten_b VIEWER']),
        { every: 10 },
      );
    }
    expect(taken()).toBeLessThan(2_000);
    expect(queries).toBe(2);
  });

  it('end with a document that says so, and whoever watches is told', async () => {
    await put('ten_a', 'OWNER');
    const memberships = await replica();
    const told: string[][] = [];
    expect(roles(await memberships.of('ada'))).toEqual(['ten_a OWNER']);
    const end = memberships.watch('ada', (entitlements) => told.push(roles(entitlements!)));
    await put('ten_a', null);
    await eventually(() => expect(told).toEqual([[]]));
    expect(await memberships.of('ada')).toEqual([]);
    end();
    await put('ten_a', 'VIEWER');
    await eventually(async () => expect(roles(await memberships.of('ada'))).toEqual(['ten_a VIEWER']));
    expect(told).toEqual([[]]);
  });

  it('refuse to answer a request while the store is away, and let what is open go on by what was known', async () => {
    await put('ten_a', 'OWNER');
    const memberships = await replica();
    await memberships.of('ada');
    memberships.watch('ada', () => undefined);
    away = true;
    await eventually(() => expect(memberships.behindMs()).toBeGreaterThan(2_000));
    await expect(memberships.of('ada')).rejects.toThrow('the store is away');
    expect(roles(await memberships.lately('ada'))).toEqual(['ten_a OWNER']);
    away = false;
    await eventually(async () => expect(roles(await memberships.of('ada'))).toEqual(['ten_a OWNER']));
  });

  it('say of nobody for longer than allowed what was known before the store went away', async () => {
    await put('ten_a', 'OWNER');
    const memberships = await replica({ knownMs: 2_500 });
    await memberships.of('ada');
    const told: (Entitlements | null)[] = [];
    memberships.watch('ada', (entitlements) => told.push(entitlements));
    away = true;
    await eventually(() => expect(told[0]).toBeNull());
    await expect(memberships.lately('ada')).rejects.toThrow('the store is away');
  });

  it('are read again and again for whoever is watched while no feed can be followed', async () => {
    await put('ten_a', 'OWNER');
    const cosmos = store.anotherCosmos();
    const memberships = createMemberships({
      cosmos: {
        query: (...asked) => cosmos.query(...asked),
        changes: () => {
          throw new Error('no feed');
        },
        feedRanges: (name) => cosmos.feedRanges(name),
      },
      logger,
    });
    open.push(memberships);
    await memberships.start();
    expect(roles(await memberships.of('ada'))).toEqual(['ten_a OWNER']);
    const told: string[][] = [];
    memberships.watch('ada', (entitlements) => told.push(roles(entitlements!)));
    await put('ten_a', 'VIEWER');
    await eventually(() => expect(told).toEqual([['ten_a VIEWER']]));
  });

  describe('of a program with a key', () => {
    const putKey = (parts: Partial<ApiKeyDocument> = {}): Promise<void> => {
      const key: ApiKeyDocument = {
        ...{ id: 'key_1', key: 'person:key_1', kind: 'apiKey', tenantId: 'ten_a', hash: '', documents: null },
        ...{
          permissions: ['READ_AVERAGES'],
          buildingIds: null,
          createdBy: 'ada',
          createdAt: 0,
          endedAt: null,
        },
        ...{ expiresAt: Date.now() + 3_600_000 },
        ...parts,
      };
      return store.cosmos.bulkUpsert('directory', [key]);
    };

    it('follow its maker’s and its own end, in every replica, whichever of the two is asked for first', async () => {
      await put('ten_a', 'OWNER');
      await put('ten_b', 'OWNER');
      await putKey();
      const replicas = [await replica(), await replica()];
      await replicas[1]!.of('ada');
      const told: string[][] = [];
      for (const each of replicas) {
        expect(roles(await each.of('key_1'))).toEqual(['ten_a OWNER']);
        expect(await each.standing('key_1')).toBe(true);
        each.watch('key_1', (entitlements) => told.push(roles(entitlements!)));
      }
      const asked = queries;
      await put('ten_a', 'VIEWER');
      await eventually(() => expect(told).toEqual([['ten_a VIEWER'], ['ten_a VIEWER']]));
      await put('ten_b', null);
      await putKey({ endedAt: 1 });
      await eventually(() => expect(told.slice(2)).toEqual([[], []]));
      for (const each of replicas) {
        expect([await each.of('key_1'), await each.standing('key_1')]).toEqual([[], false]);
      }
      expect(queries).toBe(asked);
    });

    it('are no more than nothing where there is no such key, or it is another’s document', async () => {
      const memberships = await replica();
      expect([await memberships.of('key_2'), await memberships.standing('key_2')]).toEqual([[], false]);
      await put('ten_a', 'OWNER');
      expect(await memberships.standing('ada')).toBe(false);
    });

    it('are refused a request while the store is away, and what is open goes on by what was known', async () => {
      await put('ten_a', 'OWNER');
      await putKey();
      const memberships = await replica();
      await memberships.of('key_1');
      memberships.watch('key_1', () => undefined);
      away = true;
      await eventually(() => expect(memberships.behindMs()).toBeGreaterThan(2_000));
      await expect(memberships.standing('key_1')).rejects.toThrow('the store is away');
      expect(roles(await memberships.lately('key_1'))).toEqual(['ten_a OWNER']);
      away = false;
      await putKey({ endedAt: 1 });
      await eventually(async () => expect(await memberships.standing('key_1')).toBe(false));
    });

    it('are the same to who works for it later, until it expires', async () => {
      await put('ten_a', 'OWNER');
      await putKey({ buildingIds: ['bld_1'] });
      expect(await store.registry.memberships('key_1')).toMatchObject([
        { tenantId: 'ten_a', buildingId: 'bld_1', role: 'OWNER' },
      ]);
      await putKey({ id: 'key_3', key: 'person:key_3', expiresAt: Date.now() - 60_000 });
      const scope = tenantScope(principal('key_3'), await store.registry.memberships('key_3'));
      expect(allows(scope, 'average.read', { tenantId: 'ten_a' })).toBe(false);
    });
  });

  it('tell at once, also of who is watched, what an owner says of presence', async () => {
    await put('ten_a', 'VIEWER');
    const memberships = await replica();
    const told: (Entitlements | null)[] = [];
    memberships.watch('ada', (entitlements) => told.push(entitlements));
    const co2 = { tenantId: 'ten_a', buildingId: 'bld_a', quantity: 'CO2_LEVEL' } as const;
    const maySee = (entitlements: Entitlements | null | undefined): boolean =>
      allows(tenantScope(principal('ada'), entitlements ?? []), 'average.read', co2);
    expect(maySee(await memberships.of('ada'))).toBe(true);
    for (const [quantities, seen] of [
      [['CO2_LEVEL'], false],
      [[], true],
    ] as const) {
      await store.cosmos.bulkUpsert('directory', [
        {
          ...{ id: 'bld_a', key: 'presence:ten_a', kind: 'presence', tenantId: 'ten_a' },
          ...{ quantities, changedAt: Date.now(), endedAt: null },
        },
      ]);
      await eventually(() => expect(maySee(told.at(-1))).toBe(seen));
      expect(maySee(await memberships.of('ada'))).toBe(seen);
    }
  });
});
