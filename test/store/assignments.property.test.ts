import fc from 'fast-check';
import { type TenantScope } from '../../src/auth/scope';
import { type Assignment, assignmentAt } from '../../src/domain/device';
import { OLDEST_ACCEPTED_MS } from '../../src/domain/reading';
import { type DeviceDocument } from '../../src/store/documents';
import { expectSound, inStock, provisioned, storedIn } from './saga.support';
import { createBuilding, freshKey, startStore, type Store, valueOf } from './store.support';

let store: Store;
let maker: TenantScope;
/** An owner of two tenants. */
let owner: TenantScope;
let offset = 0;
let clock: jest.SpyInstance;
beforeAll(async () => {
  store = await startStore();
  maker = await store.member('maker', 'ten_maker', 'OWNER');
  await store.member('owner', 'ten_one', 'OWNER');
  owner = await store.member('owner', 'ten_two', 'OWNER');
  const now = Date.now.bind(Date);
  clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + offset);
});
afterAll(async () => {
  clock.mockRestore();
  await store.stop();
});

const HOUR = 3_600_000;
const MODELS = ['thermometer', 'climate-sensor', 'room-sensor'];

type Step = { pass: number } & (
  | { what: 'move'; building: number; space: number }
  | { what: 'replace'; model: number }
  | { what: 'replace from stock'; model: number }
  | { what: 'transfer'; space: number }
);

/** Clocks step back, too: by less than they go on, as after a correction. */
const pass = fc.integer({ min: -HOUR, max: 48 * HOUR });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    pass,
    what: fc.constant('move' as const),
    building: fc.nat({ max: 1 }),
    space: fc.nat({ max: 2 }),
  }),
  fc.record({ pass, what: fc.constant('replace' as const), model: fc.nat({ max: 2 }) }),
  fc.record({ pass, what: fc.constant('replace from stock' as const), model: fc.nat({ max: 2 }) }),
  fc.record({ pass, what: fc.constant('transfer' as const), space: fc.nat({ max: 2 }) }),
);

interface Place {
  buildingId: string;
  spaceIds: string[];
}

/** The device that serves after the step. */
async function taken(device: DeviceDocument, each: Step, places: Place[][]): Promise<DeviceDocument> {
  const { registry } = store;
  const { id: deviceId, tenantId } = device;
  const tenant = tenantId === 'ten_one' ? 0 : 1;
  if (each.what === 'move') {
    const { buildingId, spaceIds } = places[tenant]![each.building]!;
    return valueOf(
      await registry.moveDevice(owner, { deviceId, buildingId, spaceId: spaceIds[each.space]! }),
    );
  }
  if (each.what === 'transfer') {
    const toTenantId = tenant === 0 ? 'ten_two' : 'ten_one';
    const offer = { deviceId, toTenantId, expiresInMs: HOUR };
    const { transfer } = valueOf(await registry.offerDeviceTransfer(owner, offer));
    const { buildingId, spaceIds } = places[1 - tenant]![0]!;
    const input = { transferId: transfer!.id, buildingId, spaceId: spaceIds[each.space]!, name: null };
    return valueOf(await registry.acceptDeviceTransfer(owner, input, freshKey())).device;
  }
  const model = MODELS[each.model]!;
  const replacement =
    each.what === 'replace'
      ? { from: 'new' as const, model, serialNumber: null }
      : { from: 'stock' as const, ...(await inStock(store, maker, model)) };
  return valueOf(await registry.replaceDevice(owner, { deviceId, replacement, name: null }, freshKey()))
    .device;
}

/** They follow one another without a gap and without an overlap, and only the last may be in force. */
function expectUnbroken(assignments: readonly Assignment[]): void {
  const inOrder = [...assignments].sort((a, b) => a.from - b.from);
  for (const [i, { from, to }] of inOrder.entries()) {
    if (i < inOrder.length - 1) {
      expect(to).toBe(inOrder[i + 1]!.from);
      expect(from).toBeLessThan(to!);
    }
  }
}

test('whatever becomes of a device, each instant has one place for each channel, and each point one device', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 10 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
      async (steps, instants) => {
        const places: Place[][] = [[], []];
        for (const tenant of [0, 1]) {
          const { entitlements } = owner;
          const tenantId = tenant === 0 ? 'ten_one' : 'ten_two';
          const first = entitlements.filter((each) => each.tenantId === tenantId);
          const scope = { ...owner, entitlements: first } as TenantScope;
          for (const name of ['A', 'B'])
            places[tenant]!.push(await createBuilding(store.registry, scope, name));
        }
        const begun = Date.now();
        let device = await provisioned(store, owner, places[0]![0]!, 'room-sensor');
        for (const each of steps) {
          offset += each.pass;
          device = await taken(device, each, places);
        }

        const devices: DeviceDocument[] = [];
        for (const { buildingId } of places.flat()) {
          await expectSound(store, buildingId);
          devices.push(...(await storedIn(store, buildingId)).devices);
        }
        const byPoint = new Map<string, Assignment[]>();
        for (const { assignments, retiredAt } of devices) {
          const channels = [...new Set(assignments.map(({ channel }) => channel))];
          for (const channel of channels) {
            const own = assignments.filter((each) => each.channel === channel);
            expectUnbroken(own);
            const from = Math.min(...own.map((each) => each.from));
            const end = retiredAt ?? Date.now() + HOUR;
            for (const share of instants) {
              const at = Math.floor(from + share * (end - 1 - from));
              const places = own.filter((each) => assignmentAt([each], channel, at));
              expect(places).toHaveLength(1);
              expect(assignmentAt(assignments, channel, at)).toBe(places[0]);
            }
            if (retiredAt !== null) expect(assignmentAt(assignments, channel, retiredAt)).toBeUndefined();
          }
          for (const each of assignments) {
            byPoint.set(each.pointId, [...(byPoint.get(each.pointId) ?? []), each]);
          }
        }
        for (const own of byPoint.values()) expectUnbroken(own);
        // The first device's first places reach back to the oldest reading that is accepted.
        const oldest = [...byPoint.values()].flat().filter((each) => each.from <= begun);
        for (const channel of ['temperature', 'humidity', 'co2', 'light', 'motion']) {
          const first = oldest.filter(
            (each) => each.channel === channel && each.from < begun - OLDEST_ACCEPTED_MS / 2,
          );
          expect(first.length).toBeGreaterThanOrEqual(1);
        }
      },
    ),
    { numRuns: 10, endOnFailure: true },
  );
});
