import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CosmosClient } from '@azure/cosmos';
import { createCosmosEmulator, LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { createChangeFollower } from '../../src/store/change-follower';
import { createCosmos, type StoredDocument } from '../../src/store/cosmos';
import { eventually } from '../support/eventually';
import { logger, startStore, type Store } from './store.support';

interface Item extends StoredDocument {
  buildingId: string;
  value?: number;
  _etag?: string;
}
const item = (id: string, value = 0, buildingId = 'bld_1'): Item => ({ id, buildingId, value });

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.stop());

test('a document that does not exist is null', async () => {
  expect(await store.cosmos.read('registry', 'bld_1', 'nothing')).toBeNull();
  expect(await store.cosmos.readMany('registry', [{ partition: 'bld_1', id: 'nothing' }])).toEqual([null]);
});

test('many documents are read in the order of their keys, over partitions and requests', async () => {
  const items = Array.from({ length: 250 }, (_, i) => item(`m${i}`, i, `bld_m${i % 7}`));
  await store.cosmos.bulkUpsert('registry', items);
  const keys = items.map(({ id, buildingId }) => ({ partition: buildingId, id })).reverse();
  keys.splice(100, 0, { partition: 'bld_m0', id: 'missing' });
  const found = await store.cosmos.readMany<Item>('registry', keys);
  expect(found.map((each) => each?.id ?? 'missing')).toEqual(keys.map(({ id }) => id));
  expect(await store.cosmos.readMany('registry', [])).toEqual([]);
});

test('a replacement takes place only over the state that was seen', async () => {
  const { cosmos } = store;
  await cosmos.batch('registry', 'bld_1', [{ create: item('r') }]);
  const seen = (await cosmos.read<Item>('registry', 'bld_1', 'r'))!;
  const first = await cosmos.batch('registry', 'bld_1', [
    { replace: { ...seen, value: 1 } as Item, etag: seen._etag! },
  ]);
  expect(first.ok).toBe(true);
  const second = await cosmos.batch('registry', 'bld_1', [
    { replace: { ...seen, value: 2 } as Item, etag: seen._etag! },
  ]);
  expect(second).toEqual({ ok: false, why: 'changed', index: 0 });
  const now = (await cosmos.read<Item>('registry', 'bld_1', 'r'))!;
  expect(now.value).toBe(1);
  expect(first).toEqual({ ok: true, etags: [now._etag] });
});

test('a batch happens whole or not at all, and tells which change was refused and why', async () => {
  const { cosmos } = store;
  await cosmos.batch('registry', 'bld_b', [{ create: item('taken', 0, 'bld_b') }]);
  const refused = await cosmos.batch('registry', 'bld_b', [
    { create: item('free', 0, 'bld_b') },
    { create: item('taken', 0, 'bld_b') },
  ]);
  expect(refused).toEqual({ ok: false, why: 'exists', index: 1 });
  expect(await cosmos.read('registry', 'bld_b', 'free')).toBeNull();
  const missing = await cosmos.batch('registry', 'bld_b', [
    { replace: item('gone', 0, 'bld_b'), etag: '"x"' },
  ]);
  expect(missing).toEqual({ ok: false, why: 'missing', index: 0 });
});

test('a query gives all pages of one partition, or as many as were asked for', async () => {
  const { cosmos } = store;
  const items = Array.from({ length: 2100 }, (_, i) => item(`q${String(i).padStart(4, '0')}`, i, 'bld_q'));
  await cosmos.bulkUpsert('registry', [...items, item('q', 0, 'bld_other')]);
  const query = 'SELECT * FROM c WHERE c.id > @after';
  const all = await cosmos.query<Item>('registry', 'bld_q', query, { after: '' });
  expect(all.map((each) => each.id).sort()).toEqual(items.map((each) => each.id));
  expect(await cosmos.query('registry', 'bld_q', query, { after: 'q2000' }, { limit: 7 })).toHaveLength(7);
});

test('containers are made once, and settings that changed are brought up to date', async () => {
  const client = new CosmosClient({ endpoint: store.endpoint, key: LOCAL_KEY });
  const { database } = await client.databases.createIfNotExists({ id: 'older' });
  await database.containers.create({
    id: 'registry',
    partitionKey: { paths: ['/buildingId'], version: 2 },
  });
  const cosmos = createCosmos({ endpoint: store.endpoint, key: LOCAL_KEY }, 'older');
  await cosmos.ensureContainers();
  await cosmos.ensureContainers();
  const { resource } = await database.container('registry').read();
  expect(resource!.defaultTtl).toBe(-1);
  expect(resource!.indexingPolicy!.includedPaths!.map(({ path }) => path)).toContain('/sortKey/*');
  await cosmos.batch('registry', 'bld_1', [{ create: item('kept') }]);
  expect(await cosmos.read('registry', 'bld_1', 'kept')).toMatchObject({ id: 'kept' });
  cosmos.stop();
  client.dispose();
});

test('processes that start together make the containers together', async () => {
  const clients = Array.from({ length: 5 }, () =>
    createCosmos({ endpoint: store.endpoint, key: LOCAL_KEY }, 'together'),
  );
  await Promise.all(clients.map((each) => each.ensureContainers()));
  expect(await clients[0]!.read('registry', 'bld_1', 'nothing')).toBeNull();
  for (const each of clients) each.stop();
});

test('a document with a time to live is gone when it ends', async () => {
  let now = Date.now();
  const emulator = createCosmosEmulator({ logger, sync: false, clock: () => now });
  const { endpoint, key } = await emulator.start();
  const cosmos = createCosmos({ endpoint, key }, 'atrium');
  await cosmos.ensureContainers();
  await cosmos.batch('registry', 'bld_1', [
    { create: { ...item('short'), ttl: 60 } as Item },
    { create: { ...item('long'), ttl: -1 } as Item },
  ]);
  now += 61_000;
  expect(await cosmos.read('registry', 'bld_1', 'short')).toBeNull();
  expect(await cosmos.read('registry', 'bld_1', 'long')).not.toBeNull();
  cosmos.stop();
  await emulator.stop();
});

test('reads and followers outlive a restart of the store', async () => {
  const data = mkdtempSync(join(tmpdir(), 'cosmos-'));
  let emulator = createCosmosEmulator({ logger, sync: false, data });
  const { endpoint, key, port } = await emulator.start();
  const cosmos = createCosmos({ endpoint, key }, 'atrium');
  await cosmos.ensureContainers();
  await cosmos.bulkUpsert('registry', [item('before')]);
  const seen: string[] = [];
  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    from: 'beginning',
    onChanges: (documents) => void seen.push(...(documents as Item[]).map((each) => each.id)),
    logger,
    pollMs: 20,
  });
  await follower.start();
  await eventually(() => expect(seen).toEqual(['before']));

  await emulator.stop();
  const read = cosmos.read<Item>('registry', 'bld_1', 'before');
  emulator = createCosmosEmulator({ logger, sync: false, data, port });
  await emulator.start();
  expect(await read).toMatchObject({ id: 'before' });
  await cosmos.bulkUpsert('registry', [item('after')]);
  await eventually(() => expect(seen).toEqual(['before', 'after']));

  await follower.stop();
  cosmos.stop();
  await emulator.stop();
  rmSync(data, { recursive: true });
});
