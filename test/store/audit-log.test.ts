import fc from 'fast-check';
import { type TenantScope } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { createDeviceActivation } from '../../src/store/device-activation';
import { type AuditDocument, auditKeyOf, stockOf } from '../../src/store/documents';
import { type AuditLogOf } from '../../src/store/registry/audit-log';
import { createBuilding, freshKey, newDevices, type Store, startStore, valueOf } from './store.support';

describe('the audit log', () => {
  let store: Store;
  let scope: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    scope = await store.member('owner', 'ten_a', 'OWNER');
  });
  afterAll(() => store.stop());

  function event(parts: Partial<AuditDocument> & { buildingId: string }, keyed = true): AuditDocument {
    const id = newId('aud');
    const at = parts.at ?? 0;
    return {
      id,
      type: 'audit',
      tenantId: 'ten_a',
      at,
      actor: 'per_a',
      action: 'device.suspend',
      subject: 'dev_a',
      before: null,
      after: null,
      ...(keyed && { auditKey: auditKeyOf(at, id) }),
      ...parts,
    };
  }

  async function everyPage(
    of: AuditLogOf,
    filter: { from?: number; to?: number; subject?: string; action?: string } = {},
    first = 50,
    as = scope,
  ): Promise<AuditDocument[]> {
    const found: AuditDocument[] = [];
    let after: string | null = null;
    do {
      const page = await store.registry.auditLog(as, of, { first, after, ...filter });
      expect(page.items.length).toBeLessThanOrEqual(first);
      found.push(...page.items);
      after = page.next;
    } while (after !== null);
    return found;
  }

  it('tells of everything that was done in a building, the latest first', async () => {
    const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
    const made = valueOf(
      await store.registry.provisionDevices(
        scope,
        { buildingId, devices: newDevices(120, spaceIds) },
        freshKey(),
      ),
    ).map(({ device }) => device.id);
    await createDeviceActivation({ cosmos: store.cosmos }).activate(
      buildingId,
      made.slice(0, 50).map((deviceId) => ({ deviceId, at: Date.now() })),
    );
    await store.registry.retireDevice(scope, made[7]!);

    const log = await everyPage({ buildingId }, {}, 2);
    const stored = await store.cosmos.query<AuditDocument>(
      'registry',
      buildingId,
      "SELECT * FROM c WHERE c.type = 'audit'",
    );
    expect(log.map(({ id }) => id).sort()).toEqual(stored.map(({ id }) => id).sort());
    const keys = log.map(({ auditKey }) => auditKey!);
    expect(keys).toEqual([...keys].sort().reverse());
    expect(log[0]).toMatchObject({
      actor: scope.principal.id,
      action: 'device.retire',
      subject: made[7],
      before: { state: 'ACTIVE' },
      after: { state: 'RETIRED' },
    });

    // Its provisioning and activation stand in events that name several.
    const ofOne = await everyPage({ buildingId }, { subject: made[7]! });
    expect(ofOne.map(({ action }) => action)).toEqual([
      'device.retire',
      'devices.activate',
      'devices.provision',
    ]);
    expect((await everyPage({ buildingId }, { subject: made[110]! })).map(({ action }) => action)).toEqual([
      'devices.provision',
    ]);
    expect((await everyPage({ buildingId }, { action: 'building.create' })).length).toBe(1);
    expect(await everyPage({ buildingId }, { subject: 'dev_unknown' })).toEqual([]);
  });

  it('gives exactly the events that match, in order, whatever the filter and the size of the page', async () => {
    const buildingId = newId('bld');
    const anyOf = <T>(...values: T[]) => fc.constantFrom(...values);
    const anyEvent = fc.record({
      // Few instants, so that several events share one.
      at: fc.integer({ min: 990, max: 1_010 }),
      action: anyOf('device.suspend', 'device.resume'),
      subject: anyOf('dev_a', 'dev_b'),
      tenantId: anyOf('ten_a', 'ten_a', 'ten_former'),
    });
    const events = fc.sample(anyEvent, 120).map((parts) => event({ ...parts, buildingId }));
    await store.cosmos.bulkUpsert('registry', events);
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            from: fc.integer({ min: -5, max: 1_015 }),
            to: fc.integer({ min: 985, max: 1_015 }),
            action: anyOf('device.suspend', 'device.resume'),
            subject: anyOf('dev_a', 'dev_b'),
          },
          { requiredKeys: [] },
        ),
        fc.integer({ min: 1, max: 40 }),
        async (filter, first) => {
          const expected = events
            .filter(
              (each) =>
                each.tenantId === 'ten_a' &&
                (filter.from === undefined || each.at >= filter.from) &&
                (filter.to === undefined || each.at <= filter.to) &&
                (filter.action === undefined || each.action === filter.action) &&
                (filter.subject === undefined || each.subject === filter.subject),
            )
            .map(({ auditKey }) => auditKey!)
            .sort()
            .reverse();
          const found = await everyPage({ buildingId }, filter, first);
          expect(found.map(({ auditKey }) => auditKey)).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('tells of the first release’s events too, which carry no key, behind the others', async () => {
    const buildingId = newId('bld');
    const old = Array.from({ length: 7 }, (_, i) => event({ buildingId, at: 100 + (i % 4) }, false));
    const recent = Array.from({ length: 5 }, (_, i) => event({ buildingId, at: 200 + i }));
    await store.cosmos.bulkUpsert('registry', [...old, ...recent]);
    for (const first of [1, 3, 5, 20]) {
      const log = await everyPage({ buildingId }, {}, first);
      const keys = log.map(({ at, id }) => auditKeyOf(at, id));
      expect(keys).toEqual(
        [...old, ...recent]
          .map(({ at, id }) => auditKeyOf(at, id))
          .sort()
          .reverse(),
      );
    }
    const some = await everyPage({ buildingId }, { from: 102, to: 201 }, 2);
    expect(some.map(({ at }) => at)).toEqual([201, 200, 103, 102, 102]);
  });

  it('goes on below what was read, though further events come meanwhile', async () => {
    const buildingId = newId('bld');
    const events = Array.from({ length: 6 }, (_, i) => event({ buildingId, at: 100 + i }));
    await store.cosmos.bulkUpsert('registry', events);
    const page = await store.registry.auditLog(scope, { buildingId }, { first: 3, after: null });
    await store.cosmos.bulkUpsert('registry', [event({ buildingId, at: 500 })]);
    const rest = await store.registry.auditLog(scope, { buildingId }, { first: 9, after: page.next });
    expect([...page.items, ...rest.items].map(({ at }) => at)).toEqual([105, 104, 103, 102, 101, 100]);
  });

  it('is an owner’s alone, and of their own tenant', async () => {
    const { buildingId } = await createBuilding(store.registry, scope);
    const manager = await store.member('manager', 'ten_a', 'MANAGER');
    const stranger = await store.member('stranger', 'ten_other', 'OWNER');
    expect(await everyPage({ buildingId })).toHaveLength(1);
    expect(await everyPage({ buildingId }, {}, 50, manager)).toEqual([]);
    expect(await everyPage({ buildingId }, {}, 50, stranger)).toEqual([]);
  });

  it('of a tenant tells what was done with its stock', async () => {
    const events = ['ten_a', 'ten_other'].map((tenantId) =>
      event({ buildingId: stockOf(tenantId), tenantId, subject: tenantId, action: 'devices.register' }),
    );
    await store.cosmos.bulkUpsert('registry', events);
    const log = await everyPage({ tenantId: 'ten_a' });
    expect(log.map(({ id }) => id)).toEqual([events[0]!.id]);
    expect(await everyPage({ tenantId: 'ten_other' })).toEqual([]);
    const manager = await store.member('manager', 'ten_a', 'MANAGER');
    expect(await everyPage({ tenantId: 'ten_a' }, {}, 50, manager)).toEqual([]);
  });
});
