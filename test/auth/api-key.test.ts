import fc from 'fast-check';
import {
  API_KEY_PATTERN,
  apiKeyPrefix,
  apiKeyText,
  hashOfSecret,
  isApiKey,
  newApiKeySecret,
  parseApiKey,
  provesSecret,
} from '../../src/auth/api-key';
import {
  API_KEY_PERMISSIONS,
  type ApiKeyPermission,
  isForKeys,
  narrowed,
  permissionsOf,
} from '../../src/auth/api-key-permissions';
import { allows, type Entitlement, ROLES, tenantScope } from '../../src/auth/scope';
import { newId } from '../../src/domain/id';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const newKey = () => ({ id: newId('key'), secret: newApiKeySecret() });

describe('the text of an API key', () => {
  it('is found by a scanner, and parsed into what it was made of', () => {
    const scanner = new RegExp(`\\b${API_KEY_PATTERN}\\b`);
    for (let i = 0; i < 200; i++) {
      const key = newKey();
      const text = apiKeyText(key);
      expect(isApiKey(text)).toBe(true);
      expect(scanner.exec(`const key = "${text}";`)?.[0]).toBe(text);
      expect(parseApiKey(text)).toEqual(key);
      expect(text.startsWith(apiKeyPrefix(key.id))).toBe(true);
      expect(apiKeyPrefix(key.id)).toHaveLength(12);
    }
  });

  it('holds ids of any bytes', () => {
    for (const byte of [0x00, 0x01, 0xff]) {
      const id = `key_${Buffer.alloc(16, byte).toString('base64url')}`;
      const key = { id, secret: newApiKeySecret() };
      expect(parseApiKey(apiKeyText(key))).toEqual(key);
    }
  });

  it('is refused with any one character wrong, two exchanged, or one missing', () => {
    const text = apiKeyText(newKey());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...DIGITS), (at, digit) => {
        const wrong = text.slice(0, at) + digit + text.slice(at + 1);
        expect(parseApiKey(wrong)).toEqual(wrong === text ? parseApiKey(text) : undefined);
        expect(parseApiKey(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
        const next = text.slice(at + 1, at + 2);
        const exchanged = text.slice(0, at) + next + text.slice(at, at + 1) + text.slice(at + 2);
        if (exchanged !== text) expect(parseApiKey(exchanged)).toBeUndefined();
      }),
    );
    expect(parseApiKey('')).toBeUndefined();
    expect(parseApiKey(`${text}\n`)).toBeUndefined();
  });

  it('is proved by its secret’s hash and by nothing else', () => {
    const secret = newApiKeySecret();
    expect(provesSecret(secret, hashOfSecret(secret))).toBe(true);
    expect(provesSecret(newApiKeySecret(), hashOfSecret(secret))).toBe(false);
    expect(provesSecret(secret, undefined)).toBe(false);
    expect(provesSecret(secret, '')).toBe(false);
    expect(provesSecret(secret, secret)).toBe(false);
  });
});

describe('the rights of an API key', () => {
  const key = { kind: 'key' as const, id: 'key_1', email: null, expiresAt: Infinity };
  const principal = { ...key, tenantId: 'ten_a', createdBy: 'per_1', documents: null };
  const NAMES = Object.keys(API_KEY_PERMISSIONS) as ApiKeyPermission[];
  const ALL = permissionsOf(NAMES);
  const right = fc.record(
    {
      tenantId: fc.constantFrom('ten_a', 'ten_b'),
      buildingId: fc.constantFrom(null, 'bld_1', 'bld_2'),
      spaceIds: fc.constantFrom(null, ['spc_1']),
      quantities: fc.option(fc.subarray(['AIR_TEMPERATURE', 'CO2_LEVEL'] as const)),
      role: fc.constantFrom(...ROLES),
      until: fc.constantFrom(null, 1, 3),
      grantId: fc.constant('gra_1'),
    },
    { requiredKeys: ['tenantId', 'buildingId', 'quantities', 'role', 'until'] },
  ) satisfies fc.Arbitrary<Entitlement>;

  it('are never more than its maker has now in its tenant, than it names, or than its buildings', () => {
    fc.assert(
      fc.property(
        fc.array(right, { maxLength: 4 }),
        fc.subarray(NAMES),
        fc.option(fc.subarray(['bld_1', 'bld_2'])),
        fc.constantFrom(...ALL),
        fc.constantFrom('ten_a', 'ten_b'),
        fc.constantFrom('bld_1', 'bld_2', 'bld_3', undefined),
        fc.constantFrom('spc_1', 'spc_2', null),
        (rights, permissions, buildingIds, permission, tenantId, buildingId, spaceId) => {
          const limits = { tenantId: 'ten_a', permissions, buildingIds, expiresAt: 10_000 };
          const target = { tenantId, spaceId, ...(buildingId !== undefined && { buildingId }) };
          const own = rights.filter(({ grantId }) => grantId === undefined);
          expect(allows(tenantScope(principal, narrowed(rights, limits)), permission, target, 2)).toBe(
            tenantId === 'ten_a' &&
              permissionsOf(permissions).includes(permission) &&
              (buildingIds === null || (buildingId !== undefined && buildingIds.includes(buildingId))) &&
              allows(tenantScope(principal, own), permission, target, 2),
          );
        },
      ),
    );
  });

  it('end when it expires, and hold no permission that gives others access', () => {
    const owner: Entitlement = {
      ...{ tenantId: 'ten_a', buildingId: null, quantities: null, role: 'OWNER', until: null },
    };
    const limits = { tenantId: 'ten_a', permissions: NAMES, buildingIds: null, expiresAt: 10_000 };
    const scope = tenantScope(principal, narrowed([owner], limits));
    expect(allows(scope, 'average.read', { tenantId: 'ten_a' }, 9_999)).toBe(true);
    expect(allows(scope, 'average.read', { tenantId: 'ten_a' }, 11_000)).toBe(false);
    for (const each of [
      ...(['access.manage', 'api-key.manage', 'cold-store.approve', 'cold-store.read'] as const),
      ...(['device.transfer', 'webhook.manage'] as const),
    ]) {
      expect([each, isForKeys(each), allows(scope, each, { tenantId: 'ten_a' }, 2)]).toEqual([
        each,
        false,
        false,
      ]);
    }
  });

  it('of names that this release does not know are none', () => {
    expect(permissionsOf(['READ_MINDS', 'toString', '__proto__'])).toEqual([]);
  });
});
