import { type TenantScope } from '../../src/auth/scope';
import { documentIdOf } from '../../src/domain/document-id';
import { trustedDocumentsOf } from '../../src/store/trusted-documents/documents';
import {
  createTrustedDocuments,
  type TrustedDocuments,
} from '../../src/store/trusted-documents/trusted-documents';
import { freshKey, startStore, type Store, valueOf } from './store.support';

const TENANT = 'ten_north';

describe('trusted documents in the store', () => {
  let store: Store;
  let owner: TenantScope;
  let documents: TrustedDocuments;
  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', TENANT, 'OWNER');
    documents = createTrustedDocuments({ cosmos: store.cosmos, maximum: 250 });
  });
  afterAll(() => store.stop());

  const texts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => `query Q${from + n} { viewer { id } }`).map((text) => ({
      documentId: documentIdOf(text),
      text,
    }));
  const register = (client: string, from: number, to: number, by = documents) =>
    by.registerDocuments(owner, { tenantId: TENANT, client, documents: texts(from, to) }, freshKey());
  const counted = async () =>
    (await store.cosmos.read<{ number: number }>('directory', trustedDocumentsOf(TENANT), 'count'))!.number;
  const listed = async (client: string): Promise<number> => {
    let after: string | null = null;
    let found = 0;
    do {
      const page = await documents.trustedDocuments(owner, TENANT, { first: 90, after, client });
      found += page.items.length;
      after = page.next;
    } while (after !== null);
    return found;
  };

  it('are counted once, however many clients register them at the same time, in as many batches as it takes', async () => {
    const other = createTrustedDocuments({ cosmos: store.anotherCosmos(), maximum: 250 });
    const [one, two] = await Promise.all([register('one', 0, 200), register('two', 100, 210, other)]);
    expect([valueOf(one).length, valueOf(two).length]).toEqual([200, 110]);
    expect([await listed('one'), await listed('two'), await counted()]).toEqual([200, 110, 210]);
    const events = await store.cosmos.query<{ subject: string }>(
      'directory',
      trustedDocumentsOf(TENANT),
      "SELECT c.subject FROM c WHERE c.type = 'audit'",
    );
    expect(events.map(({ subject }) => subject).sort()).toEqual(['one', 'two']);
  });

  it('are never more than a tenant may have, whoever registers them at the same time', async () => {
    const outcomes = await Promise.all([register('three', 300, 330), register('four', 400, 430)]);
    const refused = outcomes.flatMap((each) => (each.ok ? [] : [each.refusal.code]));
    expect(refused).toEqual(['LIMIT_EXCEEDED']);
    expect(await counted()).toBe(240);
  });

  it('go with their last client, and what was registered twice at once stands once', async () => {
    const ids = texts(0, 210).map(({ documentId }) => documentId);
    const retire = (client: string) =>
      documents.retireDocuments(owner, { tenantId: TENANT, client, documentIds: ids });
    expect((await Promise.all([retire('one'), retire('two')])).map((each) => valueOf(each).length)).toEqual([
      200, 110,
    ]);
    expect(await counted()).toBe(30);
    expect(await documents.trustedTexts([TENANT, 'ten_south'], ids[0]!)).toEqual([null, null]);
    const again = await Promise.all([register('one', 0, 20), register('one', 0, 20)]);
    expect(again.map((each) => valueOf(each).length)).toEqual([20, 20]);
    expect(await counted()).toBe(50);
  });
});
