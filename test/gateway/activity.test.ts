import { setTimeout as delay } from 'node:timers/promises';
import { type TenantScope } from '../../src/auth/scope';
import { createActivationQueue } from '../../src/gateway/activation-queue';
import { createDeviceActivity, type DeviceActivity } from '../../src/gateway/activity';
import { createLastSeen } from '../../src/gateway/last-seen';
import { createMetrics } from '../../src/observability/metrics';
import { createActivityReader } from '../../src/store/device-activity-reader';
import { createActivityWriter } from '../../src/store/device-activity-writer';
import { type SeenBuilding } from '../../src/store/device-activity';
import { createDeviceActivation } from '../../src/store/device-activation';
import { type DirectoryDevice } from '../../src/store/device-directory';
import { type AuditDocument, type DeviceDocument } from '../../src/store/documents';
import {
  createBuilding,
  freshKey,
  logger,
  newDevices,
  type Store,
  startStore,
  tapped,
  valueOf,
} from '../store/store.support';
import { eventually } from '../support/eventually';
import { buildDevice } from './devices.support';

describe('last seen, gathered', () => {
  const now = 1_790_000_000_000;

  /** Notes with a writer that keeps what it is given, unless it is told to fail. */
  function build(options: { intervalMilliseconds?: number; limit?: number } = {}) {
    const writes: SeenBuilding[][] = [];
    const writer = {
      failing: false,
      failures: 0,
      writes,
      write(buildings: readonly SeenBuilding[]) {
        if (writer.failing) {
          writer.failures++;
          return Promise.reject(new Error('the store is away'));
        }
        writes.push([...buildings]);
        return Promise.resolve();
      },
      /** Every instant written, by building and ordinal. */
      seconds() {
        const all = new Map<string, number>();
        for (const { buildingId, chunks } of writes.flat()) {
          for (const { index, seconds } of chunks) {
            seconds.forEach((second, row) => {
              const key = `${buildingId}/${index * 1000 + row}`;
              if (second > 0) all.set(key, Math.max(second, all.get(key) ?? 0));
            });
          }
        }
        return all;
      },
    };
    return { writer, notes: createLastSeen({ logger, writer, intervalMilliseconds: 200, ...options }) };
  }

  it('writes a building once an interval, however many messages come', async () => {
    const { notes, writer } = build({ intervalMilliseconds: 300 });
    const begun = Date.now();
    notes.start();
    while (Date.now() - begun < 1_200) {
      for (let message = 0; message < 2_000; message++) {
        notes.note(`bld_${message % 20}`, message % 100, 'MQTT', Date.now());
      }
      await delay(5);
    }
    const intervals = Math.ceil((Date.now() - begun) / 300);
    await notes.stop();
    const perBuilding = new Map<string, number>();
    for (const { buildingId } of writer.writes.flat()) {
      perBuilding.set(buildingId, (perBuilding.get(buildingId) ?? 0) + 1);
    }
    expect(perBuilding.size).toBe(20);
    // One more for the stop.
    expect(Math.max(...perBuilding.values())).toBeLessThanOrEqual(intervals + 1);
    expect(writer.seconds().size).toBe(100);
  });

  it('spreads buildings over the interval', async () => {
    const { notes, writer } = build({ intervalMilliseconds: 600 });
    for (let building = 0; building < 300; building++) notes.note(`bld_${building}`, 0, 'HTTP', now);
    notes.start();
    await eventually(() => expect(writer.seconds().size).toBe(300));
    expect(Math.max(...writer.writes.map((each) => each.length))).toBeLessThan(60);
    await notes.stop();
  });

  it('keeps what could not be written, with what came since, and loses nothing by an outage', async () => {
    const { notes, writer } = build();
    writer.failing = true;
    notes.start();
    notes.note('bld_a', 3, 'HTTP', now);
    notes.note('bld_a', 1_500, 'HTTP', now);
    await eventually(() => expect(writer.failures).toBeGreaterThanOrEqual(2));
    notes.note('bld_a', 3, 'MQTT', now + 5_000);
    notes.note('bld_a', 40, 'MQTT', now - 5_000);
    writer.failing = false;
    await eventually(() =>
      expect([...writer.seconds()].sort()).toEqual([
        ['bld_a/1500', now / 1000],
        ['bld_a/3', now / 1000 + 5],
        ['bld_a/40', now / 1000 - 5],
      ]),
    );
    await notes.stop();
  });

  it('does not take an earlier instant for a later one', async () => {
    const { notes, writer } = build();
    notes.note('bld_a', 0, 'HTTP', now);
    notes.note('bld_a', 0, 'MQTT', now - 60_000);
    await notes.stop();
    expect([...writer.seconds()]).toEqual([['bld_a/0', now / 1000]]);
    expect(writer.writes[0]![0]!.chunks[0]!.protocols[0]).toBe(1);
  });

  it('holds no more than it may, and takes new ones once it has written', async () => {
    const { notes, writer } = build({ limit: 32 });
    for (let building = 0; building < 5; building++) notes.note(`bld_${building}`, 0, 'HTTP', now);
    notes.start();
    await eventually(() => expect(writer.seconds().size).toBe(2));
    notes.note('bld_9', 15, 'HTTP', now);
    await eventually(() => expect(writer.seconds().has('bld_9/15')).toBe(true));
    await notes.stop();
  });

  it('writes what is left when it stops, and stops without a store too', async () => {
    const { notes, writer } = build({ intervalMilliseconds: 60_000 });
    notes.start();
    notes.note('bld_a', 0, 'HTTP', now);
    await notes.stop();
    expect(writer.seconds().size).toBe(1);

    const away = build();
    away.writer.failing = true;
    away.notes.note('bld_a', 0, 'HTTP', now);
    await away.notes.stop();
  });
});

