import { type TenantScope } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import { type ApiKeyView } from '../api-keys/views';
import { type Cosmos } from '../cosmos';
import { type MembershipDocument } from '../documents';
import { type Outcome, type Page } from '../registry';
import { createAccepting } from './accepting';
import {
  type GivenGrantDocument,
  type GrantedRole,
  type GranteeKind,
  type ReceivedGrantDocument,
} from './documents';
import { createGrantListing } from './listing';
import { createOffering } from './offering';
import { createGrantRecords } from './records';
import { createRevoking } from './revoking';

export type Grant = GivenGrantDocument | ReceivedGrantDocument;

export interface NewGrant {
  buildingId: string;
  spaceId: string | null;
  quantities: QuantityName[] | null;
  role: GrantedRole;
  /** Milliseconds since 1970. */
  until: number | null;
  to: GranteeKind;
  note: string | null;
  /** How long the offer stands. */
  expiresInMs: number;
}

/** Somebody who can see a building, and through what: as a member of its owner, or by a grant. */
export type Access = { member: MembershipDocument } | { grant: GivenGrantDocument } | { apiKey: ApiKeyView };

/**
 * Buildings and spaces shared across tenants. Always by a code that the owner hands over: neither side can look the other
 * up. A grant is two documents, the owner's and the grantee's, each with its audit events beside it.
 */
export interface Grants {
  /** The code, for the call that made the offer; null where it was shown before. At most 500 open grants a tenant. */
  offerGrant(
    scope: TenantScope,
    input: NewGrant,
    idempotencyKey: string,
  ): Promise<Outcome<{ grant: GivenGrantDocument; code: string | null }>>;
  /** As a tenant whose access the caller administers, or, with null, as the caller. Refused as NOT_FOUND for any code
   * that accepts nothing (any more), whatever the reason. */
  acceptGrant(
    scope: TenantScope,
    input: { code: string; tenantId: string | null },
    idempotencyKey: string,
  ): Promise<Outcome<ReceivedGrantDocument>>;
  /** By either side. Ending an ended grant changes nothing. */
  revokeGrant(scope: TenantScope, grantId: string): Promise<Outcome<Grant>>;
  /** Newest first, those that ended for 30 days; nothing where the scope does not administer the tenant's access. */
  grants(
    scope: TenantScope,
    tenantId: string,
    options: { direction: 'GIVEN' | 'RECEIVED'; first: number; after: string | null },
  ): Promise<Page<Grant>>;
  /** What is shared with the caller as a person, newest first. */
  grantsToMe(scope: TenantScope): Promise<ReceivedGrantDocument[]>;
  /** Members in the order of their ids, then grants, then keys of programs, each newest first; offers that nobody has accepted are among them. */
  accessTo(
    scope: TenantScope,
    building: { tenantId: string; buildingId: string },
    options: { first: number; after: string | null },
  ): Promise<Page<Access>>;
}

export function createGrants({ cosmos }: { cosmos: Cosmos }): Grants {
  const records = createGrantRecords({ cosmos });
  return {
    ...createOffering({ cosmos, records }),
    ...createAccepting({ cosmos, records }),
    ...createRevoking({ cosmos, records }),
    ...createGrantListing({ cosmos }),
  };
}
