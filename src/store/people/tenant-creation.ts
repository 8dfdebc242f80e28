import { runsPlatform } from '../../auth/platform';
import { derivedId } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { membersOf, type TenantDocument } from '../documents';
import { type ErasedMarkDocument, ERASURES } from '../erasure/documents';
import { refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { keyProblem, nameProblem } from '../registry/validation';
import { retrying } from '../store-error';
import { type InvitationDocument } from './documents';
import { invitationProblem, newInvitation, wordsOfInvitation } from './invitation';
import { type People } from './people';
import { type Rosters } from './roster';

/**
 * Makes a tenant and the invitation of its first owner. The invitation and what the new tenant's log tells of it come first
 * and the tenant last: a code accepts nothing before its tenant stands, and a try that broke off is finished by the same
 * call.
 */
export function createTenantCreation({
  cosmos,
  rosters,
}: {
  cosmos: Cosmos;
  rosters: Rosters;
}): Pick<People, 'createTenant'> {
  return {
    async createTenant(scope, input, idempotencyKey) {
      if (!runsPlatform(scope))
        return refused('FORBIDDEN', 'tenants are created by operators of the platform');
      const { name, note, expiresInMs } = input;
      const problem =
        keyProblem(idempotencyKey) ?? nameProblem('name', name) ?? invitationProblem(note, expiresInMs);
      if (problem) return { ok: false, refusal: problem };
      const attempt = attemptOf(scope, '', 'createTenant', idempotencyKey, input);
      const claimed = await claim(cosmos, attempt);
      if (!claimed) {
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      }
      const at = claimed.claimedAt;
      const tenantId = derivedId('ten', attempt.hash, String(at));
      const id = derivedId('inv', tenantId, 'first owner');
      const wanted = { id, tenantId, role: 'OWNER' as const, spaces: null, note, at, expiresInMs };
      const made = await newInvitation(cosmos, scope, wanted);
      const invited = await rosters.change<InvitationDocument>(scope, tenantId, async () => {
        const existing = await cosmos.read<InvitationDocument>('directory', membersOf(tenantId), id);
        if (existing) return { ok: true, value: { value: existing } };
        return {
          ok: true,
          value: {
            value: made.invitation,
            documents: [{ create: made.invitation }],
            audit: [
              { action: 'tenant.create', subject: tenantId, before: null, after: { name } },
              {
                action: 'invitation.create',
                subject: id,
                before: null,
                after: wordsOfInvitation(made.invitation),
              },
            ],
          },
        };
      });
      if (!invited.ok) return invited;
      // A repetition does not bring back what was erased since.
      if (await cosmos.read<ErasedMarkDocument>('directory', ERASURES, tenantId)) {
        return refused('WRONG_STATE', 'the tenant that this key created was erased');
      }
      const tenant: TenantDocument = {
        ...{ id: 'tenant', key: `tenant:${tenantId}`, tenantId, name, createdAt: at },
      };
      await retrying(() => cosmos.batch('directory', tenant.key, [{ create: tenant }]));
      const { value: invitation } = invited;
      const code = invitation.code === made.invitation.code ? made.code : null;
      return { ok: true, value: { tenant, invitation, code } };
    },
  };
}
