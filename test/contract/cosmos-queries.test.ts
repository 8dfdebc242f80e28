import { type Container, type FeedOptions, type SqlQuerySpec } from '@azure/cosmos';
import { type Account, openAccount, refused } from '../support/cosmos-account';

describe('Cosmos: queries over one partition', () => {
  let account: Account;
  let container: Container;
  beforeAll(async () => {
    account = await openAccount();
    container = await account.container({
      indexingPolicy: {
        indexingMode: 'consistent',
        automatic: true,
        includedPaths: [{ path: '/*' }, { path: '/explicit/?' }],
        excludedPaths: [{ path: '/hidden/?' }],
      },
    });
    const documents = [
      { id: '1', n: 3, s: 'apple', tags: ['red', 'round'], nested: { a: { b: 1 } }, explicit: 2, hidden: 1 },
      { id: '2', n: 1, s: 'Banana', tags: ['yellow'], nested: { a: { b: 2 } } },
      { id: '3', n: null, s: 'apricot', flag: true, parts: [{ k: 1, l: 2 }, { k: 3 }] },
      { id: '4', n: '3', s: 'cherry', flag: false, explicit: 1 },
      { id: '5', s: 'date', tags: [], nested: { a: 'text' } },
      { id: '6', n: -2.5, s: 'elder_berry', flag: 'true' },
      { id: '7', n: [1, 2], s: '100%' },
      { id: '8', n: { deep: true }, s: '' },
      { id: '9', n: true },
    ];
    for (const document of documents) await container.items.create({ pk: 'p', ...document });
    await container.items.create({ id: '1', pk: 'q', n: 3, s: 'apple' });
  });
  afterAll(() => account.close());

  async function all<T = unknown>(
    query: string,
    parameters: Record<string, unknown> = {},
    options: FeedOptions = {},
  ) {
    const spec: SqlQuerySpec = {
      query,
      parameters: Object.entries(parameters).map(([name, value]) => ({
        name: `@${name}`,
        value: value as never,
      })),
    };
    const { resources } = await container.items.query<T>(spec, { partitionKey: 'p', ...options }).fetchAll();
    return resources;
  }
  /** The ids that a condition keeps, sorted. */
  async function where(condition: string, parameters: Record<string, unknown> = {}): Promise<string> {
    return (await all<string>(`SELECT VALUE c.id FROM c WHERE ${condition}`, parameters)).sort().join('');
  }

  test('SELECT * answers the stored documents of the partition and of no other', async () => {
    const documents = await all<{ id: string; pk: string; _etag: string }>('SELECT * FROM c');
    expect(
      documents
        .map(({ id }) => id)
        .sort()
        .join(''),
    ).toBe('123456789');
    expect(documents.every(({ pk, _etag }) => pk === 'p' && _etag.length > 0)).toBe(true);
  });

  test('the document may be called anything, and root without a name', async () => {
    expect(await all('SELECT VALUE device.n FROM device WHERE device.id = "1"')).toEqual([3]);
    expect(await all('SELECT VALUE d.n FROM device AS d WHERE d.id = "1"')).toEqual([3]);
    expect(await all('SELECT VALUE root.n FROM root WHERE root.id = "1"')).toEqual([3]);
  });

  test('equality holds within a type and is false between types', async () => {
    expect(await where('c.n = 3')).toBe('1');
    expect(await where('c.n = "3"')).toBe('4');
    expect(await where('c.n = null')).toBe('3');
    expect(await where('c.n = true')).toBe('9');
    expect(await where('c.flag = true')).toBe('3');
  });

  test('a missing property equals nothing and differs from nothing', async () => {
    expect(await where('c.n != 3')).toBe('2346789');
    expect(await where('c.flag != true')).toBe('46');
    expect(await where('c.none = null')).toBe('');
    expect(await where('c.none != null')).toBe('');
    expect(await where('NOT (c.none = 1)')).toBe('');
  });

  test('arrays and objects are compared whole', async () => {
    expect(await where('c.n = [1, 2]')).toBe('7');
    expect(await where('c.n = [2, 1]')).toBe('');
    expect(await where('c.n = {"deep": true}')).toBe('8');
    expect(await where('c.tags = []')).toBe('5');
    expect(await where('c.n = @v', { v: [1, 2] })).toBe('7');
  });

  test('order comparisons hold within numbers and within texts', async () => {
    expect(await where('c.n > 0')).toBe('12');
    expect(await where('c.n <= 1')).toBe('26');
    expect(await where('c.s < "b"')).toBe('12378');
    expect(await where('3 > c.n')).toBe('26');
  });

  test('AND, OR and NOT know undefined as well as true and false', async () => {
    expect(await where('c.none = 1 OR c.id = "1"')).toBe('1');
    expect(await where('c.none = 1 AND c.id = "1"')).toBe('');
    expect(await where('NOT (c.none = 1 AND c.id = "1")')).toBe('23456789');
    expect(await where('c.flag')).toBe('3');
    expect(await where('NOT (c.flag)')).toBe('4');
    expect(await where('c.id = "1" OR c.id = "2" AND c.n = 99')).toBe('1');
  });

  test('IN and BETWEEN and their negations', async () => {
    expect(await where('c.n IN (1, 3, "3")')).toBe('124');
    expect(await where('c.n IN (@a, @b)', { a: 1, b: null })).toBe('23');
    expect(await where('c.flag NOT IN (true)')).toBe('46');
    expect(await where('c.n BETWEEN -3 AND 1')).toBe('26');
    expect(await where('c.s BETWEEN "a" AND "b"')).toBe('13');
    expect(await where('c.id IN ("2", "9", "none")')).toBe('29');
  });

  test('IS_DEFINED, IS_NULL and the tests of types', async () => {
    expect(await where('IS_DEFINED(c.n)')).toBe('12346789');
    expect(await where('NOT IS_DEFINED(c.n)')).toBe('5');
    expect(await where('IS_NULL(c.n)')).toBe('3');
    expect(await where('IS_NUMBER(c.n)')).toBe('126');
    expect(await where('IS_STRING(c.n)')).toBe('4');
    expect(await where('IS_BOOL(c.n)')).toBe('9');
    expect(await where('IS_ARRAY(c.n)')).toBe('7');
    expect(await where('IS_OBJECT(c.n)')).toBe('8');
  });

  test('STARTSWITH, ENDSWITH, CONTAINS and their ignoring of case', async () => {
    expect(await where('STARTSWITH(c.s, "ap")')).toBe('13');
    expect(await where('STARTSWITH(c.s, "B")')).toBe('2');
    expect(await where('STARTSWITH(c.s, "b", true)')).toBe('2');
    expect(await where('ENDSWITH(c.s, "rry")')).toBe('46');
    expect(await where('CONTAINS(c.s, "an")')).toBe('2');
    expect(await where('CONTAINS(c.s, "BANA", true)')).toBe('2');
    expect(await where('STARTSWITH(c.s, "")')).toBe('12345678');
  });

  test('LIKE with its wildcards and its escape', async () => {
    expect(await where('c.s LIKE "ap%"')).toBe('13');
    expect(await where('c.s LIKE "_ate"')).toBe('5');
    expect(await where('c.s LIKE "%\\\\_%" ESCAPE "\\\\"')).toBe('6');
    expect(await where('c.s LIKE "100!%" ESCAPE "!"')).toBe('7');
    expect(await where('c.s NOT LIKE "%e%"')).toBe('2378');
  });

  test('ARRAY_CONTAINS whole and partial, and ARRAY_LENGTH', async () => {
    expect(await where('ARRAY_CONTAINS(c.tags, "red")')).toBe('1');
    expect(await where('ARRAY_CONTAINS(c.parts, {"k": 1, "l": 2})')).toBe('3');
    expect(await where('ARRAY_CONTAINS(c.parts, {"k": 1})')).toBe('');
    expect(await where('ARRAY_CONTAINS(c.parts, {"k": 1}, true)')).toBe('3');
    expect(await where('ARRAY_CONTAINS(@list, c.s)', { list: ['date', 'apple'] })).toBe('15');
    expect(await where('ARRAY_LENGTH(c.tags) = 2')).toBe('1');
  });

  test('paths go into objects and arrays, by dots and by brackets', async () => {
    expect(await where('c.nested.a.b = 2')).toBe('2');
    expect(await where('c["nested"]["a"]["b"] = 1')).toBe('1');
    expect(await where('c.tags[1] = "round"')).toBe('1');
    expect(await where('c.parts[1].k = 3')).toBe('3');
    expect(await where('c.s.length = 5')).toBe('');
  });

  test('arithmetic, concatenation, ?? and the conditional', async () => {
    expect(await where('c.n + 1 = 4')).toBe('1');
    expect(await where('c.n * -2 = 5')).toBe('6');
    expect(await where('c.s || "!" = "date!"')).toBe('5');
    expect(await all('SELECT VALUE c.none ?? c.s FROM c WHERE c.id = "1"')).toEqual(['apple']);
    expect(await all('SELECT VALUE (c.n = 3 ? "three" : "other") FROM c WHERE c.id = "1"')).toEqual([
      'three',
    ]);
  });

  test('projections leave out what is undefined', async () => {
    expect(
      await all('SELECT c.id, c.n AS number, c.nested.a.b FROM c WHERE c.id IN ("1", "5") ORDER BY c.id'),
    ).toEqual([{ id: '1', number: 3, b: 1 }, { id: '5' }]);
    expect(await all('SELECT VALUE c.n FROM c WHERE c.id IN ("3", "5")')).toEqual([null]);
    expect(await all('SELECT VALUE {"name": c.s, "none": c.none} FROM c WHERE c.id = "5"')).toEqual([
      { name: 'date' },
    ]);
    expect(await all('SELECT VALUE [c.id, c.none, 1] FROM c WHERE c.id = "5"')).toEqual([['5', 1]]);
    const [wrapped] = await all<{ c: { id: string } }>('SELECT c FROM c WHERE c.id = "5"');
    expect(wrapped!.c.id).toBe('5');
  });

  test('ORDER BY a property goes by type, then value, and leaves out documents without it', async () => {
    const ascending = await all<string>('SELECT VALUE c.id FROM c ORDER BY c.n');
    // null, booleans, numbers, texts, arrays, objects
    expect(ascending.join('')).toBe('396214' + '78');
    const descending = await all<string>('SELECT VALUE c.id FROM c ORDER BY c.n DESC');
    expect(descending.join('')).toBe('87412693');
  });

  test('ORDER BY a property that the indexing policy names puts documents without it first', async () => {
    const ids = await all<string>('SELECT VALUE c.id FROM c ORDER BY c.explicit');
    expect(ids).toHaveLength(9);
    expect(ids.slice(-2)).toEqual(['4', '1']);
  });

  test('ORDER BY a property that the indexing policy excludes is refused', async () => {
    expect((await refused(all('SELECT * FROM c ORDER BY c.hidden'))).code).toBe(400);
  });

  test('a filter on a property that the indexing policy excludes still works', async () => {
    expect(await where('c.hidden = 1')).toBe('1');
  });

  test('ORDER BY with a filter, by id and by texts', async () => {
    expect(
      (await all<string>('SELECT VALUE c.id FROM c WHERE IS_DEFINED(c.tags) ORDER BY c.id DESC')).join(''),
    ).toBe('521');
    expect((await all<string>('SELECT VALUE c.s FROM c WHERE c.s >= "a" ORDER BY c.s')).join()).toBe(
      'apple,apricot,cherry,date,elder_berry',
    );
    expect((await all<string>('SELECT VALUE c.id FROM c WHERE c.n > 0 ORDER BY c.s DESC')).join('')).toBe(
      '12',
    );
  });

  test('TOP, and OFFSET with LIMIT', async () => {
    expect(await all('SELECT TOP 2 VALUE c.id FROM c ORDER BY c.id')).toEqual(['1', '2']);
    expect(await all('SELECT TOP @n VALUE c.id FROM c ORDER BY c.id DESC', { n: 1 })).toEqual(['9']);
    expect(await all('SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 3 LIMIT 2')).toEqual(['4', '5']);
    expect(await all('SELECT VALUE c.id FROM c ORDER BY c.id OFFSET @o LIMIT @l', { o: 7, l: 9 })).toEqual([
      '8',
      '9',
    ]);
    expect(await all('SELECT TOP 0 * FROM c')).toEqual([]);
  });

  test('COUNT, SUM, MIN, MAX and AVG of a partition', async () => {
    expect(await all('SELECT VALUE COUNT(1) FROM c')).toEqual([9]);
    expect(await all('SELECT VALUE COUNT(1) FROM c WHERE c.s = "date"')).toEqual([1]);
    expect(await all('SELECT VALUE COUNT(c.flag) FROM c')).toEqual([3]);
    expect(await all('SELECT VALUE SUM(c.n) FROM c WHERE IS_NUMBER(c.n)')).toEqual([1.5]);
    expect(await all('SELECT VALUE AVG(c.n) FROM c WHERE IS_NUMBER(c.n)')).toEqual([0.5]);
    expect(await all('SELECT VALUE MIN(c.n) FROM c WHERE IS_NUMBER(c.n)')).toEqual([-2.5]);
    expect(await all('SELECT VALUE MAX(c.s) FROM c')).toEqual(['elder_berry']);
  });

  test('parameters are values, never query text', async () => {
    expect(await where('c.s = @v', { v: '" OR true OR "' })).toBe('');
    expect(await where('c.s = @v', { v: '100%' })).toBe('7');
  });

  test('pages follow each other by continuation, also in another iterator', async () => {
    for (const query of [
      'SELECT VALUE c.id FROM c',
      'SELECT VALUE c.id FROM c ORDER BY c.id DESC',
      'SELECT VALUE c.id FROM c ORDER BY c.s',
      'SELECT VALUE c.id FROM c ORDER BY c.n DESC',
      'SELECT VALUE c.id FROM c WHERE c.s >= "a"',
      'SELECT VALUE c.id FROM c ORDER BY c.id OFFSET 1 LIMIT 6',
      'SELECT TOP 5 VALUE c.id FROM c ORDER BY c.s',
      'SELECT VALUE c.id FROM c WHERE c.n IN (1, 3, "3", null) ORDER BY c.s DESC',
    ]) {
      const whole = await all<string>(query);
      const paged: string[] = [];
      let continuation: string | undefined;
      do {
        const { resources, continuationToken } = await container.items
          .query<string>(query, { partitionKey: 'p', maxItemCount: 2, continuationToken: continuation })
          .fetchNext();
        expect(resources.length).toBeLessThanOrEqual(2);
        paged.push(...resources);
        continuation = continuationToken;
      } while (continuation !== undefined);
      expect({ query, ids: paged }).toEqual({ query, ids: whole });
    }
  });

  test('a query tells its charge, which grows with what it returns', async () => {
    const one = await container.items
      .query('SELECT * FROM c WHERE c.id = "1"', { partitionKey: 'p' })
      .fetchAll();
    const many = await container.items.query('SELECT * FROM c', { partitionKey: 'p' }).fetchAll();
    expect(one.requestCharge).toBeGreaterThan(1);
    expect(many.requestCharge).toBeGreaterThan(one.requestCharge);
  });

  test('a filter without a partition key reads every partition', async () => {
    const { resources } = await container.items
      .query<string>('SELECT VALUE c.pk FROM c WHERE c.s = "apple"')
      .fetchAll();
    expect(resources.sort()).toEqual(['p', 'q']);
  });

  test('queries with mistakes are refused with 400', async () => {
    for (const query of [
      'SELEC * FROM c',
      'SELECT * FROM',
      'SELECT * FROM c WHERE',
      'SELECT * FROM c WHERE c.a = ',
      'SELECT * FROM c WHERE x.a = 1',
      'SELECT * FROM c WHERE NO_SUCH_FUNCTION(c.a)',
      'SELECT * FROM c ORDER BY',
      'SELECT TOP "2" * FROM c',
      "SELECT * FROM c WHERE c.a = 'open",
    ]) {
      expect({ query, code: (await refused(all(query))).code }).toEqual({ query, code: 400 });
    }
  });
});
