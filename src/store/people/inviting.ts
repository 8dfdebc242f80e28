import { PLATFORM_TENANT, runsPlatform } from '../../auth/platform';
import { allows, tenantsWith, type TenantScope } from '../../auth/scope';
import { derivedId } from '../../domain/id';
import { ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { membersOf } from '../documents';
import { notFound, refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { keyProblem } from '../registry/validation';
import { type InvitationDocument } from './documents';
import { invitationProblem, newInvitation, wordsOfInvitation } from './invitation';
import { type NewInvitation, type People } from './people';
import { residentSpaces, standingProblem } from './resident-spaces';
import { administratorProblem, type Rosters } from './roster';

const MAXIMUM_OPEN = 500;

export function createInviting({
  cosmos,
  rosters,
}: {
  cosmos: Cosmos;
  rosters: Rosters;
}): Pick<People, 'inviteMember' | 'revokeInvitation'> {
  /** By an operator into a tenant to which nobody has come yet: its first owner's code may have been lost. */
  async function mayBegin(scope: TenantScope, { tenantId, role }: NewInvitation): Promise<boolean> {
    if (!runsPlatform(scope)) return false;
    // The same call whatever the tenant is.
    const roster = await rosters.read(tenantId);
    return tenantId !== PLATFORM_TENANT && role === 'OWNER' && roster !== null && roster.members === 0;
  }

  return {
    async inviteMember(scope, input, idempotencyKey) {
      const { tenantId, role, spaces: named, note, expiresInMs } = input;
      const within = allows(scope, 'tenant.read', { tenantId });
      if (!within) {
        if (!(await mayBegin(scope, input))) return notFound('tenant', tenantId, 'tenantId');
      } else if (!allows(scope, 'access.manage', { tenantId })) {
        return refused('FORBIDDEN', 'your role may not invite to this tenant');
      }
      const problem =
        keyProblem(idempotencyKey) ?? standingProblem(input) ?? invitationProblem(note, expiresInMs);
      if (problem) return { ok: false, refusal: problem };
      const spaces = named && (await residentSpaces(cosmos, scope, tenantId, named));
      if (spaces !== null && !spaces.ok) return spaces;
      const attempt = attemptOf(scope, tenantId, 'inviteMember', idempotencyKey, input);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) {
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      }
      const at = claimed.claimedAt;
      const id = derivedId('inv', tenantId, attempt.hash, String(at));
      const wanted = { id, tenantId, role, spaces: spaces && spaces.value, note, at, expiresInMs };
      const made = await newInvitation(cosmos, scope, wanted);
      const key = membersOf(tenantId);
      const stored = await rosters.change<InvitationDocument>(scope, tenantId, async (roster, now) => {
        const existing = await cosmos.read<InvitationDocument>('directory', key, id);
        if (existing) return { ok: true, value: { value: existing } };
        if (!within && roster.members > 0) return notFound('tenant', tenantId, 'tenantId');
        const forbidden = within ? administratorProblem(roster, scope) : undefined;
        if (forbidden) return { ok: false, refusal: forbidden };
        const open = await cosmos.query<{ id: string }>(
          'directory',
          key,
          "SELECT c.id FROM c WHERE c.kind = 'invitation' AND c.endedAt = null AND c.expiresAt > @now",
          { now },
          { limit: MAXIMUM_OPEN },
        );
        if (open.length >= MAXIMUM_OPEN) {
          return refused(
            'LIMIT_EXCEEDED',
            `a tenant may have ${MAXIMUM_OPEN} open invitations: revoke one first`,
          );
        }
        const after = wordsOfInvitation(made.invitation);
        return {
          ok: true,
          value: {
            value: made.invitation,
            documents: [{ create: made.invitation }],
            audit: [{ action: 'invitation.create', subject: id, before: null, after }],
          },
        };
      });
      if (!stored.ok) return stored;
      const { value: invitation } = stored;
      // Also where it was this very try, whose answer was lost, that stored it.
      return {
        ok: true,
        value: { invitation, code: invitation.code === made.invitation.code ? made.code : null },
      };
    },

    async revokeInvitation(scope, invitationId) {
      // An id tells no place: it is looked for wherever the caller may revoke one, and what is foreign is nowhere.
      const tenants = tenantsWith(scope, 'access.manage').filter((tenantId) =>
        allows(scope, 'access.manage', { tenantId }),
      );
      const found = await cosmos.readMany<InvitationDocument>(
        'directory',
        tenants.map((tenantId) => ({ partition: membersOf(tenantId), id: invitationId })),
      );
      const mine = found.find((each) => each?.kind === 'invitation');
      if (!mine) return notFound('invitation', invitationId, 'invitationId');
      return rosters.change(scope, mine.tenantId, async (roster, now) => {
        const forbidden = administratorProblem(roster, scope);
        if (forbidden) return { ok: false, refusal: forbidden };
        const current = await cosmos.read<InvitationDocument>('directory', mine.key, mine.id);
        if (current === null || current.endedAt !== null) {
          return { ok: true, value: { value: current ?? mine } };
        }
        const ended: InvitationDocument = { ...current, endedAt: now, ttl: ENDED_SECONDS };
        const before = wordsOfInvitation(current);
        return {
          ok: true,
          value: {
            value: ended,
            documents: [{ replace: ended, etag: current._etag! }],
            audit: [{ action: 'invitation.revoke', subject: mine.id, before, after: null }],
          },
        };
      });
    },
  };
}
