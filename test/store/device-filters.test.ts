import fc from 'fast-check';
import { type TenantScope } from '../../src/auth/scope';
import { type DeviceState } from '../../src/domain/device';
import { codeOfProtocol } from '../../src/domain/device-protocol';
import { seenKeyOf } from '../../src/store/device-activity-documents';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { type DeviceDocument } from '../../src/store/documents';
import { createRegistry, type Registry } from '../../src/store/registry';
import { DEVICES_LOOKED_AT } from '../../src/store/registry/device-filters';
import {
  createBuilding,
  freshKey,
  newDevices,
  type Store,
  startStore,
  tapped,
  valueOf,
} from './store.support';

describe('devices by filter', () => {
  const COUNT = 60;
  const at = 1_790_000_000_000;
  let store: Store;
  let scope: TenantScope;
  let buildingId: string;
  let spaceIds: string[];
  let devices: DeviceDocument[];
  /** By device id, milliseconds; undefined for never. */
  const heard = new Map<string, number>();

  beforeAll(async () => {
    store = await startStore();
    scope = await store.member('owner', 'ten_a', 'OWNER');
    ({ buildingId, spaceIds } = await createBuilding(store.registry, scope));
    const input = newDevices(COUNT, spaceIds).map((device, i) => ({
      ...device,
      model: i % 3 === 0 ? 'hygrometer' : 'thermometer',
    }));
    await store.registry.provisionDevices(scope, { buildingId, devices: input }, freshKey());
    const stored = await store.cosmos.query<DeviceDocument>(
      'registry',
      buildingId,
      "SELECT * FROM c WHERE c.type = 'device' AND c.sortKey > '' ORDER BY c.sortKey",
    );
    const states: DeviceState[] = ['ACTIVE', 'PROVISIONED', 'SUSPENDED', 'ACTIVE', 'RETIRED'];
    devices = stored.map((each, i) => ({ ...each, state: states[i % states.length]! }));
    await store.cosmos.bulkUpsert('registry', devices);
    const seconds = new Uint32Array(COUNT);
    devices.forEach((device, i) => {
      if (i % 4 === 3) return;
      seconds[seenKeyOf(device)!.ordinal] = at / 1000 + i * 60;
      heard.set(device.id, at + i * 60_000);
    });
    const protocols = new Uint8Array(COUNT).fill(codeOfProtocol('MQTT'));
    await createActivityWriter({ cosmos: store.cosmos }).write([
      { buildingId, chunks: [{ index: 0, seconds, protocols }] },
    ]);
  });
  afterAll(() => store.stop());

  type Filter = Partial<{ state: DeviceState; spaceId: string; model: string; silentSince: number }>;

  async function everyPage(filter: Filter, first: number, registry: Registry = store.registry) {
    const found: string[] = [];
    let after: string | null = null;
    do {
      const page = await registry.devices(scope, buildingId, { first, after, ...filter });
      expect(page.items.length).toBeLessThanOrEqual(first);
      expect(page.positions).toHaveLength(page.items.length);
      found.push(...page.items.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    return found;
  }

  /** The same, in plain words. */
  const expected = ({ state, spaceId, model, silentSince }: Filter): string[] =>
    devices
      .filter(
        (device) =>
          (state === undefined || device.state === state) &&
          (spaceId === undefined || device.spaceId === spaceId) &&
          (model === undefined || device.model === model) &&
          (silentSince === undefined ||
            (['PROVISIONED', 'ACTIVE'].includes(device.state) && (heard.get(device.id) ?? 0) < silentSince)),
      )
      .map(({ id }) => id);

  it('gives exactly those that match, in order, whatever the filters and the size of the page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            state: fc.constantFrom<DeviceState>('ACTIVE', 'PROVISIONED', 'SUSPENDED', 'RETIRED'),
            spaceId: fc.constantFrom(...spaceIds),
            model: fc.constantFrom('hygrometer', 'thermometer', 'no such model'),
            // On a minute, as the devices were heard, and between two.
            silentSince: fc.integer({ min: -2, max: 2 * COUNT + 2 }).map((half) => at + half * 30_000),
          },
          { requiredKeys: [] },
        ),
        fc.integer({ min: 1, max: 25 }),
        async (filter, first) => {
          expect(await everyPage(filter, first)).toEqual(expected(filter));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on from the position of each item', async () => {
    const filter = { silentSince: at + 40 * 60_000 };
    const all = await everyPage(filter, 100);
    const page = await store.registry.devices(scope, buildingId, { first: 10, after: null, ...filter });
    for (const [i, after] of page.positions.entries()) {
      const rest = await store.registry.devices(scope, buildingId, { first: 3, after, ...filter });
      expect(rest.items.map(({ id }) => id)).toEqual(all.slice(i + 1, i + 4));
    }
  });

  it('looks at a bounded number of devices a page, though none of them was silent', async () => {
    const many = await createBuilding(store.registry, scope, 'Many');
    const count = DEVICES_LOOKED_AT + 20;
    const input = { buildingId: many.buildingId, devices: newDevices(count, many.spaceIds) };
    const made = valueOf(await store.registry.provisionDevices(scope, input, freshKey()));
    const chunk = {
      index: 0,
      seconds: new Uint32Array(count).fill(at / 1000),
      protocols: new Uint8Array(count),
    };
    const last = made.at(-1)!.device;
    chunk.seconds[seenKeyOf(last)!.ordinal] = 0;
    await createActivityWriter({ cosmos: store.cosmos }).write([
      { buildingId: many.buildingId, chunks: [chunk] },
    ]);

    const calls: string[] = [];
    const cosmos = tapped(store.cosmos, { before: (_, name) => calls.push(name) });
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const options = { first: 5, after: null, silentSince: at };
    const empty = await registry.devices(scope, many.buildingId, options);
    expect([empty.items, calls]).toEqual([[], ['query', 'readMany']]);
    const found = await registry.devices(scope, many.buildingId, { ...options, after: empty.next });
    expect([found.items.map(({ id }) => id), found.next]).toEqual([[last.id], null]);
  });

  it('shows a stranger nothing, at the cost of an unknown building', async () => {
    const stranger = await store.member('stranger', 'ten_other', 'OWNER');
    const calls: string[] = [];
    const cosmos = tapped(store.cosmos, { before: (_, name) => calls.push(name) });
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    for (const id of [buildingId, 'bld_unknown']) {
      calls.length = 0;
      const page = await registry.devices(stranger, id, { first: 5, after: null, silentSince: 2 * at });
      expect([page, calls]).toEqual([{ items: [], positions: [], next: null }, ['query']]);
    }
  });
});
