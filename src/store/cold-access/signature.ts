import { type UserDelegationKey } from '@azure/storage-blob';
import { type ColdAccessAddresses } from '../../domain/cold-access';

/**
 * Shared access signatures that open one folder, by hand: the SDK's builder knows directories, but not that they may be
 * listed. The strings that are signed are those of version 2020-12-06 of
 * https://learn.microsoft.com/rest/api/storageservices/create-service-sas and
 * https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas. They are fixed here, so that an SDK that
 * speaks a later version does not change what is signed.
 */
export const SIGNED_VERSION = '2020-12-06';

/** Reading and listing: nothing else is ever signed. */
export const SIGNED_PERMISSIONS = 'rl';

export interface SignedAccess {
  account: string;
  container: string;
  /** Without a slash at its end; null: the whole container. */
  folder: string | null;
  /** Milliseconds since 1970; whole seconds are signed. */
  expiresAt: number;
  addresses: ColdAccessAddresses | null;
  /** `https`, or `https,http` for a stand-in without TLS. */
  protocol: string;
}

/** What is signed with a key of the account itself. */
export function serviceText(access: SignedAccess): string {
  return [
    SIGNED_PERMISSIONS,
    '', // start: at once
    instant(access.expiresAt),
    resourceOf(access),
    '', // stored policy
    addressesOf(access),
    access.protocol,
    SIGNED_VERSION,
    kindOf(access),
    ...NOTHING_MORE,
  ].join('\n');
}

/** What is signed with a key that Azure gave to an identity. @param correlationId stands in the account's own logs. */
export function delegationText(access: SignedAccess, key: UserDelegationKey, correlationId: string): string {
  return [
    SIGNED_PERMISSIONS,
    '',
    instant(access.expiresAt),
    resourceOf(access),
    ...keyFields(key).map(([, value]) => value),
    '', // authorized user
    '', // unauthorized user
    correlationId,
    addressesOf(access),
    access.protocol,
    SIGNED_VERSION,
    kindOf(access),
    ...NOTHING_MORE,
  ].join('\n');
}

/** Snapshot, encryption scope, and the five headers of an answer. */
const NOTHING_MORE = ['', '', '', '', '', '', ''];

/** The token, without a question mark before it. */
export function tokenOf(
  access: SignedAccess,
  signature: string,
  delegated?: { key: UserDelegationKey; correlationId: string },
): string {
  const fields: [string, string][] = [
    ['sv', SIGNED_VERSION],
    ['spr', access.protocol],
    ['se', instant(access.expiresAt)],
    ...(access.addresses === null ? [] : [['sip', addressesOf(access)] as [string, string]]),
    ['sr', kindOf(access)],
    // How many folders lead there. Not signed: the path is, and a lesser depth would name another one.
    ...(access.folder === null ? [] : [['sdd', String(access.folder.split('/').length)] as [string, string]]),
    ['sp', SIGNED_PERMISSIONS],
    ...(delegated === undefined
      ? []
      : [...keyFields(delegated.key), ['scid', delegated.correlationId] as [string, string]]),
    ['sig', signature],
  ];
  return fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
}

function keyFields(key: UserDelegationKey): [string, string][] {
  return [
    ['skoid', key.signedObjectId],
    ['sktid', key.signedTenantId],
    ['skt', instant(key.signedStartsOn.getTime())],
    ['ske', instant(key.signedExpiresOn.getTime())],
    ['sks', key.signedService],
    ['skv', key.signedVersion],
  ];
}

function resourceOf({ account, container, folder }: SignedAccess): string {
  return `/blob/${account}/${container}${folder === null ? '' : `/${folder}`}`;
}

function kindOf({ folder }: SignedAccess): string {
  return folder === null ? 'c' : 'd';
}

function addressesOf({ addresses }: SignedAccess): string {
  if (addresses === null) return '';
  return addresses.start === addresses.end ? addresses.start : `${addresses.start}-${addresses.end}`;
}

function instant(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
