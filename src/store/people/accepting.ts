import { runsPlatform } from '../../auth/platform';
import { ENDED_SECONDS } from '../alerts/configuration';
import { type Cosmos } from '../cosmos';
import { type MembershipDocument, membersOf, type TenantDocument } from '../documents';
import { type ErasedMarkDocument, ERASURES } from '../erasure/documents';
import { type Outcome } from '../registry';
import { refused } from '../registry/access';
import { attemptOf, claim } from '../registry/idempotency';
import { keyProblem } from '../registry/validation';
import { type InvitationCodeDocument, type InvitationDocument, invitationKeyOf } from './documents';
import { type People } from './people';
import { type MemberRecords } from './records';
import { standingFor } from './resident-spaces';
import { belongs } from './standing';

const MAXIMUM_CODE = 100;
const MAXIMUM_NAME = 320;
/** Of one person. */
const MAXIMUM_TENANTS = 100;

/**
 * Takes an invitation up. That it is taken, and by whom, and that they are a member, is one batch; a try that broke off
 * before their membership was made is finished by the same call, or by the sweep.
 */
export function createInvitationAccepting({
  cosmos,
  records,
}: {
  cosmos: Cosmos;
  records: MemberRecords;
}): Pick<People, 'acceptInvitation'> {
  return {
    async acceptInvitation(scope, code, idempotencyKey) {
      const problem = keyProblem(idempotencyKey);
      if (problem) return { ok: false, refusal: problem };
      if (code.length > MAXIMUM_CODE) {
        return refused('INVALID_INPUT', 'the code is too long', 'invitationCode');
      }
      const { principal } = scope;
      if (principal.kind !== 'person') {
        return refused('FORBIDDEN', 'a person comes by themselves, with a token of their own');
      }
      // Whoever runs the platform sees what is in it for a limited time alone: see `acceptGrant`.
      if (runsPlatform(scope)) {
        return refused('FORBIDDEN', 'an operator of the platform cannot belong to a tenant');
      }
      const { id: personId, email } = principal;
      const key = invitationKeyOf(code);
      const attempt = attemptOf(scope, personId, 'acceptInvitation', idempotencyKey, { code: key });
      if (!(await claim(cosmos, attempt))) {
        return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
      }
      const way = await cosmos.read<InvitationCodeDocument>('directory', key, 'code');
      if (!way) return noInvitation();
      const { tenantId, invitationId } = way;
      const tenant = await cosmos.read<TenantDocument>('directory', `tenant:${tenantId}`, 'tenant');
      const erased = await cosmos.read<ErasedMarkDocument>('directory', ERASURES, tenantId);
      if (!tenant || erased) return noInvitation();
      const invitation = (): Promise<InvitationDocument | null> =>
        cosmos.read<InvitationDocument>('directory', membersOf(tenantId), invitationId);
      // So that nothing is written for a code that is over.
      if (!isOpenTo(await invitation(), key, personId, Date.now())) return noInvitation();
      if ((await tenantsOf(personId)).filter((each) => each !== tenantId).length >= MAXIMUM_TENANTS) {
        return refused(
          'LIMIT_EXCEEDED',
          `a person may belong to ${MAXIMUM_TENANTS} tenants: leave one first`,
        );
      }

      const accepted = await records.change(scope, { tenantId, personId }, async (member, now) => {
        const current = await invitation();
        if (!isOpenTo(current, key, personId, now)) return noInvitation();
        // By an earlier try; whoever has gone since does not come back by the same code.
        if (current.acceptedAt !== null) {
          return belongs(member) ? { ok: true, value: null } : noInvitation();
        }
        if (belongs(member)) return refused('WRONG_STATE', 'you belong to this tenant already');
        const taken: InvitationDocument = {
          ...current,
          ...{ acceptedAt: now, acceptedBy: personId, endedAt: now, ttl: ENDED_SECONDS },
        };
        return {
          ok: true,
          value: {
            standing: standingFor(current),
            action: 'member.join',
            displayName: email?.slice(0, MAXIMUM_NAME) ?? null,
            further: [{ replace: taken, etag: current._etag! }],
          },
        };
      });
      return accepted.ok ? { ok: true, value: { tenant, member: accepted.value } } : accepted;
    },
  };

  async function tenantsOf(personId: string): Promise<string[]> {
    const found = await cosmos.query<MembershipDocument>(
      'directory',
      `person:${personId}`,
      "SELECT * FROM c WHERE c.kind = 'membership'",
    );
    return found.filter(belongs).map(({ tenantId }) => tenantId);
  }
}

/** Nobody's yet and still standing, or this person's already. */
function isOpenTo(
  invitation: InvitationDocument | null,
  key: string,
  personId: string,
  now: number,
): invitation is InvitationDocument {
  if (invitation?.kind !== 'invitation' || invitation.code !== key) return false;
  if (invitation.acceptedAt !== null) return invitation.acceptedBy === personId;
  return invitation.endedAt === null && now < invitation.expiresAt;
}

/** The code itself is not repeated: answers are logged. */
function noInvitation(): Outcome<never> {
  return refused('NOT_FOUND', 'there is no open invitation of this code', 'invitationCode');
}
