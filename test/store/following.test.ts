import { type TenantScope } from '../../src/auth/scope';
import { type DeviceDocument } from '../../src/store/documents';
import { type CredentialInput } from '../../src/store/registry/credential-input';
import { provisioned, storedIn, twoBuildings } from './saga.support';
import { freshKey, startStore, type Store, valueOf } from './store.support';

let store: Store;
let north: TenantScope;
let south: TenantScope;
beforeAll(async () => {
  store = await startStore();
  north = await store.member('north', 'ten_north', 'OWNER');
  south = await store.member('south', 'ten_south', 'OWNER');
});
afterAll(() => store.stop());

type Place = Awaited<ReturnType<typeof twoBuildings>>[0];

const read = async (place: Place, { id }: DeviceDocument): Promise<DeviceDocument> =>
  (await store.cosmos.read<DeviceDocument>('registry', place.buildingId, id))!;

/** A field gateway with children, and one device that is none of them. */
async function family(place: Place) {
  const [parent, stranger, ...children] = await Promise.all(
    Array.from({ length: 5 }, () => provisioned(store, north, place)),
  );
  for (const { id } of children) valueOf(await store.registry.setDeviceParent(north, id, parent!.id));
  const parents = async () =>
    Promise.all([...children, stranger!].map(async (each) => (await read(place, each)).parentId ?? null));
  const released = async () =>
    (await storedIn(store, place.buildingId)).audits.filter(
      ({ action, before }) => action === 'device.set-parent' && before?.parentId === parent!.id,
    );
  return { parent: parent!, children, parents, released };
}

describe('the children of a field gateway', () => {
  test('name nobody any more once it is retired, and each of them says so once', async () => {
    const [place] = await twoBuildings(store, north);
    const { parent, parents, released } = await family(place);
    valueOf(await store.registry.retireDevice(north, parent.id));
    expect(await parents()).toEqual([null, null, null, null]);
    valueOf(await store.registry.retireDevice(north, parent.id));
    expect(await released()).toHaveLength(3);
  });

  test('name the device that took its place', async () => {
    const [place] = await twoBuildings(store, north);
    const { parent, parents } = await family(place);
    const input = {
      deviceId: parent.id,
      name: null,
      replacement: { from: 'new' as const, model: parent.model, serialNumber: null },
    };
    const { device } = valueOf(await store.registry.replaceDevice(north, input, freshKey()));
    expect(await parents()).toEqual([device.id, device.id, device.id, null]);
  });

  test('stay behind without it when it goes to another building, and keep it within its own', async () => {
    const [place, other] = await twoBuildings(store, north);
    const { parent, parents } = await family(place);
    const within = { deviceId: parent.id, buildingId: null, spaceId: place.spaceIds[1]! };
    valueOf(await store.registry.moveDevice(north, within));
    expect(await parents()).toEqual([parent.id, parent.id, parent.id, null]);
    const across = { deviceId: parent.id, buildingId: other.buildingId, spaceId: other.spaceIds[0]! };
    valueOf(await store.registry.moveDevice(north, across));
    expect(await parents()).toEqual([null, null, null, null]);
  });

  test('stay behind without it when it goes to another tenant', async () => {
    const [place] = await twoBuildings(store, north);
    const [theirs] = await twoBuildings(store, south);
    const { parent, parents } = await family(place);
    const offer = { deviceId: parent.id, toTenantId: 'ten_south', expiresInMs: 3_600_000 };
    const { transfer } = valueOf(await store.registry.offerDeviceTransfer(north, offer));
    const into = {
      tenantId: 'ten_south',
      transferId: transfer!.id,
      ...{ buildingId: theirs.buildingId, spaceId: theirs.spaceIds[0]!, name: 'Ours now' },
    };
    valueOf(await store.registry.acceptDeviceTransfer(south, into, freshKey()));
    expect(await parents()).toEqual([null, null, null, null]);
  });
});

describe('a credential that is asked for again after the device has moved', () => {
  const KEY: CredentialInput = {
    kind: 'SYMMETRIC_KEY',
    ...{ primaryThumbprint: null, secondaryThumbprint: null, authority: null },
  };

  test('is the one that was issued or rotated before, and is not shown again', async () => {
    const [place, other] = await twoBuildings(store, north);
    const device = await provisioned(store, north, place);
    const [issuing, rotating] = [freshKey(), freshKey()];
    const issue = (credential = KEY) =>
      store.registry.issueDeviceCredential(north, { deviceId: device.id, credential }, issuing);
    const rotate = () =>
      store.registry.rotateDeviceCredential(
        north,
        { deviceId: device.id, thumbprint: null, revokeOther: false },
        rotating,
      );
    expect(valueOf(await issue()).key).not.toBeNull();
    expect(valueOf(await rotate()).key).not.toBeNull();
    const { keys } = await read(place, device);
    const across = { deviceId: device.id, buildingId: other.buildingId, spaceId: other.spaceIds[0]! };
    valueOf(await store.registry.moveDevice(north, across));
    expect(valueOf(await issue())).toMatchObject({ key: null, secretsAlreadyShown: true });
    expect(valueOf(await rotate())).toMatchObject({ key: null, secretsAlreadyShown: true });
    expect((await read(other, device)).keys).toEqual(keys);
    const different = { ...KEY, kind: 'X509_THUMBPRINT' as const, primaryThumbprint: 'A'.repeat(64) };
    expect(await issue(different)).toMatchObject({ ok: false, refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });
});
