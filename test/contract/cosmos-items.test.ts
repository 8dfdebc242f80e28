import { type Container } from '@azure/cosmos';
import { type Account, openAccount, refused } from '../support/cosmos-account';

describe('Cosmos: documents one at a time', () => {
  let account: Account;
  let container: Container;
  let made = 0;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container();
  });
  afterAll(() => account.close());

  /** A new document of its own. */
  async function create(more: Record<string, unknown> = {}) {
    made += 1;
    const { resource } = await container.items.create({ id: `d${made}`, pk: 'p', ...more });
    return resource!;
  }

  test("a created document answers 201 with its own and the service's properties", async () => {
    const response = await container.items.create({
      id: 'first',
      pk: 'p',
      nested: { list: [1, 'two', null, true] },
    });
    expect(response.statusCode).toBe(201);
    expect(response.resource).toMatchObject({
      id: 'first',
      pk: 'p',
      nested: { list: [1, 'two', null, true] },
    });
    for (const name of ['_rid', '_self', '_etag', '_attachments', '_ts'])
      expect(response.resource).toHaveProperty(name);
    expect(response.etag).toBe(response.resource!._etag);
    expect(response.requestCharge).toBeGreaterThan(0);
  });

  test('creating an id that is taken is 409', async () => {
    const { id } = await create();
    expect((await refused(container.items.create({ id, pk: 'p' }))).code).toBe(409);
  });

  test('the same id may exist in another partition', async () => {
    const { id } = await create();
    expect((await container.items.create({ id, pk: 'q' })).statusCode).toBe(201);
  });

  test('reading by id and partition key answers the document', async () => {
    const document = await create({ x: 1 });
    const response = await container.item(document.id, 'p').read();
    expect(response.statusCode).toBe(200);
    expect(response.resource).toEqual(document);
  });

  test('reading what does not exist is 404 without a thrown error', async () => {
    expect((await container.item('none', 'p').read()).statusCode).toBe(404);
  });

  test('reading with another partition key is 404', async () => {
    const { id } = await create();
    expect((await container.item(id, 'q').read()).statusCode).toBe(404);
  });

  test('reading with the etag that one has is 304 without a body', async () => {
    const { id, _etag } = await create();
    const response = await container
      .item(id, 'p')
      .read({ accessCondition: { type: 'IfNoneMatch', condition: _etag } });
    expect(response.statusCode).toBe(304);
    expect(response.resource).toBeFalsy();
  });

  test('reading with an earlier etag answers the document', async () => {
    const { id, _etag } = await create();
    await container.items.upsert({ id, pk: 'p', changed: true });
    const response = await container
      .item(id, 'p')
      .read({ accessCondition: { type: 'IfNoneMatch', condition: _etag } });
    expect(response.resource).toMatchObject({ changed: true });
  });

  test('upserting makes what is not there (201) and overwrites what is (200)', async () => {
    expect((await container.items.upsert({ id: 'up', pk: 'p', x: 1, y: 1 })).statusCode).toBe(201);
    expect((await container.items.upsert({ id: 'up', pk: 'p', x: 2 })).statusCode).toBe(200);
    const { resource } = await container.item('up', 'p').read<{ x: number; y?: number }>();
    expect(resource!.x).toBe(2);
    expect(resource!.y).toBeUndefined();
  });

  test('upserting with an earlier etag is 412', async () => {
    const { id, _etag } = await create();
    await container.items.upsert({ id, pk: 'p' });
    const attempt = container.items.upsert(
      { id, pk: 'p' },
      { accessCondition: { type: 'IfMatch', condition: _etag } },
    );
    expect((await refused(attempt)).code).toBe(412);
  });

  test('replacing overwrites, keeps the resource id and gives a new etag', async () => {
    const before = await create({ x: 1 });
    const { resource: after, statusCode } = await container
      .item(before.id, 'p')
      .replace({ id: before.id, pk: 'p', x: 2 });
    expect(statusCode).toBe(200);
    expect(after).toMatchObject({ x: 2, _rid: before._rid });
    expect((after as { _etag: string })._etag).not.toBe(before._etag);
  });

  test('replacing what does not exist is 404', async () => {
    expect((await refused(container.item('none', 'p').replace({ id: 'none', pk: 'p' }))).code).toBe(404);
  });

  test('replacing with the current etag works once, then is 412', async () => {
    const { id, _etag } = await create();
    const condition = { accessCondition: { type: 'IfMatch' as const, condition: _etag } };
    expect((await container.item(id, 'p').replace({ id, pk: 'p', x: 1 }, condition)).statusCode).toBe(200);
    expect((await refused(container.item(id, 'p').replace({ id, pk: 'p', x: 2 }, condition))).code).toBe(412);
    expect((await container.item(id, 'p').read<{ x: number }>()).resource!.x).toBe(1);
  });

  test('of two replaces that race with one etag exactly one wins', async () => {
    const { id, _etag } = await create();
    const condition = { accessCondition: { type: 'IfMatch' as const, condition: _etag } };
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((x) => container.item(id, 'p').replace({ id, pk: 'p', x }, condition)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('deleting answers 204 and the document is gone', async () => {
    const { id } = await create();
    expect((await container.item(id, 'p').delete()).statusCode).toBe(204);
    expect((await container.item(id, 'p').read()).statusCode).toBe(404);
  });

  test('deleting what does not exist is 404', async () => {
    expect((await refused(container.item('none', 'p').delete())).code).toBe(404);
  });

  test('deleting with an earlier etag is 412 and deletes nothing', async () => {
    const { id, _etag } = await create();
    await container.items.upsert({ id, pk: 'p' });
    const attempt = container
      .item(id, 'p')
      .delete({ accessCondition: { type: 'IfMatch', condition: _etag } });
    expect((await refused(attempt)).code).toBe(412);
    expect((await container.item(id, 'p').read()).statusCode).toBe(200);
  });

  test('an id made again after a delete is a new document with a new etag', async () => {
    const before = await create();
    await container.item(before.id, 'p').delete();
    const { resource: after } = await container.items.create({ id: before.id, pk: 'p' });
    expect(after!._etag).not.toBe(before._etag);
    expect(after!._rid).not.toBe(before._rid);
  });

  test('ids may hold spaces, percent signs, quotes and letters of any script', async () => {
    for (const id of ['a b', '50%', 'quote"s', "it's", 'größe', '部屋', '🏠', 'a+b=c&d', 'a:b@c,d;e']) {
      await container.items.create({ id, pk: 'odd', mark: id });
      const { resource } = await container.item(id, 'odd').read<{ mark: string }>();
      expect(resource?.mark).toBe(id);
    }
  });

  test('partition keys may be texts, numbers, booleans and null, and are told apart', async () => {
    const keys = ['1', 1, true, null, 'true', 'null', '', 'ü "quoted"', -0.5];
    for (const pk of keys) await container.items.create({ id: 'typed', pk, mark: JSON.stringify(pk) });
    for (const pk of keys) {
      const { resource } = await container.item('typed', pk as string).read<{ mark: string }>();
      expect(resource?.mark).toBe(JSON.stringify(pk));
    }
  });

  test('a document without the partition key property lives in the partition of none', async () => {
    await container.items.create({ id: 'keyless', x: 1 });
    const { resource } = await container.item('keyless', undefined).read<{ x: number }>();
    expect(resource?.x).toBe(1);
    expect((await container.item('keyless', null as unknown as string).read()).statusCode).toBe(404);
  });

  test('an id that holds a slash is refused', async () => {
    await expect(container.items.create({ id: 'a/b', pk: 'p' })).rejects.toBeDefined();
  });

  test('a document larger than 2 MB is 413', async () => {
    const attempt = container.items.create({ id: 'large', pk: 'p', filling: 'x'.repeat(2.2 * 1024 * 1024) });
    expect((await refused(attempt)).code).toBe(413);
  });

  test('a larger document costs more to write than a small one, and a write more than a read', async () => {
    const small = await container.items.create({ id: 'cheap', pk: 'p' });
    const large = await container.items.create({ id: 'dear', pk: 'p', filling: 'x'.repeat(50_000) });
    const read = await container.item('cheap', 'p').read();
    expect(large.requestCharge).toBeGreaterThan(small.requestCharge);
    expect(small.requestCharge).toBeGreaterThan(read.requestCharge);
    expect(read.requestCharge).toBeCloseTo(1, 1);
  });

  test('a write is read at once in the same session, and answers a session token', async () => {
    for (let i = 0; i < 5; i++) {
      const written = await container.items.upsert({ id: 'session', pk: 'p', i });
      expect(written.headers['x-ms-session-token']).toMatch(/^\d+:/);
      const { resource } = await container
        .item('session', 'p')
        .read<{ i: number }>({ sessionToken: String(written.headers['x-ms-session-token']) });
      expect(resource!.i).toBe(i);
    }
  });

  test('numbers, deep nesting and empty values come back as they were', async () => {
    const value = {
      zero: 0,
      negative: -1.5,
      tiny: 5e-324,
      large: 1.7976931348623157e308,
      integer: 9007199254740991,
      empty: {},
      none: [],
      text: '',
      nothing: null,
      deep: { a: { b: { c: [[[{ d: 1 }]]] } } },
      escapes: '\u0000\n\t"\\\u2028',
    };
    await container.items.create({ id: 'values', pk: 'p', value });
    expect((await container.item('values', 'p').read<{ value: unknown }>()).resource!.value).toEqual(value);
  });
});

describe('Cosmos: hierarchical partition keys', () => {
  let account: Account;
  let container: Container;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container({
      partitionKey: { paths: ['/tenant', '/building'], kind: 'MultiHash' as never, version: 2 as never },
    });
    for (const [tenant, building, id] of [
      ['north', 'b1', '1'],
      ['north', 'b1', '2'],
      ['north', 'b2', '3'],
      ['northern', 'b1', '4'],
      ['south', 'b1', '5'],
    ]) {
      await container.items.create({ id, tenant, building });
    }
  });
  afterAll(() => account.close());

  test('a document is read by its whole key', async () => {
    expect((await container.item('3', ['north', 'b2']).read()).resource).toMatchObject({ id: '3' });
    expect((await container.item('3', ['north', 'b1']).read()).statusCode).toBe(404);
  });

  test('a query by the whole key stays in that partition', async () => {
    const { resources } = await container.items
      .query<{ id: string }>('SELECT * FROM c', { partitionKey: ['north', 'b1'] })
      .fetchAll();
    expect(resources.map(({ id }) => id).sort()).toEqual(['1', '2']);
  });

  test('a query by a prefix of the key reads everything below it and nothing else', async () => {
    const { resources } = await container.items
      .query<{ id: string }>('SELECT * FROM c', { partitionKey: ['north'] })
      .fetchAll();
    expect(resources.map(({ id }) => id).sort()).toEqual(['1', '2', '3']);
  });

  test('reading one document by a prefix is refused', async () => {
    await expect(container.item('1', ['north']).read()).rejects.toMatchObject({ code: 400 });
  });
});