describe('the queue of activations', () => {
  const build = (options: { perSecond?: number; limit?: number; fails?: (id: string) => boolean } = {}) => {
    const calls: { buildingId: string; ids: string[]; at: number }[] = [];
    const queue = createActivationQueue({
      logger,
      gatherMilliseconds: 20,
      perSecond: options.perSecond ?? 100_000,
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      activation: {
        activate(buildingId, devices) {
          if (options.fails?.(buildingId)) return Promise.reject(new Error('the store is away'));
          calls.push({ buildingId, ids: devices.map(({ deviceId }) => deviceId), at: Date.now() });
          return Promise.resolve(devices.length);
        },
      },
    });
    return { queue, calls, ids: () => calls.flatMap(({ ids }) => ids) };
  };

  it('gathers a building’s devices into few batches and names each once', async () => {
    const { queue, calls, ids } = build();
    queue.start();
    for (let repeat = 0; repeat < 3; repeat++) {
      for (let i = 0; i < 200; i++) queue.add(`bld_${i % 2}`, `dev_${i}`, 1);
    }
    await eventually(() => expect(new Set(ids()).size).toBe(200));
    // Their next messages come before the directory has heard of it.
    for (let i = 0; i < 200; i++) queue.add(`bld_${i % 2}`, `dev_${i}`, 1);
    await queue.stop();
    expect(ids()).toHaveLength(200);
    expect(calls).toHaveLength(4);
  });

  it('does not go faster than it may', async () => {
    const { queue, calls, ids } = build({ perSecond: 500 });
    queue.start();
    for (let i = 0; i < 360; i++) queue.add('bld_a', `dev_${i}`, 1);
    await eventually(() => expect(ids()).toHaveLength(360));
    // 90 devices at 500 a second: 180 ms from one batch to the next.
    expect(calls.at(-1)!.at - calls[0]!.at).toBeGreaterThanOrEqual(530);
    await queue.stop();
  });

  it('tries again what failed, behind the others', async () => {
    let failures = 0;
    const { queue, ids } = build({ fails: (buildingId) => buildingId === 'bld_bad' && failures++ < 2 });
    queue.start();
    queue.add('bld_bad', 'dev_bad', 1);
    queue.add('bld_good', 'dev_good', 1);
    await eventually(() => expect(ids()).toEqual(['dev_good', 'dev_bad']));
    await queue.stop();
  });

  it('holds no more than it may; what found no place comes again with the next message', async () => {
    const { queue, ids } = build({ limit: 2 });
    for (const id of ['dev_1', 'dev_2', 'dev_3']) queue.add('bld_a', id, 1);
    queue.start();
    await eventually(() => expect(ids()).toEqual(['dev_1', 'dev_2']));
    queue.add('bld_a', 'dev_3', 1);
    await eventually(() => expect(ids()).toHaveLength(3));
    await queue.stop();
  });

  it('finishes what waits when it stops', async () => {
    const { queue, ids } = build({ perSecond: 1 });
    queue.start();
    for (let i = 0; i < 300; i++) queue.add(`bld_${i % 3}`, `dev_${i}`, 1);
    await queue.stop();
    expect(ids()).toHaveLength(300);
  });
});

