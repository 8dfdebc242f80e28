import { X509Certificate } from 'node:crypto';
import { type TenantScope } from '../../src/auth/scope';
import { type AuditDocument, type DeviceDocument } from '../../src/store/documents';
import { createRegistry, type Registry } from '../../src/store/registry';
import { type CredentialInput } from '../../src/store/registry/credential-input';
import { createCertificates } from '../support/certificate';
import {
  createBuilding,
  freshKey,
  newDevices,
  startStore,
  type Store,
  tapped,
  valueOf,
} from './store.support';

const A = 'A'.repeat(64);
const B = 'B'.repeat(64);
const C = 'C'.repeat(64);
const NONE = { primaryThumbprint: null, secondaryThumbprint: null, authority: null };
const KEY: CredentialInput = { ...NONE, kind: 'SYMMETRIC_KEY' };
const thumbprints = (primary: string | null, secondary: string | null = null): CredentialInput => ({
  ...NONE,
  kind: 'X509_THUMBPRINT',
  primaryThumbprint: primary,
  secondaryThumbprint: secondary,
});
const authority = (pem: string | null): CredentialInput => ({ ...NONE, kind: 'X509_CA', authority: pem });

describe('credentials of a device', () => {
  let store: Store;
  let owner: TenantScope;
  let building: Awaited<ReturnType<typeof createBuilding>>;
  const { ca, cert, key: privateKey } = createCertificates();
  beforeAll(async () => {
    store = await startStore();
    owner = await store.member('owner', 'ten_north', 'OWNER');
    building = await createBuilding(store.registry, owner);
  });
  afterAll(() => store.stop());

  async function provision(): Promise<DeviceDocument> {
    const input = { buildingId: building.buildingId, devices: newDevices(1, building.spaceIds) };
    return valueOf(await store.registry.provisionDevices(owner, input, freshKey()))[0]!.device;
  }
  const read = async (id: string): Promise<DeviceDocument> =>
    (await store.cosmos.read<DeviceDocument>('registry', building.buildingId, id))!;
  const opened = async (id: string): Promise<{ primary: string; secondary: string }> => {
    const { keys } = await read(id);
    const open = (sealed: string): string => store.keyring.open(id, sealed).toString('base64');
    return { primary: open(keys!.primary), secondary: open(keys!.secondary) };
  };
  const audits = (subject: string): Promise<AuditDocument[]> =>
    store.cosmos.query<AuditDocument>(
      'registry',
      building.buildingId,
      "SELECT * FROM c WHERE c.type = 'audit' AND c.subject = @subject ORDER BY c.auditKey",
      { subject },
    );
  const issue = (deviceId: string, credential: CredentialInput, key = freshKey()) =>
    store.registry.issueDeviceCredential(owner, { deviceId, credential }, key);
  const rotate = (
    deviceId: string,
    { thumbprint = null as string | null, revokeOther = false } = {},
    key = freshKey(),
    registry: Registry = store.registry,
  ) => registry.rotateDeviceCredential(owner, { deviceId, thumbprint, revokeOther }, key);

  it('are replaced whole, whatever kind they were and become', async () => {
    const { id, keys } = await provision();
    const shown = valueOf(await issue(id, KEY));
    expect(shown).toMatchObject({ kind: 'SYMMETRIC_KEY', secretsAlreadyShown: false });
    expect(Buffer.from(shown.key!, 'base64')).toHaveLength(32);
    const now = await opened(id);
    expect(now.primary).toBe(shown.key);
    expect(now.secondary).not.toBe(now.primary);
    const earlier = [keys!.primary, keys!.secondary].map((each) =>
      store.keyring.open(id, each).toString('base64'),
    );
    expect(earlier).not.toContain(now.primary);
    expect(earlier).not.toContain(now.secondary);

    const colons = B.toLowerCase().match(/../g)!.join(':');
    expect(valueOf(await issue(id, thumbprints(A.toLowerCase(), colons)))).toMatchObject({
      kind: 'X509_THUMBPRINT',
      key: null,
      secretsAlreadyShown: false,
    });
    expect(await read(id)).toMatchObject({
      keys: null,
      thumbprints: { primary: A, secondary: B },
      authority: null,
    });

    valueOf(await issue(id, authority(`Subject: our CA\n${ca.replaceAll('\n', '\r\n')}`)));
    const withAuthority = await read(id);
    expect(withAuthority).toMatchObject({ keys: null, thumbprints: null });
    expect(new X509Certificate(withAuthority.authority!).raw).toEqual(new X509Certificate(ca).raw);
    expect(withAuthority.authority).toMatch(/^-----BEGIN CERTIFICATE-----\n/);

    valueOf(await issue(id, KEY));
    expect(await read(id)).toMatchObject({ thumbprints: null, authority: null });

    const told = await audits(id);
    expect(told.map(({ action, before, after }) => [action, before!.credential, after!.credential])).toEqual([
      ['device.issue-credential', 'SYMMETRIC_KEY', 'SYMMETRIC_KEY'],
      ['device.issue-credential', 'SYMMETRIC_KEY', 'X509_THUMBPRINT'],
      ['device.issue-credential', 'X509_THUMBPRINT', 'X509_CA'],
      ['device.issue-credential', 'X509_CA', 'SYMMETRIC_KEY'],
    ]);
    expect(told[2]!.after!.authority).toBe(new X509Certificate(ca).fingerprint256.replaceAll(':', ''));
    const { keys: sealed } = await read(id);
    for (const secret of [shown.key!, sealed!.primary, sealed!.secondary]) {
      expect(JSON.stringify(told)).not.toContain(secret);
    }
  });

  it.each<[string, () => CredentialInput, string, RegExp]>([
    ['a SHA-1 thumbprint', () => thumbprints('ab'.repeat(20)), 'primaryThumbprint', /SHA-1/],
    ['no thumbprint', () => thumbprints(null), 'primaryThumbprint', /missing/],
    ['what is no thumbprint', () => thumbprints('x'.repeat(64)), 'primaryThumbprint', /64 hexadecimal/],
    ['many colons', () => thumbprints(`${':'.repeat(99)}${A}`), 'primaryThumbprint', /64 hexadecimal/],
    ['the same thumbprint twice', () => thumbprints(A, A.toLowerCase()), 'secondaryThumbprint', /primary/],
    ['a thumbprint beside a key', () => ({ ...KEY, primaryThumbprint: A }), 'primaryThumbprint', /belongs/],
    [
      'a certificate beside thumbprints',
      () => ({ ...thumbprints(A), authority: ca }),
      'authority',
      /belongs/,
    ],
    ['no authority', () => authority(null), 'authority', /missing/],
    ['what is no PEM', () => authority('hello'), 'authority', /PEM of one certificate/],
    ['two certificates', () => authority(ca + ca), 'authority', /PEM of one certificate/],
    ['a private key', () => authority(privateKey), 'authority', /private key/],
    ['a certificate with its private key', () => authority(ca + privateKey), 'authority', /private key/],
    ['a damaged certificate', () => authority(ca.replace(/\n.{8}/, '\nAAAAAAAA')), 'authority', /be read/],
    ['the certificate of a server', () => authority(cert), 'authority', /certification authority/],
    ['an expired authority', () => authority(EXPIRED), 'authority', /expired on Jan {2}1 00:00:00 2021/],
    ['an authority with a short key', () => authority(WEAK), 'authority', /1024 bits/],
    ['a long text', () => authority(ca + ' '.repeat(9000)), 'authority', /may have 8192/],
  ])('are refused with %s', async (_what, credential, path, message) => {
    const { id } = await provision();
    expect(await issue(id, credential())).toMatchObject({
      ok: false,
      refusal: {
        code: 'INVALID_INPUT',
        path: `credential.${path}`,
        message: expect.stringMatching(message),
      },
    });
    expect(await audits(id)).toEqual([]);
  });

  it('are shown by the first call of an idempotency key alone, and given once', async () => {
    const { id } = await provision();
    const key = freshKey();
    const shown = valueOf(await issue(id, KEY, key));
    expect(valueOf(await issue(id, KEY, key))).toMatchObject({ key: null, secretsAlreadyShown: true });
    expect((await opened(id)).primary).toBe(shown.key);
    expect(await audits(id)).toHaveLength(1);
    expect(await issue(id, thumbprints(A), key)).toMatchObject({
      refusal: { code: 'IDEMPOTENCY_KEY_REUSED' },
    });
    const other = await provision();
    expect(await issue(other.id, KEY, key)).toMatchObject({ refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(await issue(id, KEY, ' ')).toMatchObject({
      refusal: { code: 'INVALID_INPUT', path: 'idempotencyKey' },
    });
  });

  it('are shown by one of many calls with the same key at once, in several processes', async () => {
    const { id } = await provision();
    const key = freshKey();
    const registries = [store.cosmos, store.anotherCosmos()].map((cosmos) =>
      createRegistry({ cosmos, keyring: store.keyring }),
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, i) =>
        valueOf(
          await registries[i % 2]!.issueDeviceCredential(owner, { deviceId: id, credential: KEY }, key),
        ),
      ),
    );
    const shown = answers.filter((each) => !each.secretsAlreadyShown);
    expect(shown.map((each) => each.key)).toEqual([(await opened(id)).primary]);
    expect(answers.filter((each) => each.key !== null)).toHaveLength(1);
    expect(await audits(id)).toHaveLength(1);
  });

  it('are shown, and given once, where the store’s answer was lost', async () => {
    const { id } = await provision();
    let batches = 0;
    const cosmos = tapped(store.cosmos, {
      // The first batch claims the key, the second stores the credential.
      after: (_call, name) => {
        if (name !== 'batch' || ++batches !== 2) return;
        throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
      },
    });
    const registry = createRegistry({ cosmos, keyring: store.keyring });
    const shown = valueOf(await rotate(id, {}, freshKey(), registry));
    expect(shown.secretsAlreadyShown).toBe(false);
    expect((await opened(id)).primary).toBe(shown.key);
    expect(await audits(id)).toHaveLength(1);
  });

  it('are rotated without a gap: the key in use dies at the second rotation', async () => {
    const { id } = await provision();
    const before = await opened(id);
    const first = valueOf(await rotate(id));
    expect(await opened(id)).toEqual({ primary: first.key, secondary: before.primary });
    const second = valueOf(await rotate(id));
    expect(await opened(id)).toEqual({ primary: second.key, secondary: first.key });
    expect((await audits(id))[0]).toMatchObject({
      action: 'device.rotate-credential',
      before: { credential: 'SYMMETRIC_KEY' },
      after: { credential: 'SYMMETRIC_KEY', revokeOther: false },
    });
  });

  it('leave nothing of a leaked key where the other is revoked', async () => {
    const { id } = await provision();
    const before = await opened(id);
    const key = freshKey();
    const { key: shown } = valueOf(await rotate(id, { revokeOther: true }, key));
    const after = await opened(id);
    expect(after.primary).toBe(shown);
    expect(Object.values(before)).not.toContain(after.primary);
    expect(Object.values(before)).not.toContain(after.secondary);
    expect(valueOf(await rotate(id, { revokeOther: true }, key))).toMatchObject({
      key: null,
      secretsAlreadyShown: true,
    });
    expect(await rotate(id, {}, key)).toMatchObject({ refusal: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });

  it('rotate thumbprints likewise', async () => {
    const { id } = await provision();
    valueOf(await issue(id, thumbprints(A, B)));
    valueOf(await rotate(id, { thumbprint: C.toLowerCase() }));
    expect((await read(id)).thumbprints).toEqual({ primary: C, secondary: A });
    valueOf(await rotate(id, { thumbprint: B, revokeOther: true }));
    expect((await read(id)).thumbprints).toEqual({ primary: B, secondary: null });
  });

  it('are not rotated with the wrong kind of thing, or where there is nothing to rotate', async () => {
    const { id } = await provision();
    expect(await rotate(id, { thumbprint: A })).toMatchObject({
      refusal: { code: 'INVALID_INPUT', path: 'thumbprint' },
    });
    expect(await rotate(id, { thumbprint: 'short' })).toMatchObject({
      refusal: { code: 'INVALID_INPUT', path: 'thumbprint' },
    });
    valueOf(await issue(id, thumbprints(A)));
    for (const thumbprint of [null, A]) {
      expect(await rotate(id, { thumbprint })).toMatchObject({
        refusal: { code: 'INVALID_INPUT', path: 'thumbprint' },
      });
    }
    valueOf(await issue(id, authority(ca)));
    expect(await rotate(id)).toMatchObject({ refusal: { code: 'WRONG_STATE', path: 'deviceId' } });
    valueOf(await store.registry.retireDevice(owner, id));
    for (const refused of [await rotate(id), await issue(id, KEY)]) {
      expect(refused).toMatchObject({ refusal: { code: 'WRONG_STATE' } });
    }
    expect(await read(id)).toMatchObject({ keys: null, thumbprints: null, authority: null });
  });
});

/** Valid from 2020 to 2021. */
const EXPIRED = `-----BEGIN CERTIFICATE-----
MIIBVDCB+6ADAgECAgEBMAoGCCqGSM49BAMCMBoxGDAWBgNVBAMMD0V4cGlyZWQg
dGVzdCBDQTAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBoxGDAWBgNV
BAMMD0V4cGlyZWQgdGVzdCBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABK9L
1i00wGSV+9i/PyIeyxIs5dL7DYwrSm+r4io8jIaxSkUCuWaUvY0Ihf9ffha/rf9X
QRHynp+7TSVR1eBQW6mjMjAwMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFCLe
nieAPC6OVeMHu0/1Y9pTC121MAoGCCqGSM49BAMCA0gAMEUCIEPsEbO+swJEnRuL
BErrcaH/DR1Aeo6U+QpA2N4zF+lrAiEA3+h23+xXAjLegyud9UEpc1Zp1Ey4mBny
yMnAQEdFbcY=
-----END CERTIFICATE-----
`;

/** With an RSA key of 1024 bits. */
const WEAK = `-----BEGIN CERTIFICATE-----
MIICDDCCAXWgAwIBAgIUc98HMsWGH9zsyNtVYgb917zxICswDQYJKoZIhvcNAQEL
BQAwFzEVMBMGA1UEAwwMV2VhayB0ZXN0IENBMCAXDTI2MTEyMjAxMjUxNloYDzIx
MjYxMDI5MDEyNTE2WjAXMRUwEwYDVQQDDAxXZWFrIHRlc3QgQ0EwgZ8wDQYJKoZI
hvcNAQEBBQADgY0AMIGJAoGBALp9/Q3NuYFFv2fYap4do6LtvJVa/5Zsl0g3sRvj
C+8CQLb8oQiuHxSUB7QLR7ETihCgtXUdjS8XJxOi+P3Z/LIqWeBUlS/nbKfVX5dV
LKqc6wAg4VKhzL9jIpwMmjH1gQ2yQvwODnG17aHTLHIuajuym7qsJeptA+BUHetC
GJMLAgMBAAGjUzBRMB0GA1UdDgQWBBTDB/JRvy4Vfy+gxiobfO9Ktg4bdDAfBgNV
HSMEGDAWgBTDB/JRvy4Vfy+gxiobfO9Ktg4bdDAPBgNVHRMBAf8EBTADAQH/MA0G
CSqGSIb3DQEBCwUAA4GBABKJXX0XC19cExGk2RkXc1GmPEUoG11SiLeUAKaHn8MD
MQlg/jO3zFqmr11R0kVQwa99TeS9kin4KpVnHUofJZMmwbltZWf9RwZ3d5NlW95H
ofm+F/wXNJ4xkDIjhcET0kpV07HYve+ranHpBYPyG99Iy/6Meoji5BVS0PpQVsBL
-----END CERTIFICATE-----
`;
