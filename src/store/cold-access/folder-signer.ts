import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type BlobServiceClient,
  StorageSharedKeyCredential,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { type ColdAccessAddresses } from '../../domain/cold-access';
import { delegationText, serviceText, type SignedAccess, tokenOf } from './signature';

/** Makes credentials that read and list one folder of the cold store, and can do nothing else. */
export interface FolderSigner {
  /** Of the container, without a credential. */
  containerUrl: string;
  /**
   * Whether a credential ends at its folder. False for the local stand-in alone, which knows no folders: there it opens
   * the whole container, as the well-known key does that everybody can sign with.
   */
  confined: boolean;
  /**
   * @param folder ends in a slash.
   * @param credentialId a UUID by which the account's logs can be laid beside ours, where an identity signs.
   * @returns a SAS token without a question mark. Throws what Azure answers where it gives no key to sign with.
   */
  sign(asked: {
    folder: string;
    expiresAt: number;
    addresses: ColdAccessAddresses | null;
    credentialId: string;
  }): Promise<string>;
}

/** The account of every Azure Storage stand-in: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const STAND_IN_ACCOUNT = 'devstoreaccount1';
const STAND_IN_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** How far Azure's clock may be behind ours. */
const CLOCKS_MS = 300_000;

export function createFolderSigner({
  service,
  container,
  delegationKey = (startsOn, expiresOn) => service.getUserDelegationKey(startsOn, expiresOn),
  now = Date.now,
}: {
  service: BlobServiceClient;
  container: string;
  /** Of the process' identity, which needs the role Storage Blob Delegator beside the right to read the container. */
  delegationKey?: (startsOn: Date, expiresOn: Date) => Promise<UserDelegationKey>;
  now?: () => number;
}): FolderSigner {
  const { credential } = service;
  const shared = credential instanceof StorageSharedKeyCredential ? credential : undefined;
  const account = shared?.accountName ?? service.accountName;
  const confined = shared === undefined || !isStandIn(shared);
  const containerUrl = service.getContainerClient(container).url;
  // The stand-in has no TLS; nobody else is ever given a credential that may travel without.
  const protocol = !confined && containerUrl.startsWith('http:') ? 'https,http' : 'https';

  return {
    containerUrl,
    confined,
    async sign({ folder, expiresAt, addresses, credentialId }) {
      const access: SignedAccess = {
        account,
        container,
        folder: confined ? folder.replace(/\/$/, '') : null,
        expiresAt,
        addresses,
        protocol,
      };
      if (shared !== undefined) {
        return tokenOf(access, shared.computeHMACSHA256(serviceText(access)));
      }
      const key = await delegationKey(new Date(now() - CLOCKS_MS), new Date(expiresAt));
      const signature = createHmac('sha256', Buffer.from(key.value, 'base64'))
        .update(delegationText(access, key, credentialId))
        .digest('base64');
      return tokenOf(access, signature, { key, correlationId: credentialId });
    },
  };
}

/** By its key too: an account of that name with a key of its own is somebody's, and its tenants are not to be mixed. */
function isStandIn(credential: StorageSharedKeyCredential): boolean {
  const theirs = Buffer.from(credential.computeHMACSHA256('stand-in'));
  const known = Buffer.from(
    createHmac('sha256', Buffer.from(STAND_IN_KEY, 'base64')).update('stand-in').digest('base64'),
  );
  return credential.accountName === STAND_IN_ACCOUNT && timingSafeEqual(theirs, known);
}
