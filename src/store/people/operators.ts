import { OPERATORS_LONGEST_ACCESS_MS, PLATFORM_TENANT } from '../../auth/platform';
import { personId as idOf } from '../../domain/id';
import { type Cosmos } from '../cosmos';
import { refused } from '../registry/access';
import { rightsOf } from '../registry/tenants';
import { type Operators } from './people';
import { type MemberRecords } from './records';
import { belongs, NOTHING } from './standing';

/** Who runs the platform. An operator is one and nothing else: what they may see ends by itself. */
export function createOperators({ cosmos, records }: { cosmos: Cosmos; records: MemberRecords }): Operators {
  return {
    async setOperator({ issuer, subject }, operator) {
      const personId = idOf(issuer, subject);
      const rights = operator ? await rightsOf(cosmos, personId) : [];
      for (const each of rights) {
        if (each.kind === 'membership' && each.tenantId !== PLATFORM_TENANT && belongs(each)) {
          return refused('WRONG_STATE', `they belong to ${each.tenantId}: an operator belongs to no tenant`);
        }
        if (each.kind === 'grant' && each.endedAt === null) {
          const longest = Date.now() + OPERATORS_LONGEST_ACCESS_MS;
          if (each.until === null || each.until > longest) {
            return refused(
              'WRONG_STATE',
              `${each.id} is shared with them for longer than an operator may have it: it has to be revoked first`,
            );
          }
        }
      }
      const standing = operator ? ({ role: 'OPERATOR' } as const) : NOTHING;
      return records.change(null, { tenantId: PLATFORM_TENANT, personId }, (member) =>
        belongs(member) === operator
          ? { ok: true, value: null }
          : {
              ok: true,
              value: { standing, action: operator ? 'operator.make' : 'operator.end' },
            },
      );
    },
  };
}
