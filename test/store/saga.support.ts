import { directoryScope } from '../../src/auth/directory-scope';
import { type TenantScope } from '../../src/auth/scope';
import { deviceModelNamed } from '../../src/domain/device';
import { createDeviceDirectory } from '../../src/store/device-directory';
import {
  type AuditDocument,
  type BuildingDocument,
  type DepartedDocument,
  type DeviceDocument,
  type DeviceEntryDocument,
  type PointDocument,
  type SagaDocument,
  stockOf,
} from '../../src/store/documents';
import { createRegistry, type Registry } from '../../src/store/registry';
import { type ClaimCode } from '../../src/store/registry/stock';
import { createBuilding, freshKey, logger, newDevices, type Store, tapped, valueOf } from './store.support';

let jobs = 0;

/** A device in a maker's stock, with its code. */
export async function inStock(
  store: Store,
  maker: TenantScope,
  model = 'climate-sensor',
  enrollmentGroupId: string | null = null,
): Promise<ClaimCode> {
  const tenantId = maker.entitlements[0]!.tenantId;
  const serialNumber = `SN ${process.pid} ${++jobs}`;
  const rows = [{ index: 0, serialNumber, model, enrollmentGroupId }];
  const [row] = valueOf(
    await store.registry.registerDevices(maker, tenantId, { jobId: `job ${jobs}`, rows }),
  );
  if (row?.outcome !== 'registered') throw new Error('not registered');
  return row;
}

export async function provisioned(
  store: Store,
  scope: TenantScope,
  place: { buildingId: string; spaceIds: string[] },
  model = 'climate-sensor',
): Promise<DeviceDocument> {
  const input = { buildingId: place.buildingId, devices: newDevices(1, place.spaceIds, model) };
  return valueOf(await store.registry.provisionDevices(scope, input, freshKey()))[0]!.device;
}

/** Everything of a partition as it is stored. */
export async function storedIn(store: Store, buildingId: string) {
  const documents = await store.cosmos.query<{ id: string; type: string }>(
    'registry',
    buildingId,
    'SELECT * FROM c',
  );
  const of = <T>(type: string): T[] => documents.filter((each) => each.type === type) as T[];
  return {
    building: of<BuildingDocument>('building')[0],
    devices: of<DeviceDocument>('device'),
    departed: of<DepartedDocument>('departed'),
    points: of<PointDocument>('point'),
    audits: of<AuditDocument>('audit'),
  };
}

/** What must hold of a building whenever nothing is under way. */
export async function expectSound(store: Store, buildingId: string): Promise<void> {
  const { building, devices, points } = await storedIn(store, buildingId);
  const inForce = devices.filter((each) => each.state !== 'RETIRED');
  expect(building!.devices).toBe(inForce.length);
  const byQuantity: Record<string, number> = {};
  for (const { model } of inForce) {
    for (const { quantity } of deviceModelNamed(model)!.channels)
      byQuantity[quantity] = (byQuantity[quantity] ?? 0) + 1;
  }
  const counted = Object.entries(building!.devicesByQuantity).filter(([, count]) => count > 0);
  expect(Object.fromEntries(counted)).toEqual(byQuantity);
  const ordinals = points.map((each) => each.ordinal);
  expect(new Set(ordinals).size).toBe(ordinals.length);
  for (const ordinal of ordinals) expect(ordinal).toBeLessThan(building!.nextPointOrdinal);
  const pairs = devices.flatMap((each) =>
    each.assignments
      .filter((a) => a.buildingId === buildingId && a.to === null)
      .map((a) => `${a.deviceOrdinal} ${each.id}`),
  );
  const distinct = [...new Set(pairs)];
  expect(new Set(distinct.map((each) => each.split(' ')[0])).size).toBe(distinct.length);
  // No point is fed by two devices.
  const fed = devices.flatMap((each) =>
    each.assignments.filter((a) => a.to === null && a.buildingId === buildingId).map((a) => a.pointId),
  );
  expect(new Set(fed).size).toBe(fed.length);
  for (const device of devices) expect(device.departing ?? null).toBeNull();
  expect(await pendingSagas(store)).toEqual([]);
}

export async function pendingSagas(store: Store): Promise<SagaDocument[]> {
  return store.cosmos.query<SagaDocument>(
    'directory',
    'sagas:pending',
    'SELECT * FROM c WHERE NOT IS_DEFINED(c.ttl)',
  );
}

/** The device's one document, where its entry says it is; it must be nowhere else of these. */
export async function theOne(
  store: Store,
  deviceId: string,
  buildings: readonly string[],
): Promise<DeviceDocument> {
  const entry = await store.cosmos.read<DeviceEntryDocument>('directory', `device:${deviceId}`, 'device');
  const found: DeviceDocument[] = [];
  for (const buildingId of buildings) {
    const { devices } = await storedIn(store, buildingId);
    found.push(...devices.filter((each) => each.id === deviceId));
  }
  expect(found).toHaveLength(1);
  expect(entry).toMatchObject({ tenantId: found[0]!.tenantId, buildingId: found[0]!.buildingId });
  return found[0]!;
}

/** As whom a gateway that starts now lets the device in: null for not at all. */
export async function admittedAs(
  store: Store,
  deviceId: string,
): Promise<{ tenantId: string; buildingId: string; keys: string[] } | null> {
  const directory = createDeviceDirectory({
    cosmos: store.cosmos,
    keyring: store.keyring,
    scope: directoryScope('device-authentication'),
    logger,
  });
  await directory.start();
  try {
    const device = await directory.lookup(deviceId).catch(() => null);
    if (!device || device.keys.length === 0) return null;
    const { tenantId, buildingId, keys } = device;
    return { tenantId, buildingId, keys: keys.map((each) => each.toString('base64')) };
  } finally {
    await directory.stop();
  }
}

/** A registry that is killed before its n-th store call: that and all that follow fail. */
export function dying(store: Store, n: number): { registry: Registry; died(): boolean } {
  let dead = false;
  const cosmos = tapped(store.cosmos, {
    before(call) {
      if (call < n) return;
      dead = true;
      throw new Error('killed');
    },
  });
  return { registry: createRegistry({ cosmos, keyring: store.keyring }), died: () => dead };
}

export async function twoBuildings(store: Store, scope: TenantScope) {
  return [
    await createBuilding(store.registry, scope, 'One', 3),
    await createBuilding(store.registry, scope, 'Two', 3),
  ] as const;
}

export const stockPartition = (scope: TenantScope): string => stockOf(scope.entitlements[0]!.tenantId);
