import { ChangeFeedStartFrom, type ChangeFeedIteratorOptions, type Container } from '@azure/cosmos';
import { type Account, openAccount } from '../support/cosmos-account';

interface Change {
  id: string;
  x?: number;
  _lsn: number;
}

describe('Cosmos: the change feed', () => {
  let account: Account;
  beforeAll(async () => {
    account = await openAccount();
  });
  afterAll(() => account.close());

  /** All changes until nothing is new, the pages' sizes, and where it ended. */
  async function read(container: Container, options: ChangeFeedIteratorOptions) {
    const iterator = container.items.getChangeFeedIterator(options);
    const changes: Change[] = [];
    const pages: number[] = [];
    for (;;) {
      const page = await iterator.readNext();
      if (page.statusCode === 304) return { changes, pages, continuation: page.continuationToken };
      pages.push(page.count);
      changes.push(...(page.result as unknown as Change[]));
    }
  }
  const beginning = { changeFeedStartFrom: ChangeFeedStartFrom.Beginning() };
  const from = (continuation: string) => ({
    changeFeedStartFrom: ChangeFeedStartFrom.Continuation(continuation),
  });
  const ids = (changes: Change[]): string[] => changes.map(({ id }) => id);

  test('from the beginning every document comes once, at its last version, in the order of the last changes', async () => {
    const container = await account.container();
    for (const id of ['a', 'b', 'c']) await container.items.create({ id, pk: 'p', x: 0 });
    for (const x of [1, 2]) await container.items.upsert({ id: 'a', pk: 'p', x });
    const { changes } = await read(container, beginning);
    expect(ids(changes)).toEqual(['b', 'c', 'a']);
    expect(changes[2]).toMatchObject({ x: 2 });
    expect(changes[2]!._lsn).toBeGreaterThan(changes[0]!._lsn);
  });

  test('a continuation goes on after what was read, also in another client', async () => {
    const container = await account.container();
    await container.items.create({ id: 'a', pk: 'p' });
    const first = await read(container, beginning);
    await container.items.create({ id: 'b', pk: 'q' });
    await container.items.upsert({ id: 'a', pk: 'p', x: 1 });
    const second = await read(container, from(first.continuation));
    expect(ids(second.changes)).toEqual(['b', 'a']);
    expect((await read(container, from(second.continuation))).changes).toEqual([]);
  });

  test('an iterator that found nothing finds what comes later', async () => {
    const container = await account.container();
    const iterator = container.items.getChangeFeedIterator(beginning);
    expect((await iterator.readNext()).statusCode).toBe(304);
    await container.items.create({ id: 'later', pk: 'p' });
    const page = await iterator.readNext();
    expect(ids(page.result as unknown as Change[])).toEqual(['later']);
    expect((await iterator.readNext()).statusCode).toBe(304);
  });

  test('from now only what comes later is seen', async () => {
    const container = await account.container();
    await container.items.create({ id: 'before', pk: 'p' });
    const iterator = container.items.getChangeFeedIterator({
      changeFeedStartFrom: ChangeFeedStartFrom.Now(),
    });
    expect((await iterator.readNext()).statusCode).toBe(304);
    await container.items.create({ id: 'after', pk: 'p' });
    const page = await iterator.readNext();
    expect(ids(page.result as unknown as Change[])).toEqual(['after']);
  });

  test('from a time only changes since then are seen', async () => {
    const container = await account.container();
    const { resource } = await container.items.create({ id: 'before', pk: 'p' });
    const written = (resource as { _ts: number })._ts;
    while (Date.now() / 1000 < written + 2) await new Promise((resolve) => setTimeout(resolve, 50));
    await container.items.create({ id: 'after', pk: 'p' });
    const start = new Date((written + 1) * 1000);
    const { changes } = await read(container, { changeFeedStartFrom: ChangeFeedStartFrom.Time(start) });
    expect(ids(changes)).toEqual(['after']);
  });

  test('pages hold at most what was asked for and together everything once', async () => {
    const container = await account.container();
    for (let i = 0; i < 25; i++) await container.items.create({ id: `d${i}`, pk: `p${i % 3}` });
    const { changes, pages } = await read(container, { ...beginning, maxItemCount: 10 });
    expect(Math.max(...pages)).toBeLessThanOrEqual(10);
    expect(ids(changes).sort()).toEqual(Array.from({ length: 25 }, (_, i) => `d${i}`).sort());
  });

  test('a transactional batch comes whole on one page', async () => {
    const container = await account.container();
    await container.items.create({ id: 'alone', pk: 'p' });
    await container.items.batch(
      Array.from({ length: 30 }, (_, i) => ({
        operationType: 'Create' as const,
        resourceBody: { id: `batch-${i}`, pk: 'p' },
      })),
      'p',
    );
    const iterator = container.items.getChangeFeedIterator({ ...beginning, maxItemCount: 5 });
    const pages: string[][] = [];
    for (;;) {
      const page = await iterator.readNext();
      if (page.statusCode === 304) break;
      pages.push(ids(page.result as unknown as Change[]));
    }
    expect(pages.filter((page) => page.some((id) => id.startsWith('batch-')))).toHaveLength(1);
  });

  test('deleted documents do not show', async () => {
    const container = await account.container();
    await container.items.create({ id: 'a', pk: 'p' });
    await container.items.create({ id: 'b', pk: 'p' });
    await container.item('a', 'p').delete();
    expect(ids((await read(container, beginning)).changes)).toEqual(['b']);
  });

  test("one partition's feed shows its own changes", async () => {
    const container = await account.container();
    for (const [id, pk] of [
      ['a', 'p'],
      ['b', 'q'],
      ['c', 'p'],
    ]) {
      await container.items.create({ id, pk });
    }
    const { changes } = await read(container, { changeFeedStartFrom: ChangeFeedStartFrom.Beginning('p') });
    expect(ids(changes)).toEqual(['a', 'c']);
  });

  test('a prefix of a hierarchical key has a feed of everything below it', async () => {
    const container = await account.container({
      partitionKey: { paths: ['/tenant', '/building'], kind: 'MultiHash' as never, version: 2 as never },
    });
    for (const [id, tenant, building] of [
      ['a', 'north', '1'],
      ['b', 'south', '1'],
      ['c', 'north', '2'],
    ]) {
      await container.items.create({ id, tenant, building });
    }
    const { changes } = await read(container, {
      changeFeedStartFrom: ChangeFeedStartFrom.Beginning(['north']),
    });
    expect(ids(changes)).toEqual(['a', 'c']);
  });

  test('a continuation of a container that was deleted and made again is refused', async () => {
    const container = await account.container({ id: 'reborn' });
    await container.items.create({ id: 'a', pk: 'p' });
    const { continuation } = await read(container, beginning);
    await container.delete();
    const again = await account.container({ id: 'reborn' });
    await expect(read(again, from(continuation))).rejects.toThrow(/continuation/i);
  });
});
