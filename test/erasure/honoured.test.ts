import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createBlobCache } from '../../src/analytics/blob-cache';
import { snapshotWithout } from '../../src/aggregate/without-erased';
import { type Snapshot } from '../../src/aggregate/snapshot';
import { directoryScope } from '../../src/auth/directory-scope';
import { createBlobErasure } from '../../src/erasure/blobs';
import { createDeviceDirectory } from '../../src/store/device-directory';
import { createErasedTenants } from '../../src/store/erasure/erased-tenants';
import { createErasures } from '../../src/store/erasure/erasures';
import { createMemberships } from '../../src/store/memberships';
import { createFrameBuilder, decodeFrame, FRAME_SCHEMA, SCHEMA_PROPERTY } from '../../src/stream/frame';
import { frameWithout } from '../../src/stream/frame-without';
import { logger } from '../store/store.support';
import { eventually } from '../support/eventually';
import { buildReading } from '../support/readings';
import { type Account, DAY, type House, startAccount, startHouse } from './erasure.support';

const isErased = (tenantId: string): boolean => tenantId === 'ten_gone';

describe('a tombstone', () => {
  let account: Account;
  let house: House;
  beforeAll(async () => {
    account = await startAccount();
    house = await startHouse(account);
  });
  afterAll(async () => {
    await house.stop();
    await account.stop();
  });

  it('takes its people’s rights and its devices’ admission, and leaves the others’', async () => {
    const gone = await house.settle('ten_gone');
    const stays = await house.settle('ten_stays');
    const { store } = house;
    const memberships = createMemberships({ cosmos: store.anotherCosmos(), logger });
    const directory = createDeviceDirectory({
      ...{ cosmos: store.anotherCosmos(), keyring: store.keyring, logger },
      scope: directoryScope('device-authentication'),
    });
    const erased = createErasedTenants({ cosmos: store.anotherCosmos(), logger, pollMs: 50 });
    await Promise.all([memberships.start(), directory.start(), erased.start()]);
    try {
      const rights = async (of: typeof gone) => (await memberships.of(of.scope.principal.id)).length;
      const device = (of: typeof gone) => directory.lookup(of.devices[0]!.device.id);
      expect([await rights(gone), await rights(stays)]).toEqual([1, 1]);
      expect((await device(gone))?.tenantId).toBe('ten_gone');
      const told: string[] = [];
      erased.onChange(({ tenantId }) => told.push(tenantId));

      await createErasures({ cosmos: store.cosmos }).request('ten_gone');

      await eventually(async () => {
        expect([await rights(gone), await device(gone), erased.has('ten_gone')]).toEqual([0, null, true]);
      });
      expect(told).toEqual(['ten_gone']);
      expect([await rights(stays), (await device(stays))?.tenantId]).toEqual([1, 'ten_stays']);
      // A process that starts later knows it too, and nobody seeds the tenant anew.
      const later = createErasedTenants({ cosmos: store.anotherCosmos(), logger });
      await later.start();
      expect([later.has('ten_gone'), later.has('ten_stays')]).toEqual([true, false]);
      await later.stop();
      await store.member('somebody', 'ten_gone', 'OWNER');
      // What was asked a moment ago is known for a second.
      await eventually(async () => {
        expect(await store.registry.memberships(gone.scope.principal.id)).toEqual([]);
      });
    } finally {
      await Promise.all([memberships.stop(), directory.stop(), erased.stop()]);
    }
  });

  it('takes the copies of its files, and of those that it shared, one that is read when it is let go', async () => {
    const own = await house.settle('ten_copied');
    await house.land([own], DAY);
    await house.curate();
    const folder = join(account.folder, 'copies-of-a-replica');
    const cache = createBlobCache({ container: house.cold, folder, maximumBytes: 100_000_000 });
    await cache.start();
    const files = [];
    for await (const { name, properties } of house.cold.listBlobsFlat()) {
      if (!name.endsWith('.parquet') || name.startsWith('dead-letters/')) continue;
      files.push({ name, etag: `"${properties.etag}"`, bytes: properties.contentLength! });
    }
    const mine = files.filter(({ name }) => name.includes('tenant=ten_copied'));
    const shared = files.filter(({ name }) => name.startsWith('landing/'));
    expect([mine.length, shared.length].every((count) => count > 0)).toBe(true);
    const signal = new AbortController().signal;
    (await cache.hold(mine, signal)).release();
    const reading = await cache.hold(shared, signal);
    const copies = async (): Promise<number> => (await readdir(folder)).length;
    expect(await copies()).toBe(mine.length + shared.length);
    await cache.evict('curated/v1/tenant=ten_copied/', Date.now() + 1_000);
    await cache.evict('landing/', Date.now() + 1_000);
    expect(await copies()).toBe(shared.length);
    reading.release();
    await eventually(async () => expect(await copies()).toBe(0));
    await cache.stop();
    const erasure = createBlobErasure({
      ...{ blobs: account.blobs, coldContainer: house.cold.containerName, exportContainer: 'none' },
      curate: house.curate,
    });
    // What was opened before is what it was, and is not to be had again.
    await erasure.mark('ten_copied', 1);
    await erasure.curated('ten_copied');
    await expect(cache.hold(mine, signal)).rejects.toThrow();
    await account.blobs.getContainerClient('none').delete();
  });

  it('takes its rows out of a frame, and leaves the others the places that they have in their event', () => {
    const builder = createFrameBuilder();
    const rows = ['ten_gone', 'ten_a', 'ten_gone', 'ten_a', 'ten_b'];
    rows.forEach((tenantId, i) =>
      builder.add(
        buildReading({
          ...{ tenantId, buildingId: `bld_of_${tenantId}`, pointOrdinal: i, value: i },
          ...(i === 3 && {
            undated: { messageId: null, messageIndex: 7 },
            original: { value: 99, unit: 'F' },
          }),
        }),
      ),
    );
    builder.refuse({
      ...{ tenantId: 'ten_gone', buildingId: '', deviceId: 'dev_1', channel: 'x', observedAt: null },
      ...{ receivedAt: 1, code: 'UNKNOWN_CHANNEL', message: 'none', raw: '' },
    });
    const frame = decodeFrame(builder.take(), { [SCHEMA_PROPERTY]: FRAME_SCHEMA });
    const left = frameWithout(frame, isErased);
    expect(left.value).toEqual([1, 3, 4]);
    expect(left.rowOf).toEqual([1, 3, 4]);
    expect(left.point.map((point) => left.points[point]!.pointId)).toEqual(['pnt_1', 'pnt_3', 'pnt_4']);
    expect(left.point.map((point) => left.buildings[left.points[point]!.building]!.tenantId)).toEqual([
      ...['ten_a', 'ten_a', 'ten_b'],
    ]);
    expect(left.undated).toEqual([{ row: 1, messageId: null, messageIndex: 7 }]);
    expect(left.originals).toEqual([{ row: 1, value: 99, unit: 'F' }]);
    expect(JSON.stringify(left)).not.toContain('ten_gone');
    expect(frameWithout(frame, () => false)).toBe(frame);
  });

  it('takes what a worker’s snapshot holds of it, and leaves the others’ readings to their points', () => {
    const building = (tenantId: string, leaves: number) => ({
      ...{ tenantId, buildingId: `bld_${tenantId}`, leaves, evictedAt: [], dirty: [] },
    });
    const words = (...readings: number[]): Uint32Array =>
      Uint32Array.from(readings.flatMap((each) => [each, each, each, each, each]));
    const state = (tenantId: string, ...counts: number[]) => ({
      ...{ tenantId, buildingId: `bld_${tenantId}`, code: 9, spaceId: 's', points: counts, counts },
    });
    const none = { buildings: [], spaceIds: [], codes: new Uint8Array(), counts: new Uint32Array() };
    const snapshot = {
      head: {
        ...{ sequence: 1, second: 1, knownFrom: 1, incarnation: '1-2', partition: 0, marks: [] },
        points: [{ tenantId: 'ten_gone' }, { tenantId: 'ten_a' }],
      },
      parts: [
        {
          buildings: [building('ten_a', 1), building('ten_gone', 2), building('ten_b', 1)],
          spaceIds: ['a', 'gone1', 'gone2', 'b'],
          codes: Uint8Array.of(1, 2, 3, 4),
          counts: Uint32Array.of(1, 2, 0, 2),
          evictedAt: Float64Array.of(10, 20, 30, 40),
          readings: words(1, 2, 3, 4, 5),
        },
        {
          ...{ ...none, evictedAt: new Float64Array(), readings: new Uint32Array() },
          states: {
            leaves: [state('ten_gone', 1, 1), state('ten_a', 2)],
            ...{ instants: Float64Array.of(1, 2, 3, 4), marks: Uint8Array.of(1, 2, 3, 4) },
          },
        },
      ],
    } as unknown as Snapshot;
    const left = snapshotWithout(snapshot, isErased);
    expect(left.head.points).toEqual([{ tenantId: 'ten_a' }]);
    expect(left.parts[0]).toMatchObject({
      buildings: [{ tenantId: 'ten_a' }, { tenantId: 'ten_b' }],
      spaceIds: ['a', 'b'],
      codes: Uint8Array.of(1, 4),
      counts: Uint32Array.of(1, 2),
      evictedAt: Float64Array.of(10, 40),
      readings: words(1, 4, 5),
    });
    expect(left.parts[1]!.states).toMatchObject({
      leaves: [{ tenantId: 'ten_a' }],
      ...{ instants: Float64Array.of(3, 4), marks: Uint8Array.of(3, 4) },
    });
    expect(snapshotWithout(snapshot, () => false)).toBe(snapshot);
  });
});
