import { allows } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { notFound, refused } from '../registry/access';
import { type People } from './people';
import { type MemberRecords } from './records';
import { residentSpaces, standingFor, standingProblem } from './resident-spaces';
import { administratorProblem } from './roster';
import { belongs, NOTHING, sameStanding } from './standing';

/** What somebody is in a tenant, and their going. What the last owner may not, the records refuse. */
export function createMemberChanging({
  cosmos,
  records,
}: {
  cosmos: Cosmos;
  records: MemberRecords;
}): Pick<People, 'changeMemberRole' | 'removeMember'> {
  return {
    async changeMemberRole(scope, { tenantId, personId, role, spaces: named }) {
      if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
      if (!allows(scope, 'access.manage', { tenantId })) {
        return refused('FORBIDDEN', 'your role may not change what others are');
      }
      const problem = standingProblem({ role, spaces: named });
      if (problem) return { ok: false, refusal: problem };
      const spaces = named && (await residentSpaces(cosmos, scope, tenantId, named));
      if (spaces !== null && !spaces.ok) return spaces;
      const standing = standingFor({ role, spaces: spaces && spaces.value });
      const who = { tenantId, personId };
      // So that nothing is written for somebody who is none of it.
      if (!belongs(await records.read(who))) return notFound('member', personId, 'personId');
      return records.change(scope, who, (member, _now, roster) => {
        const forbidden = administratorProblem(roster, scope);
        if (forbidden) return { ok: false, refusal: forbidden };
        if (!belongs(member)) return notFound('member', personId, 'personId');
        if (sameStanding(member, standing)) return { ok: true, value: null };
        return { ok: true, value: { standing, action: 'member.change' } };
      });
    },

    async removeMember(scope, who) {
      const { tenantId, personId } = who;
      // Also somebody with a right to single spaces alone, who sees nothing of the tenant, may go.
      if (personId !== scope.principal.id) {
        if (!allows(scope, 'tenant.read', { tenantId })) return notFound('tenant', tenantId, 'tenantId');
        if (!allows(scope, 'access.manage', { tenantId })) {
          return refused('FORBIDDEN', 'your role may not remove others');
        }
      }
      const known = await records.read(who);
      // One who has gone: a try that broke off before their membership ended is finished.
      if (!belongs(known) && known.version === 0) return notFound('member', personId, 'personId');
      const self = personId === scope.principal.id;
      const action = self ? 'member.leave' : 'member.remove';
      return records.change(scope, who, (member, _now, roster) => {
        const forbidden = self ? undefined : administratorProblem(roster, scope);
        if (forbidden) return { ok: false, refusal: forbidden };
        if (!belongs(member)) return { ok: true, value: null };
        return { ok: true, value: { standing: NOTHING, action, displayName: null } };
      });
    },
  };
}
