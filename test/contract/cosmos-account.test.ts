import { CosmosClient, PartitionKeyDefinitionVersion, PartitionKeyKind } from '@azure/cosmos';
import { type Account, openAccount, refused } from '../support/cosmos-account';

describe('Cosmos: the account, databases and containers', () => {
  let account: Account;
  beforeAll(async () => {
    account = await openAccount();
  });
  afterAll(() => account.close());

  function clientWithKey(key: string): CosmosClient {
    const endpoint = /AccountEndpoint=([^;]+)/.exec(account.connectionString)![1]!;
    return new CosmosClient({ endpoint, key });
  }

  test('a wrong account key is refused with 401', async () => {
    const client = clientWithKey(Buffer.from('not the key').toString('base64'));
    expect((await refused(client.databases.readAll().fetchAll())).code).toBe(401);
    client.dispose();
  });

  test('the account names its regions', async () => {
    const { resource } = await account.client.getDatabaseAccount();
    expect(resource!.writableLocations.length).toBeGreaterThan(0);
    expect(resource!.consistencyPolicy).toBeDefined();
  });

  test('a database is created once, and 409 the second time', async () => {
    expect((await refused(account.client.databases.create({ id: account.database.id }))).code).toBe(409);
  });

  test('createIfNotExists answers 200 for a database that is there', async () => {
    const { statusCode } = await account.client.databases.createIfNotExists({ id: account.database.id });
    expect(statusCode).toBe(200);
  });

  test('a database can be read and is listed', async () => {
    const { resource } = await account.database.read();
    expect(resource).toMatchObject({ id: account.database.id });
    const { resources } = await account.client.databases.readAll().fetchAll();
    expect(resources.map(({ id }) => id)).toContain(account.database.id);
  });

  test('a database that does not exist is 404', async () => {
    expect((await refused(account.client.database('none').read())).code).toBe(404);
  });

  test('a container keeps its partition key, indexing policy, unique keys and time to live', async () => {
    const container = await account.container({
      partitionKey: {
        paths: ['/tenant'],
        kind: PartitionKeyKind.Hash,
        version: PartitionKeyDefinitionVersion.V2,
      },
      indexingPolicy: {
        indexingMode: 'consistent',
        automatic: true,
        includedPaths: [{ path: '/name/?' }],
        excludedPaths: [{ path: '/*' }],
      },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name'] }] },
      defaultTtl: 3600,
    });
    const { resource } = await container.read();
    expect(resource).toMatchObject({
      partitionKey: { paths: ['/tenant'], kind: 'Hash', version: 2 },
      indexingPolicy: { indexingMode: 'consistent' },
      uniqueKeyPolicy: { uniqueKeys: [{ paths: ['/name'] }] },
      defaultTtl: 3600,
    });
    expect(resource!.indexingPolicy!.includedPaths!.map(({ path }) => path)).toEqual(['/name/?']);
  });

  test('a container is created once, and 409 the second time', async () => {
    const container = await account.container();
    const again = account.database.containers.create({ id: container.id, partitionKey: { paths: ['/pk'] } });
    expect((await refused(again)).code).toBe(409);
  });

  test('a container in a database that does not exist is 404', async () => {
    const attempt = account.client
      .database('none')
      .containers.create({ id: 'x', partitionKey: { paths: ['/pk'] } });
    expect((await refused(attempt)).code).toBe(404);
  });

  test('containers are listed', async () => {
    const container = await account.container();
    const { resources } = await account.database.containers.readAll().fetchAll();
    expect(resources.map(({ id }) => id)).toContain(container.id);
  });

  test("a container's time to live can be replaced", async () => {
    const container = await account.container();
    const { resource } = await container.read();
    await container.replace({ ...resource!, defaultTtl: 60 });
    expect((await container.read()).resource).toMatchObject({ defaultTtl: 60 });
  });

  test("a container's partition key cannot be replaced", async () => {
    const container = await account.container();
    const { resource } = await container.read();
    const attempt = container.replace({ ...resource!, partitionKey: { paths: ['/other'] } });
    expect((await refused(attempt)).code).toBe(400);
  });

  test('a time to live of 0 is refused', async () => {
    expect((await refused(account.container({ defaultTtl: 0 }))).code).toBe(400);
  });

  test('a deleted container and what was in it are gone', async () => {
    const container = await account.container();
    await container.items.create({ id: 'a', pk: 'p' });
    await container.delete();
    expect((await refused(container.read())).code).toBe(404);
    expect((await refused(container.items.create({ id: 'a', pk: 'p' }))).code).toBe(404);
  });

  test('a container made again under the same name is empty and has another resource id', async () => {
    const first = await account.container({ id: 'again' });
    await first.items.create({ id: 'a', pk: 'p' });
    const { resource: before } = await first.read();
    await first.delete();
    const second = await account.container({ id: 'again' });
    const { resource: after } = await second.read();
    expect(after!._rid).not.toBe(before!._rid);
    expect((await second.item('a', 'p').read()).statusCode).toBe(404);
  });

  test('a container tells its partition key ranges, which cover the whole key space', async () => {
    const container = await account.container();
    const { resources } = await container.readPartitionKeyRanges().fetchAll();
    const bounds = resources.map(({ minInclusive, maxExclusive }) => [minInclusive, maxExclusive]);
    expect(bounds.map(([low]) => low).sort()[0]).toBe('');
    expect(bounds.map(([, high]) => high)).toContain('FF');
  });
});
