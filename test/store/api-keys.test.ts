import { apiKeyText, newApiKeySecret } from '../../src/auth/api-key';
import { tenantScope, type TenantScope } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';
import { type ApiKeys, createApiKeys, type NewApiKey } from '../../src/store/api-keys/api-keys';
import {
  type ApiKeyDocument,
  type ApiKeyRecordDocument,
  apiKeysOf,
  rightKeyOf,
} from '../../src/store/api-keys/documents';
import { createFailedLookups } from '../../src/store/api-keys/failed-lookups';
import { createKeyVerifier } from '../../src/store/api-keys/key-verifier';
import { MAXIMUM_API_KEYS } from '../../src/store/api-keys/records';
import { eventually } from '../support/eventually';
import { openWorkshop } from './jobs.support';
import { freshKey, startStore, type Store, tapped, valueOf } from './store.support';

const WANTED: NewApiKey = {
  ...{ tenantId: 'ten_a', name: 'Dashboard', permissions: ['READ_AVERAGES'], expiresInDays: 1 },
  ...{ buildingIds: null, documents: null },
};

describe('API keys in the store', () => {
  let store: Store;
  let keys: ApiKeys;
  let owner: TenantScope;
  beforeAll(async () => {
    store = await startStore();
    keys = createApiKeys(store);
    owner = await store.member('owner', 'ten_a', 'OWNER');
  });
  afterAll(() => store.stop());

  const rightOf = (id: string) => store.cosmos.read<ApiKeyDocument>('directory', rightKeyOf(id), id);
  const verifier = () =>
    createKeyVerifier({
      cosmos: store.cosmos,
      memberships: { standing: async () => true },
      failedLookups: createFailedLookups(),
      onUse: () => undefined,
    });

  it('are made by the same call where a try of it broke off, and then shown to nobody', async () => {
    for (let failing = 1; ; failing++) {
      const idempotencyKey = freshKey();
      let broke = false;
      const broken = tapped(store.cosmos, {
        after(call) {
          if (call !== failing) return;
          broke = true;
          throw new Error('the answer was lost');
        },
      });
      const first = await createApiKeys({ cosmos: broken })
        .createApiKey(owner, WANTED, idempotencyKey)
        .catch(() => null);
      const second = valueOf(await keys.createApiKey(owner, WANTED, idempotencyKey));
      const { id } = second.record;
      expect(await rightOf(id)).toMatchObject({ endedAt: null, hash: second.record.hash });
      for (const text of [first?.ok ? first.value.text : null, second.text]) {
        if (text != null) expect((await verifier().verify(text, 'here')).id).toBe(id);
      }
      if (!broke) break;
    }
  });

  it('that are revoked stay so, wherever the revocation breaks off and is done again', async () => {
    for (let failing = 1; ; failing++) {
      const made = valueOf(await keys.createApiKey(owner, WANTED, freshKey()));
      const { id } = made.record;
      let broke = false;
      const broken = tapped(store.cosmos, {
        before(call) {
          if (call !== failing) return;
          broke = true;
          throw new Error('the store is away');
        },
      });
      await createApiKeys({ cosmos: broken })
        .revokeApiKey(owner, id)
        .catch(() => null);
      // The right ends first: no record ever says that a key is revoked which lets somebody in.
      const said = valueOf({ ok: true, value: (await keys.apiKey(owner, id))! });
      if (said.record.endedAt !== null) expect((await rightOf(id))!.endedAt).not.toBeNull();
      expect(valueOf(await keys.revokeApiKey(owner, id)).record.endedAt).not.toBeNull();
      expect((await rightOf(id))!.endedAt).not.toBeNull();
      await expect(verifier().verify(made.text!, 'here')).rejects.toMatchObject({ code: 'API_KEY_INVALID' });
      if (!broke) break;
    }
  });

  it('that nobody finished making are not brought about after they were revoked', async () => {
    const idempotencyKey = freshKey();
    const broken = tapped(store.cosmos, {
      before(_call, name) {
        if (name === 'batch' && ++batches === 3) throw new Error('the store is away');
      },
    });
    let batches = 0;
    // The claim of the idempotency key, the record; and not the key.
    await expect(
      createApiKeys({ cosmos: broken }).createApiKey(owner, WANTED, idempotencyKey),
    ).rejects.toThrow();
    const { items } = await keys.apiKeys(owner, 'ten_a', { first: 1, after: null });
    const { id } = items[0]!.record;
    expect(await rightOf(id)).toBeNull();
    valueOf(await keys.revokeApiKey(owner, id));
    valueOf(await keys.createApiKey(owner, WANTED, idempotencyKey));
    expect(await rightOf(id)).toMatchObject({ endedAt: expect.any(Number) as number });
  });

  it('are limited in number, expired ones not counted', async () => {
    const other = await store.member('other', 'ten_full', 'OWNER');
    const wanted = { ...WANTED, tenantId: 'ten_full' };
    const first = valueOf(await keys.createApiKey(other, wanted, freshKey()));
    const count = { id: 'count', key: apiKeysOf('ten_full'), kind: 'count', number: MAXIMUM_API_KEYS };
    await store.cosmos.bulkUpsert('directory', [count]);
    expect(await keys.createApiKey(other, wanted, freshKey())).toMatchObject({
      refusal: { code: 'LIMIT_EXCEEDED' },
    });
    const record: ApiKeyRecordDocument = { ...first.record, expiresAt: Date.now() - 1 };
    await store.cosmos.bulkUpsert('directory', [record]);
    expect((await keys.createApiKey(other, wanted, freshKey())).ok).toBe(true);
    expect((await keys.apiKey(other, record.id))!.record.endedAt).not.toBeNull();
  });

  it('that are made up are looked up as often as an address may, and no more', async () => {
    let now = 0;
    let reads = 0;
    const made = createKeyVerifier({
      cosmos: { read: async () => (reads++, null) },
      memberships: { standing: async () => true },
      failedLookups: createFailedLookups({ capacity: 3, perSecond: 1, now: () => now }),
      onUse: () => undefined,
    });
    const codes = (address: string, count: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          made
            .verify(apiKeyText({ id: newId('key'), secret: newApiKeySecret() }), address)
            .catch((error: { code: string }) => error.code),
        ),
      );
    const [wrong, wait] = ['API_KEY_INVALID', 'API_KEYS_TOO_MANY_WRONG'];
    expect(await codes('1.1.1.1', 5)).toEqual([wrong, wrong, wrong, wait, wait]);
    expect(reads).toBe(3);
    expect(await codes('2.2.2.2', 1)).toEqual([wrong]);
    now = 2_000;
    expect(await codes('1.1.1.1', 3)).toEqual([wrong, wrong, wait]);
    expect(reads).toBe(6);
  });

  it('that are good cost an address nothing, and are looked up once', async () => {
    let reads = 0;
    const used: string[] = [];
    const made = createKeyVerifier({
      cosmos: tapped(store.cosmos, { before: () => reads++ }),
      memberships: { standing: async () => true },
      failedLookups: createFailedLookups({ capacity: 1, perSecond: 0 }),
      onUse: ({ id }) => used.push(id),
    });
    const ids = [];
    for (let i = 0; i < 3; i++) {
      const { record, text } = valueOf(await keys.createApiKey(owner, WANTED, freshKey()));
      for (let again = 0; again < 2; again++) ids.push((await made.verify(text!, 'here')).id);
      expect(ids.slice(-2)).toEqual([record.id, record.id]);
    }
    expect(reads).toBe(3);
    expect(used).toEqual(ids);
  });

  it('have jobs worked off that their programs start, by their rights at each step and in their name', async () => {
    const workshop = openWorkshop(store);
    const permissions: NewApiKey['permissions'] = ['REGISTER_DEVICES'];
    const { record } = valueOf(await keys.createApiKey(owner, { ...WANTED, permissions }, freshKey()));
    const { id, tenantId, createdBy, expiresAt } = record;
    const program = tenantScope(
      { kind: 'key', id, email: null, expiresAt, tenantId, createdBy, documents: null },
      await store.registry.memberships(id),
    );
    const job = await workshop.registering(program, 'ten_a', ['SN-1']);
    expect(job.principal).toEqual({ kind: 'key', id, createdBy: owner.principal.id });
    await workshop.worker();
    expect(await workshop.ended(owner, job.jobId)).toMatchObject({ state: 'SUCCEEDED', failed: 0 });
    valueOf(await keys.revokeApiKey(owner, id));
    await eventually(async () => expect(await store.registry.memberships(id)).toEqual([]));
    const last = await workshop.registering(program, 'ten_a', ['SN-3']);
    const ended = await workshop.ended(owner, last.jobId);
    expect([ended.state, ended.error?.code]).toEqual(['FAILED', 'FORBIDDEN']);
    await workshop.stop();
  });

  it('are not judged where the store is away, which costs an address nothing', async () => {
    const away = createKeyVerifier({
      cosmos: { read: () => Promise.reject(new Error('the store is away')) },
      memberships: { standing: async () => true },
      failedLookups: createFailedLookups({ capacity: 1, perSecond: 0 }),
      onUse: () => undefined,
    });
    const { text } = valueOf(await keys.createApiKey(owner, WANTED, freshKey()));
    for (let i = 0; i < 3; i++) await expect(away.verify(text!, 'here')).rejects.toThrow('the store is away');
  });
});
