import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ContainerClient } from '@azure/storage-blob';
import { BlobGone, createBlobCache, TooManyBytes } from '../../src/analytics/blob-cache';
import { TooCostly } from '../../src/analytics/engine';
import { partitionOf } from '../../src/domain/partition';
import { buildReading } from '../support/readings';
import { type Arrival, type ColdStores, startColdStores } from './cold-store';

const NEVER = new AbortController().signal;
const FROM = Date.parse('2026-11-20T00:00:00Z');
const HOUR = 3_600_000;

/** A reading a minute of one point, in one event an hour. */
function arrivalsOf(hours: number, value = 21): Arrival[] {
  return Array.from({ length: hours }, (_, hour) => ({
    incarnation: '1790000000000-2',
    partition: partitionOf('bld_a', 2),
    sequence: hour,
    enqueuedAt: FROM + (hour + 1) * HOUR,
    readings: Array.from({ length: 60 }, (_each, minute) =>
      buildReading({ observedAt: FROM + hour * HOUR + minute * 60_000, value }),
    ),
  }));
}

const WHERE = {
  ...{ tenantId: 'ten_a', buildingIds: ['bld_a'], spaceIds: null, deviceId: null, pointId: null },
  ...{ from: FROM, to: FROM + 48 * HOUR },
};
const DAILY = {
  ...{ quantity: 'AIR_TEMPERATURE' as const, timeZone: 'UTC' },
  step: { months: 0, days: 1, milliseconds: 0 },
};

describe('the bounds of questions', () => {
  let stores: ColdStores;
  beforeAll(async () => {
    stores = await startColdStores();
  });
  afterAll(() => stores.stop());

  it('breaks a question off when its client goes, and answers the next', async () => {
    const store = await stores.next();
    await store.land(arrivalsOf(24).slice(0, 1));
    const gone = new AbortController();
    const asked = store.questions.history(WHERE, DAILY, gone.signal);
    gone.abort(new Error('the client went'));
    await expect(asked).rejects.toThrow('the client went');
    const answer = await store.questions.history(WHERE, DAILY, NEVER);
    expect(answer).toMatchObject({ ok: true, value: [{ count: 60 }, { count: 0, average: null }] });
  });

  it('breaks a question off that takes too long', async () => {
    const store = await stores.next({ timeoutMs: 1 });
    for (const arrival of arrivalsOf(2)) await store.land([arrival]);
    await expect(store.questions.history(WHERE, DAILY, NEVER)).rejects.toBeInstanceOf(TooCostly);
  });

  it('reads what stands now where a generation was replaced and removed under it', async () => {
    const store = await stores.next();
    const arrivals = arrivalsOf(3);
    await store.land(arrivals.slice(0, 1));
    await store.curate();
    for (const arrival of arrivals.slice(1)) await store.land([arrival]);
    const first = await store.questions.history(WHERE, DAILY, NEVER);
    await store.curate();
    // What the landing holds behind it is gone too, as after some days.
    let removed = 0;
    for await (const { name } of store.container.listBlobsFlat()) {
      if (name.startsWith('landing/') || name.includes('/g=1-')) {
        removed++;
        await store.container.deleteBlob(name);
      }
    }
    expect(removed).toBe(4);
    expect(await store.questions.history(WHERE, DAILY, NEVER)).toEqual(first);
    expect(first).toMatchObject({ ok: true, value: [{ count: 180 }, { count: 0 }] });
  });

  describe('the copies of cold files', () => {
    let container: ContainerClient;
    let folder: string;
    const upload = async (name: string, bytes: number) => {
      const blob = container.getBlockBlobClient(name);
      const { etag } = await blob.upload(Buffer.alloc(bytes, name), bytes);
      return { name, etag: etag!, bytes };
    };
    beforeEach(async () => {
      const store = await stores.next();
      container = store.container;
      folder = store.cacheFolder;
    });

    it('fetches a file once for all who want it', async () => {
      const cache = createBlobCache({ container, folder, maximumBytes: 1_000 });
      const file = await upload('one.parquet', 100);
      const held = await Promise.all([1, 2, 3].map(() => cache.hold([file], NEVER)));
      expect(cache.counts()).toMatchObject({ hits: 2, misses: 1, downloadedBytes: 100 });
      for (const each of held) each.release();
    });

    it('lets the least lately used go, and none that is read', async () => {
      const cache = createBlobCache({ container, folder, maximumBytes: 250 });
      const [a, b, c, d] = await Promise.all(
        ['a', 'b', 'c', 'd'].map((name) => upload(`${name}.parquet`, 100)),
      );
      const held = await cache.hold([a!], NEVER);
      (await cache.hold([b!], NEVER)).release();
      (await cache.hold([c!], NEVER)).release();
      (await cache.hold([d!], NEVER)).release();
      expect((await readdir(folder)).map((name) => name[0])).toEqual(['a', 'd']);
      held.release();
      await expect(cache.hold([a!, b!, c!], NEVER)).rejects.toBeInstanceOf(TooManyBytes);
    });

    it('says that a blob is gone or another', async () => {
      const cache = createBlobCache({ container, folder, maximumBytes: 1_000 });
      const file = await upload('one.parquet', 100);
      await upload('one.parquet', 50);
      await expect(cache.hold([file], NEVER)).rejects.toBeInstanceOf(BlobGone);
      await expect(cache.hold([{ ...file, name: 'none.parquet' }], NEVER)).rejects.toBeInstanceOf(BlobGone);
      expect(await readdir(folder)).toEqual([]);
    });

    it('takes over what an earlier life left whole, and removes what it left broken off', async () => {
      const before = createBlobCache({ container, folder, maximumBytes: 1_000 });
      const file = await upload('one.parquet', 100);
      (await before.hold([file], NEVER)).release();
      await writeFile(join(folder, 'two.parquet.1234.part'), 'half');
      const after = createBlobCache({ container, folder, maximumBytes: 1_000 });
      await after.start();
      (await after.hold([file], NEVER)).release();
      expect(after.counts()).toMatchObject({ bytes: 100, files: 1, hits: 1, misses: 0 });
      expect(await readdir(folder)).toHaveLength(1);
    });
  });
});