describe('Cosmos: unique keys and time to live', () => {
  let account: Account;
  beforeAll(async () => {
    account = await openAccount();
  });
  afterAll(() => account.close());

  test('a unique key holds within a partition, for creates, upserts and replaces', async () => {
    const container = await account.container({
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name', '/kind'] }] },
    });
    await container.items.create({ id: '1', pk: 'p', name: 'a', kind: 1 });
    expect((await refused(container.items.create({ id: '2', pk: 'p', name: 'a', kind: 1 }))).code).toBe(409);
    expect((await refused(container.items.upsert({ id: '2', pk: 'p', name: 'a', kind: 1 }))).code).toBe(409);
    await container.items.create({ id: '2', pk: 'p', name: 'a', kind: 2 });
    await container.items.create({ id: '1', pk: 'q', name: 'a', kind: 1 });
    expect(
      (await refused(container.item('2', 'p').replace({ id: '2', pk: 'p', name: 'a', kind: 1 }))).code,
    ).toBe(409);
    // The document itself may keep its key.
    await container.item('1', 'p').replace({ id: '1', pk: 'p', name: 'a', kind: 1, x: 1 });
  });

  test('a unique key is free again after a delete or a change', async () => {
    const container = await account.container({ uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name'] }] } });
    await container.items.create({ id: '1', pk: 'p', name: 'a' });
    await container.item('1', 'p').replace({ id: '1', pk: 'p', name: 'b' });
    await container.items.create({ id: '2', pk: 'p', name: 'a' });
    await container.item('1', 'p').delete();
    await container.items.create({ id: '3', pk: 'p', name: 'b' });
  });

  test('of two documents without the unique property the second is refused', async () => {
    const container = await account.container({ uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name'] }] } });
    await container.items.create({ id: '1', pk: 'p' });
    expect((await refused(container.items.create({ id: '2', pk: 'p' }))).code).toBe(409);
  });

  test("documents expire by the container's time to live, by their own, or never", async () => {
    const container = await account.container({ defaultTtl: 2 });
    await container.items.create({ id: 'standard', pk: 'p' });
    await container.items.create({ id: 'own', pk: 'p', ttl: 1 });
    await container.items.create({ id: 'longer', pk: 'p', ttl: 600 });
    await container.items.create({ id: 'never', pk: 'p', ttl: -1 });
    const ids = async (): Promise<string[]> => {
      const { resources } = await container.items
        .query<string>('SELECT VALUE c.id FROM c', { partitionKey: 'p' })
        .fetchAll();
      return resources.sort();
    };
    expect(await ids()).toContain('longer');
    const deadline = Date.now() + 20_000;
    while ((await ids()).length > 2 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await ids()).toEqual(['longer', 'never']);
    expect((await container.item('own', 'p').read()).statusCode).toBe(404);
    // An id that expired may be made again.
    expect((await container.items.create({ id: 'own', pk: 'p' })).statusCode).toBe(201);
  });

  test("without a container's time to live a document's own does nothing", async () => {
    const container = await account.container();
    const { resource } = await container.items.create({ id: 'a', pk: 'p', ttl: 1 });
    const written = (resource as { _ts: number })._ts;
    while (Date.now() / 1000 < written + 2) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await container.item('a', 'p').read()).statusCode).toBe(200);
  });

  test('a time to live that is no positive whole number or -1 is refused', async () => {
    const container = await account.container({ defaultTtl: 60 });
    for (const ttl of [0, -2, 1.5, '5']) {
      expect((await refused(container.items.create({ id: 'a', pk: 'p', ttl: ttl as number }))).code).toBe(
        400,
      );
    }
  });
});
