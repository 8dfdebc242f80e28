import { createHmac } from 'node:crypto';
import { LOCAL_KEY } from '../../emulators/cosmos/emulator';
import { type WireReply } from '../support/cosmos-process';
import { buildEmulator } from './emulator';

describe('The Cosmos stand-in refuses what it cannot answer rightly', () => {
  let built: Awaited<ReturnType<typeof buildEmulator>>;
  beforeAll(async () => {
    built = await buildEmulator();
    await built.container.items.create({ id: 'a', pk: 'p' });
  });
  afterAll(() => built.stop());

  const key = { 'x-ms-documentdb-partitionkey': '["p"]' };
  const said = ({ status, body }: WireReply): [number, string] => [
    status,
    (JSON.parse(body) as { message: string }).message,
  ];

  test.each([
    ['SELECT DISTINCT c.x FROM c', /DISTINCT/],
    ['SELECT c.x, COUNT(1) AS n FROM c GROUP BY c.x', /aggregate|GROUP BY/],
    ['SELECT COUNT(1) FROM c', /aggregate without VALUE/],
    ['SELECT VALUE c.id FROM c JOIN t IN c.tags', /JOIN/],
    ['SELECT VALUE t FROM t IN c.tags', /FROM/],
    ['SELECT * FROM c.tags', /FROM of a part/],
    ['SELECT * FROM c WHERE EXISTS (SELECT VALUE t FROM t IN c.tags)', /EXISTS/],
    ['SELECT * FROM c WHERE c.x IN (SELECT VALUE 1)', /incorrect syntax/],
    ['SELECT * FROM c WHERE udf.f(c.x)', /user-defined/],
    ['SELECT * FROM c WHERE ST_DISTANCE(c.x, c.y) < 1', /ST_DISTANCE/],
    ['SELECT * FROM c WHERE NOT c.x = 1', /NOT before a comparison/],
    ['SELECT * FROM c WHERE c.x & 1 = 1', /operator &/],
    ['SELECT * FROM c ORDER BY c.a, c.b', /more than one/],
    ['SELECT * FROM c ORDER BY LOWER(c.a)', /anything but a property/],
    ['SELECT VALUE MAX(c.x) + 1 FROM c', /aggregate inside/],
    ['SELECT * FROM c WHERE c.x = @missing', /@missing has no value/],
  ])('%s', async (query, message) => {
    const attempt = built.container.items.query(query, { partitionKey: 'p' }).fetchAll();
    await expect(attempt).rejects.toMatchObject({
      code: 400,
      message: expect.stringMatching(message) as string,
    });
  });

  test('ORDER BY over all partitions', async () => {
    const attempt = built.container.items.query('SELECT * FROM c ORDER BY c.x').fetchAll();
    await expect(attempt).rejects.toMatchObject({
      code: 400,
      message: expect.stringMatching(/more than one partition/) as string,
    });
  });

  test('a query that is forced through its plan', async () => {
    const attempt = built.container.items.query('SELECT * FROM c', { forceQueryPlan: true }).fetchAll();
    await expect(attempt).rejects.toMatchObject({ code: 400 });
  });

  test('a continuation that is no continuation, or of another query', async () => {
    const query = 'SELECT * FROM c';
    const attempt = (continuationToken: string, text = query) =>
      built.container.items.query(text, { partitionKey: 'p', continuationToken }).fetchNext();
    await expect(attempt('nonsense')).rejects.toMatchObject({ code: 400 });
    await built.container.items.create({ id: 'b', pk: 'p' });
    const { continuationToken } = await built.container.items
      .query(query, { partitionKey: 'p', maxItemCount: 1 })
      .fetchNext();
    expect(continuationToken).toBeDefined();
    await expect(attempt(continuationToken!, 'SELECT VALUE c.id FROM c')).rejects.toMatchObject({
      code: 400,
      message: expect.stringMatching(/another query/) as string,
    });
  });

  test('requests without a signature, with another key, and with an old date', async () => {
    const bare = await fetch(`${built.endpoint}dbs`);
    expect(bare.status).toBe(401);
    const forged = await built.wire.send({
      method: 'GET',
      path: '/dbs',
      type: 'dbs',
      link: '',
      key: Buffer.from('forged').toString('base64'),
    });
    expect(forged.status).toBe(401);
    const date = new Date(Date.now() - 20 * 60_000).toUTCString();
    const signature = createHmac('sha256', Buffer.from(LOCAL_KEY, 'base64'))
      .update(`get\ndbs\n\n${date.toLowerCase()}\n\n`)
      .digest('base64');
    const old = await fetch(`${built.endpoint}dbs`, {
      headers: {
        authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
        'x-ms-date': date,
      },
    });
    expect(old.status).toBe(403);
  });

  test('bodies that are no JSON or no object, and documents without an id', async () => {
    expect(said(await built.docs('POST', key, '{"id":'))).toEqual([400, 'The request body is not JSON.']);
    expect(said(await built.docs('POST', key, '[]'))[1]).toMatch(/not a JSON object/);
    expect(said(await built.docs('POST', key, '{"pk":"p"}'))[1]).toMatch(/required property id/);
    expect((await built.docs('POST', key, `{"id":"x","pk":"p","f":"${'x'.repeat(5_000_000)}"}`)).status).toBe(
      413,
    );
  });

  test("a partition key that is not the document's, is no JSON, or has too many parts", async () => {
    const create = (header: string) =>
      built.docs('POST', { 'x-ms-documentdb-partitionkey': header }, '{"id":"x","pk":"p"}');
    const other = await create('["q"]');
    expect([other.status, other.headers['x-ms-substatus']]).toEqual([400, '1001']);
    expect((await create('p')).status).toBe(400);
    expect((await create('[{"a":1}]')).status).toBe(400);
    expect((await create('["p","q"]')).status).toBe(400);
    expect((await built.docs('GET', {}, undefined, 'a')).status).toBe(400);
  });

  test('texts that UTF-8 cannot hold and numbers that JSON cannot', async () => {
    expect((await built.docs('POST', key, '{"id":"x1","pk":"p","s":"\\ud800"}')).status).toBe(400);
    expect((await built.docs('POST', key, '{"id":"x2","pk":"p","n":1e999}')).status).toBe(400);
    expect((await built.docs('POST', key, '{"id":"x3","pk":"p","s":"\\\\ud800 1e999"}')).status).toBe(201);
  });

  test('batches that are no array, empty, too long, or of unknown operations', async () => {
    const batch = (body: string) =>
      built.docs(
        'POST',
        { ...key, 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-cosmos-batch-atomic': 'true' },
        body,
      );
    expect((await batch('{}')).status).toBe(400);
    expect((await batch('[]')).status).toBe(400);
    expect((await batch(JSON.stringify(Array(101).fill({ operationType: 'Read', id: 'a' })))).status).toBe(
      400,
    );
    expect((await batch('[{"operationType":"Explode","id":"a"}]')).body).toMatch(/"statusCode":400.*Explode/);
    expect((await batch('[null]')).status).toBe(400);
  });

  test('documents over 2 MB by their bytes, ids over 1023 bytes, key values over 2048', async () => {
    const create = async (id: string, pk: string, text = '') =>
      (
        await built.docs(
          'POST',
          { 'x-ms-documentdb-partitionkey': JSON.stringify([pk]) },
          JSON.stringify({ id, pk, text }),
        )
      ).status;
    expect(await create('wide', 'p', 'é'.repeat(1_100_000))).toBe(413);
    expect(await create('plain', 'p', 'e'.repeat(1_100_000))).toBe(201);
    expect(await create('i'.repeat(1023), 'p')).toBe(201);
    expect(await create('é'.repeat(512), 'p')).toBe(400);
    expect(await create('x', 'k'.repeat(2048))).toBe(201);
    expect(await create('x', 'é'.repeat(1025))).toBe(400);
  });

  test('a transactional batch of more than 2 MB in all: 413, with nothing done', async () => {
    const operations = ['large-1', 'large-2', 'large-3'].map((id) => ({
      operationType: 'Create',
      resourceBody: { id, pk: 'p', text: 'x'.repeat(900_000) },
    }));
    const headers = { ...key, 'x-ms-cosmos-is-batch-request': 'true', 'x-ms-cosmos-batch-atomic': 'true' };
    expect((await built.docs('POST', headers, JSON.stringify(operations))).status).toBe(413);
    expect((await built.docs('GET', key, undefined, 'large-1')).status).toBe(404);
  });

  test('queries that are too long or too deep, and a LIKE set that runs backwards', async () => {
    const query = (text: string) =>
      built.docs(
        'POST',
        { ...key, 'x-ms-documentdb-isquery': 'true', 'content-type': 'application/query+json' },
        JSON.stringify({ query: text }),
      );
    const deep = `SELECT * FROM c WHERE ${'('.repeat(50_000)}true${')'.repeat(50_000)}`;
    expect(said(await query(deep))).toEqual([400, expect.stringMatching(/nested too deeply/)]);
    const long = `SELECT * FROM c WHERE c.x = '${'x'.repeat(600_000)}'`;
    expect(said(await query(long))).toEqual([400, expect.stringMatching(/longer than/)]);
    const like = "SELECT * FROM c WHERE c.id LIKE '[z-a]%'";
    expect(said(await query(like))).toEqual([400, expect.stringMatching(/LIKE/)]);
  });

  test('a patch of __proto__ is kept as any other property', async () => {
    const body = '[{"op":"add","path":"/__proto__","value":{"x":1}}]';
    expect((await built.docs('PATCH', key, body, 'a')).body).toContain('"__proto__":{"x":1}');
  });

  test('an increment beyond the range of a number', async () => {
    const attempt = (value: number) =>
      built.docs('PATCH', key, JSON.stringify([{ op: 'incr', path: '/n', value }]), 'a');
    expect((await attempt(1e308)).status).toBe(200);
    expect((await attempt(1e308)).status).toBe(400);
  });

  test('a session that has seen more than there is: 404 with 1002', async () => {
    const reply = await built.docs('GET', { ...key, 'x-ms-session-token': '0:-1#999999' }, undefined, 'a');
    expect([reply.status, reply.headers['x-ms-substatus']]).toEqual([404, '1002']);
  });

  test('triggers, the feed of all versions, reading all without a query, offers, stored procedures', async () => {
    const trigger = await built.docs(
      'POST',
      { ...key, 'x-ms-documentdb-pre-trigger-include': 't' },
      '{"id":"x","pk":"p"}',
    );
    expect(trigger.status).toBe(400);
    expect((await built.docs('GET', { 'a-im': 'Full-Fidelity Feed' })).status).toBe(400);
    expect((await built.docs('GET', {})).status).toBe(400);
    expect((await built.docs('GET', { 'a-im': 'Incremental Feed', 'if-none-match': '"x"' })).status).toBe(
      400,
    );
    expect((await built.wire.send({ method: 'GET', path: '/offers', type: 'offers', link: '' })).status).toBe(
      400,
    );
    const procedure = built.container.scripts.storedProcedures.create({ id: 's', body: 'function () {}' });
    await expect(procedure).rejects.toMatchObject({ code: 400 });
  });

  test.each([
    ['paths that do not start with /', { partitionKey: { paths: ['pk'] } }],
    ['four paths', { partitionKey: { paths: ['/a', '/b', '/c', '/d'], kind: 'MultiHash' } }],
    ['a vector policy', { vectorEmbeddingPolicy: { vectorEmbeddings: [] } }],
    ['computed properties', { computedProperties: [{ name: 'x', query: 'SELECT VALUE 1 FROM c' }] }],
    ['lazy indexing', { indexingPolicy: { indexingMode: 'lazy' } }],
    ['a unique key without paths', { uniqueKeyPolicy: { uniqueKeys: [{}] } }],
  ])('a container with %s', async (_, definition) => {
    const reply = await built.wire.send({
      method: 'POST',
      path: '/dbs/d/colls',
      type: 'colls',
      link: 'dbs/d',
      body: JSON.stringify({ id: 'other', partitionKey: { paths: ['/pk'] }, ...definition }),
    });
    expect(reply.status).toBe(400);
  });
});
