import 'reflect-metadata';
import { createAdmission } from '../../src/api/admission';
import { createDocumentCache } from '../../src/api/document-cache';
import { DEFAULT_LIMITS } from '../../src/api/limits';
import { createApiMeters } from '../../src/api/meters';
import { createRequestedDocuments, mayExecute } from '../../src/api/requested-documents';
import { createThrottle } from '../../src/api/throttle';
import { type KeyPrincipal, type PersonPrincipal } from '../../src/auth/principal';
import { tenantScope } from '../../src/auth/scope';
import { documentIdOf } from '../../src/domain/document-id';
import { createMetrics } from '../../src/observability/metrics';

const PERSON: PersonPrincipal = { kind: 'person', id: 'per_1', email: null, expiresAt: Infinity };
const KEY: KeyPrincipal = {
  kind: 'key',
  id: 'key_1',
  email: null,
  expiresAt: Infinity,
  tenantId: 'ten_1',
  createdBy: 'per_1',
  documents: null,
};
const RIGHT = { buildingId: null, quantities: null, role: 'OWNER' as const, until: null };
const TEXT = 'query Me { viewer { id } }';
const bucket = { capacity: 1e9, restorePerSecond: 1 };

/** Somebody of some tenants, and a store that has given texts and counts what it is asked. */
function build(options: { texts?: string[]; tenants?: string[]; maximumCharacters?: number } = {}) {
  const { tenants = ['ten_1'], maximumCharacters } = options;
  const texts = new Map((options.texts ?? []).map((text) => [documentIdOf(text), text]));
  let clock = 0;
  const asked: string[][] = [];
  const throttle = createThrottle({ client: bucket, tenant: bucket });
  const requested = createRequestedDocuments({
    store: {
      async trustedTexts(tenantIds, id) {
        asked.push([...tenantIds]);
        return tenantIds.map(() => texts.get(id) ?? null);
      },
    },
    throttle,
    meters: createApiMeters(createMetrics({ process: 'api' })),
    now: () => clock,
    ...(maximumCharacters !== undefined && { maximumCharacters }),
  });
  const scopeOf = (principal: PersonPrincipal | KeyPrincipal) =>
    tenantScope(
      principal,
      tenants.map((tenantId) => ({ ...RIGHT, tenantId })),
    );
  return {
    texts,
    asked,
    requested,
    throttle,
    scopeOf,
    find: (request: object, principal: PersonPrincipal | KeyPrincipal = PERSON) =>
      requested.find(scopeOf(principal), request),
    pass: (ms: number) => void (clock += ms),
  };
}

const code = (value: string) => ({ extensions: { code: value } });

describe('requested documents', () => {
  it('are looked for once a minute, and a while after they were not there', async () => {
    const { find, asked, pass, texts, requested } = build({ texts: [TEXT] });
    const documentId = documentIdOf(TEXT);
    for (let n = 0; n < 3; n++) expect(await find({ documentId })).toEqual({ source: TEXT, trusted: true });
    expect(asked).toHaveLength(1);
    texts.clear();
    pass(60_001);
    await expect(find({ documentId })).rejects.toMatchObject(code('DOCUMENT_NOT_FOUND'));
    await expect(find({ documentId })).rejects.toMatchObject(code('DOCUMENT_NOT_FOUND'));
    expect(asked).toHaveLength(2);
    texts.set(documentId, TEXT);
    requested.forget('ten_1', [documentId]);
    expect(await find({ documentId })).toEqual({ source: TEXT, trusted: true });
  });

  it('are looked for in one’s own tenants, ten at most, and paid for where the store is asked', async () => {
    const tenants = Array.from({ length: 12 }, (_, n) => `ten_${n}`);
    const { find, asked, throttle } = build({ tenants });
    await expect(find({ documentId: documentIdOf(TEXT) })).rejects.toMatchObject(code('DOCUMENT_NOT_FOUND'));
    expect(asked).toEqual([tenants.slice(0, 10)]);
    const { status } = throttle.charge({ client: PERSON.id, tenants: [] }, 0);
    expect(status.maximumAvailable - status.currentlyAvailable).toBe(10);
  });

  it('of a locked key are those it is locked to, by id or by text, and the store is asked for no other', async () => {
    const { find, asked } = build({ texts: [TEXT, '{ other: viewer { id } }'] });
    const locked = { ...KEY, documents: [documentIdOf(TEXT)] };
    expect(await find({ documentId: documentIdOf(TEXT) }, locked)).toEqual({ source: TEXT, trusted: true });
    expect(await find({ query: TEXT }, locked)).toEqual({ source: TEXT, trusted: false });
    for (const request of [
      { query: `${TEXT} ` },
      { query: 'not GraphQL at all {' },
      { documentId: documentIdOf('{ other: viewer { id } }') },
      { query: '{ viewer { id } }', documentId: documentIdOf('{ viewer { id } }') },
    ]) {
      await expect(find(request, locked)).rejects.toMatchObject(code('DOCUMENT_NOT_ALLOWED'));
    }
    expect(asked).toHaveLength(1);
    expect(await find({ query: TEXT }, KEY)).toEqual({ source: TEXT, trusted: false });
    expect([mayExecute(PERSON, 'any'), mayExecute(KEY, 'any'), mayExecute(locked, 'any')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('leave memory flat, however many are registered and however many are made up', async () => {
    const texts = Array.from(
      { length: 5_000 },
      (_, n) => `query Q${n} { viewer { id } buildings(first: 20) { nodes { id name } } }`,
    );
    const maximumCharacters = 200_000;
    const { find, requested } = build({ texts, maximumCharacters });
    const cache = createDocumentCache({ maximumCharacters });
    const admission = createAdmission({
      throttle: createThrottle({ client: bucket, tenant: bucket }),
      limits: DEFAULT_LIMITS,
    });
    let most = 0;
    for (const [n, text] of texts.entries()) {
      expect((await find({ documentId: documentIdOf(text) }))?.source).toBe(text);
      await expect(find({ documentId: documentIdOf(`${n}`) })).rejects.toMatchObject(
        code('DOCUMENT_NOT_FOUND'),
      );
      cache.set(text, { kind: 'Document', definitions: [] } as never, text.length);
      expect(() => admission.admitDocument({ client: 'per_1', tenants: [] }, `{ nothing${n} `)).not.toThrow();
      most = Math.max(most, requested.characters());
    }
    expect(most).toBeLessThanOrEqual(maximumCharacters);
    const kept = texts.filter((text) => cache.get(text) !== undefined);
    expect(kept.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(maximumCharacters);
    expect(kept.length).toBeGreaterThan(1_000);
    // What is invalid is remembered nowhere.
    expect(admission.knows('{ nothing1 ')).toBe(false);
  });
});
