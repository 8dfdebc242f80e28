import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { membersOf, type SpacesOfBuilding } from '../documents';
import { grantSortKey } from '../grants/documents';
import { type Refusal } from '../registry';
import { newClaimCode } from '../registry/claim-code';
import { noteProblem } from '../registry/validation';
import {
  type InvitationCodeDocument,
  type InvitationDocument,
  invitationKeyOf,
  type MemberRole,
} from './documents';

const HOUR_MS = 3_600_000;
const LONGEST_MS = 30 * 24 * HOUR_MS;

interface Made {
  id: string;
  tenantId: string;
  role: MemberRole;
  spaces: SpacesOfBuilding[] | null;
  note: string | null;
  at: number;
  expiresInMs: number;
}

export function invitationProblem(note: string | null, expiresInMs: number): Refusal | undefined {
  if (!(expiresInMs >= HOUR_MS && expiresInMs <= LONGEST_MS)) {
    const message = 'an invitation may stand for an hour to 30 days';
    return { code: 'INVALID_INPUT', message, path: 'expiresInHours' };
  }
  return note === null ? undefined : noteProblem(note);
}

/**
 * An invitation that is to be stored, and its code. The way from the code to it is stored here and now, so that one that
 * stands can be accepted; that of a try that finds the invitation made leads to one that another code accepts, and so
 * nowhere.
 */
export async function newInvitation(
  cosmos: Pick<Cosmos, 'bulkUpsert'>,
  scope: TenantScope,
  { id, tenantId, at, expiresInMs, ...wanted }: Made,
): Promise<{ invitation: InvitationDocument; code: string }> {
  const code = newClaimCode();
  const invitation: InvitationDocument = {
    ...{ id, key: membersOf(tenantId), kind: 'invitation', tenantId },
    ...wanted,
    code: invitationKeyOf(code),
    invitedBy: scope.principal.id,
    invitedAt: at,
    expiresAt: at + expiresInMs,
    ...{ acceptedAt: null, acceptedBy: null, endedAt: null },
    sortKey: grantSortKey(at, id),
  };
  const way: InvitationCodeDocument = {
    ...{ id: 'code', key: invitation.code, tenantId, invitationId: id },
    ttl: Math.ceil(expiresInMs / 1_000),
  };
  await cosmos.bulkUpsert('directory', [way]);
  return { invitation, code };
}

/** For the audit log. */
export function wordsOfInvitation({ role, spaces, expiresAt }: InvitationDocument): Record<string, unknown> {
  return { role, spaces, expiresAt };
}
