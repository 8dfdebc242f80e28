import { createHmac } from 'node:crypto';
import {
  BlobSASPermissions,
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { blobConnectionString } from '../../emulators/blob';
import { createFolderSigner } from '../../src/store/cold-access/folder-signer';
import {
  delegationText,
  serviceText,
  SIGNED_VERSION,
  type SignedAccess,
  tokenOf,
} from '../../src/store/cold-access/signature';

const KEY = Buffer.alloc(32, 5).toString('base64');
const EXPIRES_AT = Date.parse('2026-11-22T18:00:00Z');
const ID = '6f8a2f0e-6f6c-4a3e-9f0b-2f1a5e3b7c11';
const ACCESS: SignedAccess = {
  account: 'example',
  container: 'telemetry',
  folder: 'curated/v1/tenant=ten_north',
  expiresAt: EXPIRES_AT,
  addresses: { start: '203.0.113.0', end: '203.0.113.255' },
  protocol: 'https',
};
const DELEGATED: UserDelegationKey = {
  signedObjectId: 'b2a9c9b0-0000-4000-8000-000000000001',
  signedTenantId: 'b2a9c9b0-0000-4000-8000-000000000002',
  signedStartsOn: new Date('2026-11-22T09:55:00Z'),
  signedExpiresOn: new Date('2026-11-22T18:00:00Z'),
  signedService: 'b',
  signedVersion: '2026-10-06',
  value: Buffer.alloc(32, 9).toString('base64'),
};
const credential = new StorageSharedKeyCredential('example', KEY);
const hmac = (key: string, text: string): string =>
  createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64');
const fieldsOf = (token: string) => Object.fromEntries(new URLSearchParams(token));

describe('the signature of access to a folder', () => {
  it('is over the text that Azure documents for a key of the account', () => {
    expect(serviceText(ACCESS).split('\n')).toEqual([
      'rl',
      '',
      '2026-11-22T18:00:00Z',
      '/blob/example/telemetry/curated/v1/tenant=ten_north',
      '',
      '203.0.113.0-203.0.113.255',
      'https',
      '2020-12-06',
      'd',
      ...['', '', '', '', '', '', ''],
    ]);
  });

  it('is over the text that Azure documents for a key that was delegated to an identity', () => {
    expect(delegationText(ACCESS, DELEGATED, ID).split('\n')).toEqual([
      'rl',
      '',
      '2026-11-22T18:00:00Z',
      '/blob/example/telemetry/curated/v1/tenant=ten_north',
      'b2a9c9b0-0000-4000-8000-000000000001',
      'b2a9c9b0-0000-4000-8000-000000000002',
      '2026-11-22T09:55:00Z',
      '2026-11-22T18:00:00Z',
      'b',
      '2026-10-06',
      '',
      '',
      ID,
      '203.0.113.0-203.0.113.255',
      'https',
      '2020-12-06',
      'd',
      ...['', '', '', '', '', '', ''],
    ]);
  });

  // The SDK's builder knows folders, but lets nobody list them; and lets containers be listed.
  it.each([
    ['a folder that is only read', 'curated/v1/tenant=ten_north', 'r'],
    ['a whole container', null, 'rl'],
  ])('agrees with the SDK’s own on %s, by either key', (_, folder, permissions) => {
    const access = { ...ACCESS, folder };
    const values = {
      containerName: ACCESS.container,
      ...(folder === null
        ? { permissions: ContainerSASPermissions.parse(permissions) }
        : { permissions: BlobSASPermissions.parse(permissions), blobName: folder, isDirectory: true }),
      expiresOn: new Date(EXPIRES_AT),
      ipRange: ACCESS.addresses!,
      protocol: SASProtocol.Https,
      version: SIGNED_VERSION,
    };
    const permitted = (text: string): string => text.replace(/^rl(?=\n)/, permissions);
    const ours = (token: string) => ({ ...fieldsOf(token), sp: permissions });

    const byKey = generateBlobSASQueryParameters(values, credential).toString();
    expect(ours(tokenOf(access, hmac(KEY, permitted(serviceText(access)))))).toEqual(fieldsOf(byKey));

    const byIdentity = generateBlobSASQueryParameters(
      { ...values, correlationId: ID },
      DELEGATED,
      'example',
    ).toString();
    const signature = hmac(DELEGATED.value, permitted(delegationText(access, DELEGATED, ID)));
    expect(ours(tokenOf(access, signature, { key: DELEGATED, correlationId: ID }))).toEqual(
      fieldsOf(byIdentity),
    );
  });

  const asked = {
    folder: 'curated/v1/tenant=ten_north/',
    expiresAt: EXPIRES_AT,
    addresses: null,
    credentialId: ID,
  };

  it('ends at the folder in an account of one’s own, and travels by TLS alone', async () => {
    const service = new BlobServiceClient('https://example.blob.core.windows.net', credential);
    const signer = createFolderSigner({ service, container: 'telemetry' });
    expect(signer).toMatchObject({
      confined: true,
      containerUrl: 'https://example.blob.core.windows.net/telemetry',
    });
    const fields = fieldsOf(await signer.sign(asked));
    expect(fields).toEqual({
      sv: '2020-12-06',
      spr: 'https',
      se: '2026-11-22T18:00:00Z',
      sr: 'd',
      sdd: '3',
      sp: 'rl',
      sig: hmac(KEY, serviceText({ ...ACCESS, addresses: null })),
    });
  });

  it('is by a key that is asked for as the process’ own identity, and no longer good than the credential', async () => {
    const now = Date.parse('2026-11-22T10:00:00Z');
    const keysAsked: Date[][] = [];
    const service = new BlobServiceClient('https://example.blob.core.windows.net', {
      getToken: async () => null,
    });
    const signer = createFolderSigner({
      service,
      container: 'telemetry',
      delegationKey: async (...range) => {
        keysAsked.push(range);
        return DELEGATED;
      },
      now: () => now,
    });
    expect(signer.confined).toBe(true);
    const fields = fieldsOf(await signer.sign(asked));
    expect(keysAsked).toEqual([[new Date(now - 300_000), new Date(EXPIRES_AT)]]);
    expect(fields).toMatchObject({
      sr: 'd',
      sdd: '3',
      sp: 'rl',
      spr: 'https',
      scid: ID,
      skoid: DELEGATED.signedObjectId,
      sig: hmac(DELEGATED.value, delegationText({ ...ACCESS, addresses: null }, DELEGATED, ID)),
    });
  });

  it('opens a whole container of the stand-in alone, and not of an account that bears its name', async () => {
    const endpoint = 'http://127.0.0.1:10000/devstoreaccount1';
    const standIn = createFolderSigner({
      service: BlobServiceClient.fromConnectionString(blobConnectionString(endpoint)),
      container: 'telemetry',
    });
    expect(standIn.confined).toBe(false);
    expect(fieldsOf(await standIn.sign(asked))).toMatchObject({ sr: 'c', sp: 'rl', spr: 'https,http' });

    const theirs = createFolderSigner({
      service: new BlobServiceClient(endpoint, new StorageSharedKeyCredential('devstoreaccount1', KEY)),
      container: 'telemetry',
    });
    expect(theirs.confined).toBe(true);
    expect(fieldsOf(await theirs.sign(asked))).toMatchObject({ sr: 'd', spr: 'https' });
  });
});
