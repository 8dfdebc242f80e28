import { type Container, type OperationInput, type OperationResponse } from '@azure/cosmos';
import { type Account, openAccount, refused } from '../support/cosmos-account';

describe('Cosmos: partial updates', () => {
  let account: Account;
  let container: Container;
  let made = 0;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container();
  });
  afterAll(() => account.close());

  async function item(content: Record<string, unknown>) {
    made += 1;
    const id = `d${made}`;
    await container.items.create({ id, pk: 'p', ...content });
    return container.item(id, 'p');
  }

  test('add, set, replace, remove and incr change what they name and nothing else', async () => {
    const target = await item({ kept: 1, count: 5, old: 'x', gone: true, nested: { a: 1 } });
    const { resource, statusCode } = await target.patch([
      { op: 'add', path: '/added', value: [1] },
      { op: 'set', path: '/nested/b', value: { c: 2 } },
      { op: 'replace', path: '/old', value: 'y' },
      { op: 'remove', path: '/gone' },
      { op: 'incr', path: '/count', value: -2 },
    ]);
    expect(statusCode).toBe(200);
    expect(resource).toMatchObject({
      kept: 1,
      count: 3,
      old: 'y',
      added: [1],
      nested: { a: 1, b: { c: 2 } },
    });
    expect(resource).not.toHaveProperty('gone');
  });

  test('add inserts into an array, set overwrites its element, and - appends', async () => {
    const target = await item({ list: ['a', 'b'] });
    await target.patch([{ op: 'add', path: '/list/1', value: 'between' }]);
    await target.patch([{ op: 'set', path: '/list/0', value: 'first' }]);
    const { resource } = await target.patch([{ op: 'add', path: '/list/-', value: 'last' }]);
    expect(resource!.list).toEqual(['first', 'between', 'b', 'last']);
  });

  test('replacing or removing what is not there is 400 and changes nothing', async () => {
    const target = await item({ x: 1 });
    for (const operation of [
      { op: 'replace', path: '/none', value: 1 },
      { op: 'remove', path: '/none' },
    ] as const) {
      const attempt = target.patch([{ op: 'set', path: '/x', value: 2 }, operation]);
      expect((await refused(attempt)).code).toBe(400);
    }
    expect((await target.read<{ x: number }>()).resource!.x).toBe(1);
  });

  test('a condition that does not hold is 412', async () => {
    const target = await item({ status: 'ACTIVE' });
    const operations = [{ op: 'set' as const, path: '/x', value: 1 }];
    const attempt = target.patch({ condition: "from c where c.status = 'RETIRED'", operations });
    expect((await refused(attempt)).code).toBe(412);
    const { statusCode } = await target.patch({ condition: "from c where c.status = 'ACTIVE'", operations });
    expect(statusCode).toBe(200);
  });

  test('an earlier etag is 412', async () => {
    const target = await item({});
    const { etag } = await target.read();
    await target.patch([{ op: 'set', path: '/x', value: 1 }]);
    const attempt = target.patch([{ op: 'set', path: '/x', value: 2 }], {
      accessCondition: { type: 'IfMatch', condition: etag },
    });
    expect((await refused(attempt)).code).toBe(412);
  });

  test('more than ten operations are refused', async () => {
    const target = await item({});
    const operations = Array.from({ length: 11 }, (_, i) => ({
      op: 'set' as const,
      path: `/x${i}`,
      value: i,
    }));
    expect((await refused(target.patch(operations))).code).toBe(400);
  });

  test('the id cannot be patched', async () => {
    const target = await item({});
    expect((await refused(target.patch([{ op: 'set', path: '/id', value: 'other' }]))).code).toBe(400);
  });

  test('patching what does not exist is 404', async () => {
    const attempt = container.item('none', 'p').patch([{ op: 'set', path: '/x', value: 1 }]);
    expect((await refused(attempt)).code).toBe(404);
  });
});

