import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type SpacesOfBuilding, type TenantDocument } from '../documents';
import { type Outcome, type Page } from '../registry';
import { createInvitationAccepting } from './accepting';
import { createMemberChanging } from './changing';
import { type InvitationDocument, type MemberRole } from './documents';
import { createInviting } from './inviting';
import { createPeopleListing } from './listing';
import { createOperators } from './operators';
import { createMemberRecords } from './records';
import { createRosters } from './roster';
import { createSettling } from './settling';
import { type Member } from './standing';
import { createTenantCreation } from './tenant-creation';

export interface NewInvitation {
  tenantId: string;
  role: MemberRole;
  /** For a resident: in these spaces, and all that lie in them, alone. Null: in all of the tenant. */
  spaces: SpacesOfBuilding[] | null;
  note: string | null;
  /** How long it stands. */
  expiresInMs: number;
}

/** An invitation with the code that accepts it, for the call that made it; null where it was shown before. */
export interface Invited {
  invitation: InvitationDocument;
  code: string | null;
}

/**
 * Who belongs to a tenant, and as what. Nobody is looked up: people come by a code that an owner hands over, and are known
 * by the id that follows from their issuer and subject. What somebody is, is decided in the tenant's partition, with its
 * audit event and in turn with every other such decision; their membership, which is the right, is made from it at once.
 */
export interface People {
  /** By an operator, who sees nothing of it: the invitation is for its first owner. */
  createTenant(
    scope: TenantScope,
    input: { name: string; note: string | null; expiresInMs: number },
    idempotencyKey: string,
  ): Promise<Outcome<Invited & { tenant: TenantDocument }>>;
  /**
   * By an owner; into a tenant that has never had a member also by an operator, as its owner. At most 500 open ones a
   * tenant.
   */
  inviteMember(scope: TenantScope, input: NewInvitation, idempotencyKey: string): Promise<Outcome<Invited>>;
  /** Revoking an invitation that is over changes nothing. */
  revokeInvitation(scope: TenantScope, invitationId: string): Promise<Outcome<InvitationDocument>>;
  /** As the caller. Refused as NOT_FOUND for any code that accepts nothing (any more), whatever the reason. */
  acceptInvitation(
    scope: TenantScope,
    code: string,
    idempotencyKey: string,
  ): Promise<Outcome<{ tenant: TenantDocument; member: Member }>>;
  changeMemberRole(
    scope: TenantScope,
    input: { tenantId: string; personId: string; role: MemberRole; spaces: SpacesOfBuilding[] | null },
  ): Promise<Outcome<Member>>;
  /** By an owner, or by whoever goes themselves. */
  removeMember(scope: TenantScope, input: { tenantId: string; personId: string }): Promise<Outcome<Member>>;
  /** In the order of their ids; nothing where the scope does not administer the tenant's access. */
  members(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<Member>>;
  /** Newest first, those that are over for 30 days; nothing where the scope does not administer the tenant's access. */
  invitations(
    scope: TenantScope,
    tenantId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<InvitationDocument>>;
}

/** Of the operator's command line, which asks nobody's rights. */
export interface Operators {
  /**
   * Lets somebody run the platform, or no longer. Refused as WRONG_STATE where they belong to a tenant, or have something
   * shared with them for longer than an operator may.
   */
  setOperator(person: { issuer: string; subject: string }, operator: boolean): Promise<Outcome<Member>>;
}

/** What was broken off between a decision and the membership. */
export interface MembershipSweep {
  settleMemberships(options: {
    olderThanMs: number;
    limit: number;
  }): Promise<{ ended: number; failed: { id: string; error: unknown }[] }>;
}

export function createPeople({ cosmos }: { cosmos: Cosmos }): People & Operators & MembershipSweep {
  const rosters = createRosters({ cosmos });
  const settling = createSettling({ cosmos });
  const records = createMemberRecords({ cosmos, rosters, settling });
  return {
    ...createTenantCreation({ cosmos, rosters }),
    ...createInviting({ cosmos, rosters }),
    ...createInvitationAccepting({ cosmos, records }),
    ...createMemberChanging({ cosmos, records }),
    ...createPeopleListing({ cosmos }),
    ...createOperators({ cosmos, records }),
    settleMemberships: (options) => settling.resume(options),
  };
}
