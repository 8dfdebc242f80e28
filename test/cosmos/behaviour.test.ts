import { readChanges } from '../../emulators/cosmos/change-feed';
import { createFaults } from '../../emulators/cosmos/faults';
import { effectivePartitionKey } from '../../emulators/cosmos/effective-partition-key';
import { type Container } from '../../emulators/cosmos/store/catalog';
import { createMetrics } from '../../src/observability/metrics';
import { buildEmulator } from './emulator';

describe('The Cosmos stand-in', () => {
  test('throttles on demand with a time to wait, and the SDK tries again by itself', async () => {
    const faults = createFaults();
    const { container, stop, docs } = await buildEmulator({ faults });
    faults.add({ kind: 'throttle', operation: 'create', times: 2, retryAfterMilliseconds: 5 });
    const { statusCode, headers } = await container.items.create({ id: 'a', pk: 'p' });
    expect([statusCode, headers['x-ms-throttle-retry-count']]).toEqual([201, 2]);
    faults.add({ kind: 'throttle', times: 1, container: 'c' });
    faults.add({ kind: 'unavailable', operation: 'read' });
    const headersOfKey = { 'x-ms-documentdb-partitionkey': '["p"]' };
    const throttled = await docs('GET', headersOfKey, undefined, 'a');
    expect([
      throttled.status,
      throttled.headers['x-ms-retry-after-ms'],
      throttled.headers['x-ms-substatus'],
    ]).toEqual([429, '100', '3200']);
    expect((await docs('GET', headersOfKey, undefined, 'a')).status).toBe(503);
    expect((await docs('GET', headersOfKey, undefined, 'a')).status).toBe(200);
    expect(faults.list()).toEqual([]);
    await stop();
  });

  test('gives up a throttled write as 429, having done nothing', async () => {
    const faults = createFaults();
    const { container, stop } = await buildEmulator({ faults });
    faults.add({ kind: 'throttle', operation: 'create', times: 100, retryAfterMilliseconds: 1 });
    await expect(container.items.create({ id: 'a', pk: 'p' })).rejects.toMatchObject({ code: 429 });
    faults.clear();
    expect((await container.item('a', 'p').read()).statusCode).toBe(404);
    await stop();
  });

  test('lets documents expire to the second, by the clock that it is given', async () => {
    let now = Date.now();
    const { container, stop } = await buildEmulator({ clock: () => now }, { defaultTtl: 10 });
    await container.items.create({ id: 'a', pk: 'p' });
    now += 9_000;
    expect((await container.item('a', 'p').read()).statusCode).toBe(200);
    now += 1_000;
    expect((await container.item('a', 'p').read()).statusCode).toBe(404);
    expect(
      (await container.items.query('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'p' }).fetchAll())
        .resources,
    ).toEqual([0]);
    expect((await container.items.query('SELECT * FROM c').fetchAll()).resources).toEqual([]);
    expect((await container.items.create({ id: 'a', pk: 'p' })).statusCode).toBe(201);
    await stop();
  });

  test("gives documents that are there a container's new time to live", async () => {
    let now = Date.now();
    const { container, stop } = await buildEmulator({ clock: () => now });
    await container.items.create({ id: 'a', pk: 'p' });
    await container.items.create({ id: 'b', pk: 'p', ttl: -1 });
    const { resource } = await container.read();
    await container.replace({ ...resource!, defaultTtl: 5 });
    now += 6_000;
    expect((await container.items.query('SELECT VALUE c.id FROM c').fetchAll()).resources).toEqual(['b']);
    await stop();
  });

  test('frees the unique key of an expired document that is not purged yet', async () => {
    let now = Date.now();
    const { container, stop } = await buildEmulator(
      { clock: () => now },
      { defaultTtl: 5, uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name'] }] } },
    );
    await container.items.create({ id: 'a', pk: 'p', name: 'x' });
    now += 6_000;
    expect((await container.items.create({ id: 'b', pk: 'p', name: 'x' })).statusCode).toBe(201);
    await stop();
  });

  test('reads in order from an index: what a page costs does not grow with the partition', async () => {
    const { container, stop } = await buildEmulator();
    const page = async (query: string) => {
      const { resources, requestCharge } = await container.items
        .query(query, { partitionKey: 'p', maxItemCount: 5 })
        .fetchNext();
      expect(resources).toHaveLength(5);
      return requestCharge;
    };
    const queries = [
      'SELECT * FROM c ORDER BY c.x',
      'SELECT * FROM c WHERE c.type = "t" ORDER BY c.id',
      'SELECT * FROM c WHERE c.x > 10',
      'SELECT * FROM c ORDER BY c.x DESC',
    ];
    const fill = async (from: number, to: number) => {
      for (let i = from; i < to; i += 100) {
        await container.items.batch(
          Array.from({ length: 100 }, (_, j) => ({
            operationType: 'Create' as const,
            resourceBody: { id: `d${i + j}`, pk: 'p', x: (i + j) % 97, type: (i + j) % 2 ? 't' : 'u' },
          })),
          'p',
        );
      }
    };
    await fill(0, 200);
    const few: number[] = [];
    for (const query of queries) few.push(await page(query));
    await fill(200, 3000);
    for (const [i, query] of queries.entries()) expect(await page(query)).toBeLessThan(few[i]! * 1.2);
    await stop();
  });

  test('builds an index over what is there already, and keeps it right through every kind of change', async () => {
    const { container, stop } = await buildEmulator();
    for (let i = 0; i < 30; i++) await container.items.create({ id: `d${i}`, pk: 'p', x: i });
    const byX = async () =>
      (
        await container.items
          .query<number>('SELECT VALUE c.x FROM c ORDER BY c.x', { partitionKey: 'p' })
          .fetchAll()
      ).resources;
    expect(await byX()).toEqual(Array.from({ length: 30 }, (_, i) => i));
    await container.item('d0', 'p').patch([{ op: 'set', path: '/x', value: 100 }]);
    await container.item('d1', 'p').delete();
    await container.items.upsert({ id: 'd2', pk: 'p' });
    await container.items.batch(
      [
        { operationType: 'Create', resourceBody: { id: 'new', pk: 'p', x: -1 } },
        { operationType: 'Create', resourceBody: { id: 'd3', pk: 'p', x: -2 } },
      ],
      'p',
    );
    expect(await byX()).toEqual([...Array.from({ length: 27 }, (_, i) => i + 3), 100]);
    await stop();
  });

  test('drops an index with the path in the policy, and makes it again', async () => {
    const { container, stop } = await buildEmulator();
    await container.items.create({ id: 'a', pk: 'p', x: 1 });
    const ordered = () =>
      container.items.query('SELECT * FROM c ORDER BY c.x', { partitionKey: 'p' }).fetchAll();
    expect((await ordered()).resources).toHaveLength(1);
    const { resource } = await container.read();
    const policy = resource!.indexingPolicy!;
    await container.replace({
      ...resource!,
      indexingPolicy: { ...policy, excludedPaths: [{ path: '/x/?' }] },
    });
    await expect(ordered()).rejects.toMatchObject({ code: 400 });
    await container.items.create({ id: 'b', pk: 'p', x: 0 });
    await container.replace({ ...resource!, indexingPolicy: policy });
    expect((await ordered()).resources.map(({ id }) => id as string)).toEqual(['b', 'a']);
    await stop();
  });

  test('answers a long scan in pages that may be empty, and misses nothing', async () => {
    const { container, stop } = await buildEmulator();
    for (let i = 0; i < 6000; i += 100) {
      await container.items.batch(
        Array.from({ length: 100 }, (_, j) => ({
          operationType: 'Create' as const,
          resourceBody: { id: `d${i + j}`, pk: 'p', list: [i + j] },
        })),
        'p',
      );
    }
    const { resources } = await container.items
      .query('SELECT VALUE c.id FROM c WHERE ARRAY_CONTAINS(c.list, 5999)')
      .fetchAll();
    expect(resources).toEqual(['d5999']);
    const count = await container.items
      .query('SELECT VALUE COUNT(1) FROM c WHERE ARRAY_LENGTH(c.list) = 1')
      .fetchAll();
    expect(count.resources).toEqual([6000]);
    await stop();
  });

  test('meters requests and charges by container and operation', async () => {
    const metrics = createMetrics({ process: 'test' });
    const { container, stop } = await buildEmulator({ metrics });
    const { requestCharge } = await container.items.create({ id: 'a', pk: 'p' });
    await container.item('a', 'p').read();
    await container.item('a', 'p').read();
    const text = await metrics.metrics();
    expect(text).toContain(
      `cosmos_request_units_total{container="d/c",operation="create",process="test"} ${requestCharge}`,
    );
    expect(text).toContain('cosmos_request_units_total{container="d/c",operation="read",process="test"} 2');
    expect(text).toContain(
      'cosmos_requests_total{container="d/c",operation="read",status="200",process="test"} 2',
    );
    await stop();
  });

  test('charges by size as the service publishes it: 1 and 5 RU for 1 KB, 10 and 50 for 100 KB', async () => {
    const { container, stop } = await buildEmulator();
    const sized = (bytes: number) => ({ pk: 'p', filling: 'x'.repeat(bytes - 300) });
    const small = await container.items.create({ id: 'small', ...sized(1024) });
    const large = await container.items.create({ id: 'large', ...sized(100 * 1024) });
    expect(small.requestCharge).toBeCloseTo(5, 0);
    expect(large.requestCharge).toBeCloseTo(50, 0);
    expect((await container.item('small', 'p').read()).requestCharge).toBeCloseTo(1, 0);
    expect((await container.item('large', 'p').read()).requestCharge).toBeCloseTo(10, 0);
    await stop();
  });

  test('places partition keys as Cosmos does', () => {
    const flat = { paths: ['/pk'], kind: 'Hash', version: 2 } as const;
    const place = (pk: string) => effectivePartitionKey(pk, { ...flat, paths: ['/pk'] });
    // As @azure/cosmos 4.10.1 computes them.
    expect(place('["a"]')).toBe('3A5381E1114EB8D3FCC90795045B49B7');
    expect(place('[5]')).toMatch(/^[0-3][0-9A-F]{31}$/);
    const two = effectivePartitionKey('["a","b"]', { paths: ['/x', '/y'], kind: 'MultiHash', version: 2 });
    expect(two).toBe(place('["a"]') + place('["b"]'));
  });

  test('many writers at once each get their own answer, and share flushes', async () => {
    const { container, stop } = await buildEmulator();
    const ids = Array.from({ length: 200 }, (_, i) => `w${i}`);
    const replies = await Promise.all(ids.map((id) => container.items.create({ id, pk: id })));
    expect(replies.map(({ resource }) => resource!.id)).toEqual(ids);
    expect(new Set(replies.map(({ etag }) => etag)).size).toBe(200);
    await stop();
  });

  test('a reader of one partition is not told that it has seen all while it has not', () => {
    const row = (lsn: number) => ({ n: lsn, lsn, pk: '["other"]', expires: null, body: '{"id":"x"}' });
    const last = 60_000;
    const container = {
      lsn: last,
      rid: 'rid',
      definition: { partitionKey: { paths: ['/pk'], kind: 'Hash', version: 2 } },
      documents: {
        changes: (lsn: number, limit: number) =>
          Array.from({ length: Math.min(limit, last - lsn) }, (_, i) => row(lsn + 1 + i)),
        changesAt: (lsn: number) => [row(lsn)],
      },
    } as unknown as Container;
    const read = (position?: string) => readChanges(container, { position, key: ['mine'], limit: 1000 }, 0);
    const first = read();
    expect([first.status, first.etag]).toEqual([200, '"50000"']);
    expect(JSON.parse(first.body!)).toMatchObject({ Documents: [], _count: 0 });
    expect([read(first.etag).status, read(first.etag).etag]).toEqual([304, `"${last}"`]);
  });
});