describe('Cosmos: transactional batches', () => {
  let account: Account;
  let container: Container;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container();
  });
  afterAll(() => account.close());

  const create = (id: string, more: Record<string, unknown> = {}): OperationInput => ({
    operationType: 'Create',
    resourceBody: { id, pk: 'p', ...more } as never,
  });
  const codes = (result: OperationResponse[] | undefined): number[] =>
    result!.map(({ statusCode }) => statusCode);

  test('every kind of operation works in one batch, each seeing those before it', async () => {
    const { code, result } = await container.items.batch(
      [
        create('all', { x: 1 }),
        { operationType: 'Read', id: 'all' },
        { operationType: 'Upsert', resourceBody: { id: 'all', pk: 'p', x: 2 } as never },
        { operationType: 'Replace', id: 'all', resourceBody: { id: 'all', pk: 'p', x: 3 } as never },
        {
          operationType: 'Patch',
          id: 'all',
          resourceBody: { operations: [{ op: 'incr', path: '/x', value: 1 }] },
        },
        create('all2'),
        { operationType: 'Delete', id: 'all2' },
      ],
      'p',
    );
    expect(code).toBe(200);
    expect(codes(result)).toEqual([201, 200, 200, 200, 200, 201, 204]);
    expect(result![4]!.resourceBody).toMatchObject({ id: 'all', x: 4 });
    expect((await container.item('all2', 'p').read()).statusCode).toBe(404);
  });

  test('a failing operation takes the batch back: 207, its own status, and 424 for the others', async () => {
    await container.items.create({ id: 'taken', pk: 'p' });
    const { code, result } = await container.items.batch(
      [create('before'), create('taken'), create('after')],
      'p',
    );
    expect(code).toBe(207);
    expect(codes(result)).toEqual([424, 409, 424]);
    expect((await container.item('before', 'p').read()).statusCode).toBe(404);
    expect((await container.item('after', 'p').read()).statusCode).toBe(404);
  });

  test('a batch that was taken back leaves replaced and deleted documents as they were', async () => {
    await container.items.create({ id: 'r', pk: 'p', x: 1 });
    await container.items.create({ id: 's', pk: 'p', x: 1 });
    const { result } = await container.items.batch(
      [
        { operationType: 'Replace', id: 'r', resourceBody: { id: 'r', pk: 'p', x: 2 } as never },
        { operationType: 'Delete', id: 's' },
        { operationType: 'Read', id: 'none' },
      ],
      'p',
    );
    expect(codes(result)).toEqual([424, 424, 404]);
    expect((await container.item('r', 'p').read<{ x: number }>()).resource!.x).toBe(1);
    expect((await container.item('s', 'p').read()).statusCode).toBe(200);
  });

  test('an etag guards an operation of a batch', async () => {
    const { resource } = await container.items.create({ id: 'guarded', pk: 'p' });
    const replace = (ifMatch: string): OperationInput => ({
      operationType: 'Replace',
      id: 'guarded',
      ifMatch,
      resourceBody: { id: 'guarded', pk: 'p' } as never,
    });
    const first = await container.items.batch([replace(resource!._etag), create('with-it')], 'p');
    expect(codes(first.result)).toEqual([200, 201]);
    const second = await container.items.batch([replace(resource!._etag), create('never')], 'p');
    expect(codes(second.result)).toEqual([412, 424]);
  });

  test('each operation tells its etag and its charge, and the batch the sum', async () => {
    const response = await container.items.batch([create('e1'), create('e2')], 'p');
    const charges = response.result!.map(({ requestCharge }) => requestCharge);
    expect(response.result![0]!.eTag).toBe((response.result![0]!.resourceBody as { _etag?: string })._etag);
    expect(Number(response.headers['x-ms-request-charge'])).toBeGreaterThanOrEqual(Math.max(...charges));
  });

  test('a hundred operations are taken and a hundred and one refused', async () => {
    const operations = Array.from({ length: 101 }, (_, i) => create(`many-${i}`));
    const { code } = await container.items.batch(operations.slice(0, 100), 'p');
    expect(code).toBe(200);
    await expect(container.items.batch(operations, 'p')).rejects.toThrow(/100|operations/);
  });

  test('a document of another partition has no place in a batch', async () => {
    const { code, result } = await container.items
      .batch(
        [create('mine'), { operationType: 'Create', resourceBody: { id: 'other', pk: 'q' } as never }],
        'p',
      )
      .catch((error: { code: number }) => ({ code: error.code, result: undefined }));
    expect(code === 400 || codes(result).includes(400)).toBe(true);
    expect((await container.item('mine', 'p').read()).statusCode).toBe(404);
  });
});

describe('Cosmos: bulk', () => {
  let account: Account;
  let container: Container;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container();
  });
  afterAll(() => account.close());

  test('operations over many partitions each stand alone', async () => {
    await container.items.create({ id: 'taken', pk: 'p0' });
    const results = await container.items.executeBulkOperations([
      { operationType: 'Create', partitionKey: 'p0', resourceBody: { id: 'taken', pk: 'p0' } },
      ...Array.from({ length: 250 }, (_, i) => ({
        operationType: 'Upsert' as const,
        partitionKey: `p${i % 7}`,
        resourceBody: { id: `b${i}`, pk: `p${i % 7}` },
      })),
      { operationType: 'Read', partitionKey: 'p1', id: 'none' },
    ]);
    expect(results[0]!.error?.code).toBe(409);
    expect(results.at(-1)!.error?.code).toBe(404);
    expect(results.slice(1, -1).every(({ response }) => response?.statusCode === 201)).toBe(true);
    const { resources } = await container.items
      .query<number>('SELECT VALUE COUNT(1) FROM c', { partitionKey: 'p3' })
      .fetchAll();
    expect(resources).toEqual([36]);
  });
});