describe('what a gateway tells of its devices', () => {
  let store: Store;
  let scope: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    scope = await store.member('owner', 'ten_a', 'OWNER');
  });
  afterAll(() => store.stop());

  async function provision(count: number) {
    const { buildingId, spaceIds } = await createBuilding(store.registry, scope);
    const devices = valueOf(
      await store.registry.provisionDevices(
        scope,
        { buildingId, devices: newDevices(count, spaceIds) },
        freshKey(),
      ),
    ).map(({ device }) => device);
    return { buildingId, devices };
  }
  const known = (document: DeviceDocument): DirectoryDevice => ({
    ...buildDevice({ assignments: document.assignments, state: document.state, tenantId: 'ten_a' }),
    deviceId: document.id,
    buildingId: document.buildingId,
  });
  const activityOver = (cosmos = store.anotherCosmos()): DeviceActivity =>
    createDeviceActivity({
      logger,
      metrics: createMetrics({ process: 'gateway' }),
      writer: createActivityWriter({ cosmos }),
      activation: createDeviceActivation({ cosmos }),
      intervalMilliseconds: 200,
      gatherMilliseconds: 20,
    });
  const lastSeen = (devices: readonly DeviceDocument[]) =>
    createActivityReader({ cosmos: store.cosmos }).lastSeen(
      scope,
      devices.map(({ tenantId, buildingId, assignments }) => ({
        tenantId,
        buildingId,
        ordinal: assignments[0]!.deviceOrdinal,
        since: 0,
      })),
    );
  const statesOf = async (devices: readonly DeviceDocument[]) =>
    (
      await store.cosmos.readMany<DeviceDocument>(
        'registry',
        devices.map(({ buildingId, id }) => ({ partition: buildingId, id })),
      )
    ).map((each) => each!.state);
  const activations = (buildingId: string) =>
    store.cosmos.query<AuditDocument>(
      'registry',
      buildingId,
      "SELECT * FROM c WHERE c.auditKey > '' AND c.action = 'devices.activate'",
    );

  it('takes thousands of messages to a handful of writes, whatever the number of gateways', async () => {
    const { buildingId, devices } = await provision(300);
    let writes = 0;
    const counted = () =>
      tapped(store.anotherCosmos(), { before: (_, name) => (writes += name === 'batch' ? 1 : 0) });
    const gateways = [activityOver(counted()), activityOver(counted())];
    for (const each of gateways) each.start();
    const begun = Date.now();
    const at = 1_790_000_000_000;
    for (let message = 0; message < 30_000; message++) {
      const device = devices[message % devices.length]!;
      gateways[message % 2]!.accepted(known(device), message % 2 ? 'MQTT' : 'HTTP', at + message, 1);
      if (message % 3_000 === 0) await delay(1);
    }
    await eventually(async () => expect(new Set(await statesOf(devices))).toEqual(new Set(['ACTIVE'])));
    for (const each of gateways) await each.stop();
    const intervals = Math.ceil((Date.now() - begun) / 200) + 1;
    // Two gateways, each with its lost races, beside the batches of activations.
    expect(writes).toBeLessThanOrEqual(4 * intervals + 2 * 2 * Math.ceil(300 / 90) + 10);

    const seen = await lastSeen(devices);
    seen.forEach((each, i) => {
      const last = at + 29_700 + i;
      expect(each).toEqual({ at: Math.trunc(last / 1000) * 1000, protocol: expect.any(String) });
    });
    const named = (await activations(buildingId)).flatMap(({ after }) => after!['devices'] as string[]);
    expect(named.sort()).toEqual(devices.map(({ id }) => id).sort());
  });

  it('makes no device active whose readings were all refused, or that stands nowhere', async () => {
    const { devices } = await provision(2);
    const activity = activityOver();
    activity.start();
    activity.accepted(known(devices[0]!), 'HTTP', 1_790_000_000_000, 0);
    const nowhere = known(devices[1]!);
    activity.accepted({ ...nowhere, assignments: [] }, 'HTTP', 1_790_000_000_000, 1);
    await activity.stop();
    await eventually(async () =>
      expect(await lastSeen(devices)).toEqual([{ at: 1_790_000_000_000, protocol: 'HTTP' }, null]),
    );
    expect(await statesOf(devices)).toEqual(['PROVISIONED', 'PROVISIONED']);
  });

  it('begins again after a restart where the one before it ended', async () => {
    const { devices } = await provision(2);
    const before = activityOver();
    before.start();
    before.accepted(known(devices[0]!), 'HTTP', 1_790_000_000_000, 1);
    await before.stop();
    const after = activityOver();
    after.start();
    after.accepted(known(devices[1]!), 'MQTT', 1_790_000_001_000, 1);
    await after.stop();
    await eventually(async () => {
      expect(await lastSeen(devices)).toEqual([
        { at: 1_790_000_000_000, protocol: 'HTTP' },
        { at: 1_790_000_001_000, protocol: 'MQTT' },
      ]);
      expect(await statesOf(devices)).toEqual(['ACTIVE', 'ACTIVE']);
    });
  });

  it('only delays both while the store is away', async () => {
    const { devices } = await provision(3);
    let away = true;
    let refused = 0;
    const activity = activityOver(
      tapped(store.anotherCosmos(), {
        before: () => {
          if (away) throw new Error(`the store is away: call ${++refused}`);
        },
      }),
    );
    activity.start();
    devices.forEach((device) => activity.accepted(known(device), 'HTTP', 1_790_000_000_000, 1));
    await eventually(() => expect(refused).toBeGreaterThanOrEqual(3));
    expect(await lastSeen(devices)).toEqual([null, null, null]);
    away = false;
    await eventually(async () => {
      expect((await lastSeen(devices)).map((each) => each?.at)).toEqual(Array(3).fill(1_790_000_000_000));
      expect(await statesOf(devices)).toEqual(['ACTIVE', 'ACTIVE', 'ACTIVE']);
    });
    await activity.stop();
  });
});
