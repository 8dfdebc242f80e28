import { type TenantScope } from '../../src/auth/scope';
import { type Cosmos } from '../../src/store/cosmos';
import { createDeviceActivation, GATEWAY_ACTOR } from '../../src/store/device-activation';
import { type AuditDocument, type DeviceDocument } from '../../src/store/documents';
import {
  createBuilding,
  freshKey,
  newDevices,
  type Store,
  startStore,
  tapped,
  valueOf,
} from './store.support';

describe('activation', () => {
  let store: Store;
  let scope: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    scope = await store.member('owner', 'ten_a', 'OWNER');
  });
  afterAll(() => store.stop());

  async function provision(count: number): Promise<{ buildingId: string; ids: string[] }> {
    const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
    const devices = valueOf(
      await store.registry.provisionDevices(
        scope,
        { buildingId, devices: newDevices(count, spaceIds) },
        freshKey(),
      ),
    );
    return { buildingId, ids: devices.map(({ device }) => device.id) };
  }
  const heard = (ids: readonly string[], at = 1_790_000_000_000) => ids.map((deviceId) => ({ deviceId, at }));
  const documentsOf = async (buildingId: string, ids: readonly string[]): Promise<DeviceDocument[]> =>
    (await store.cosmos.readMany<DeviceDocument>(
      'registry',
      ids.map((id) => ({ partition: buildingId, id })),
    )) as DeviceDocument[];
  const eventsOf = (buildingId: string): Promise<AuditDocument[]> =>
    store.cosmos.query<AuditDocument>(
      'registry',
      buildingId,
      "SELECT * FROM c WHERE c.auditKey > '' AND c.action = 'devices.activate' ORDER BY c.auditKey",
    );

  it('makes provisioned devices active with the instant of their first reading and one audit event', async () => {
    const { buildingId, ids } = await provision(5);
    const activation = createDeviceActivation({ cosmos: store.cosmos });
    expect(await activation.activate(buildingId, heard(ids.slice(0, 3)))).toBe(3);
    const devices = await documentsOf(buildingId, ids);
    expect(devices.map(({ state }) => state)).toEqual([
      'ACTIVE',
      'ACTIVE',
      'ACTIVE',
      'PROVISIONED',
      'PROVISIONED',
    ]);
    expect(devices[0]!.activatedAt).toBe(1_790_000_000_000);
    expect(await eventsOf(buildingId)).toMatchObject([
      {
        tenantId: 'ten_a',
        actor: GATEWAY_ACTOR,
        subject: buildingId,
        before: { state: 'PROVISIONED' },
        after: { state: 'ACTIVE', devices: ids.slice(0, 3) },
      },
    ]);
    expect(await activation.activate(buildingId, heard(ids.slice(0, 3), 5))).toBe(0);
    expect(await eventsOf(buildingId)).toHaveLength(1);
  });

  it('names each device once however many gateways hear it first', async () => {
    const { buildingId, ids } = await provision(60);
    const gateways = Array.from({ length: 3 }, () =>
      createDeviceActivation({ cosmos: store.anotherCosmos() }),
    );
    // Overlapping halves, so that no batch is another's.
    const counts = await Promise.all(
      gateways.map((each, i) => each.activate(buildingId, heard(ids.slice(10 * i, 10 * i + 40)))),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(60);
    const named = (await eventsOf(buildingId)).flatMap(({ after }) => after!['devices'] as string[]);
    expect(named.sort()).toEqual([...ids].sort());
    expect((await documentsOf(buildingId, ids)).every(({ state }) => state === 'ACTIVE')).toBe(true);
  });

  it('leaves a device alone that was retired, suspended or sent on its way in the meantime', async () => {
    const { buildingId, ids } = await provision(4);
    const [retired, suspended, departing, stays] = ids as [string, string, string, string];
    let raced = false;
    const racing: Cosmos = {
      ...store.cosmos,
      async batch(container, partition, changes) {
        if (!raced) {
          raced = true;
          valueOf(await store.registry.retireDevice(scope, retired));
          const documents = await documentsOf(buildingId, [suspended, departing]);
          await store.cosmos.bulkUpsert('registry', [
            {
              ...documents[0]!,
              state: 'SUSPENDED',
              suspended: { before: 'PROVISIONED', at: 1, reason: null },
            },
            { ...documents[1]!, departing: { saga: 'trf_1', at: 1 } },
          ] as DeviceDocument[]);
        }
        return store.cosmos.batch(container, partition, changes);
      },
    };
    expect(await createDeviceActivation({ cosmos: racing }).activate(buildingId, heard(ids))).toBe(1);
    const states = (await documentsOf(buildingId, ids)).map(({ state }) => state);
    expect(states).toEqual(['RETIRED', 'SUSPENDED', 'PROVISIONED', 'ACTIVE']);
    expect((await eventsOf(buildingId)).map(({ after }) => after!['devices'])).toEqual([[stays]]);
  });

  it('does nothing for devices that are gone, or never were', async () => {
    const { buildingId } = await provision(1);
    const activation = createDeviceActivation({ cosmos: store.cosmos });
    expect(await activation.activate(buildingId, heard(['dev_unknown', buildingId]))).toBe(0);
  });

  it('keeps apart the audit events of two owners in one building', async () => {
    const { buildingId, ids } = await provision(4);
    const [first, second] = await documentsOf(buildingId, ids.slice(0, 2));
    await store.cosmos.bulkUpsert(
      'registry',
      [first!, second!].map((each) => ({ ...each, tenantId: 'ten_b' })),
    );
    const activation = createDeviceActivation({ cosmos: store.cosmos });
    expect(await activation.activate(buildingId, heard(ids))).toBe(4);
    const named = (await eventsOf(buildingId)).map(({ tenantId, after }) => [tenantId, after!['devices']]);
    expect(named.sort()).toEqual([
      ['ten_a', ids.slice(2)],
      ['ten_b', ids.slice(0, 2)],
    ]);
  });

  it('splits what one batch may not hold', async () => {
    const { buildingId, ids } = await provision(6);
    const documents = await documentsOf(buildingId, ids);
    await store.cosmos.bulkUpsert(
      'registry',
      documents.map((each) => ({ ...each, authority: 'x'.repeat(400_000) })),
    );
    const activation = createDeviceActivation({ cosmos: store.cosmos });
    expect(await activation.activate(buildingId, heard(ids))).toBe(6);
    expect((await eventsOf(buildingId)).map(({ after }) => (after!['devices'] as string[]).length)).toEqual([
      2, 2, 2,
    ]);
  });

  it('says so when the store cannot be written, and counts no batch twice whose answer was lost', async () => {
    const { buildingId, ids } = await provision(3);
    const away = tapped(store.cosmos, {
      before: (_, name) => {
        if (name === 'batch') throw new Error('the store is away');
      },
    });
    const lost = createDeviceActivation({ cosmos: away }).activate(buildingId, heard(ids));
    await expect(lost).rejects.toThrow('the store is away');

    let answers = 0;
    const forgetful = tapped(store.cosmos, {
      after: (_, name) => {
        if (name === 'batch' && ++answers === 1) {
          throw Object.assign(new Error('broken off'), { code: 'ECONNRESET' });
        }
      },
    });
    await createDeviceActivation({ cosmos: forgetful }).activate(buildingId, heard(ids));
    expect(await eventsOf(buildingId)).toHaveLength(1);
  });
});
