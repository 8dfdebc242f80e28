import { allows, type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type MemberDocument, type MembershipDocument, membersOf } from '../documents';
import { pageOf, positionAfter, sortKeyAfter } from '../registry/position';
import { type InvitationDocument } from './documents';
import { type People } from './people';
import { belongs, memberOf } from './standing';

/** Behind every digit. */
const NEWEST = ':';

export function createPeopleListing({ cosmos }: { cosmos: Cosmos }): Pick<People, 'members' | 'invitations'> {
  return {
    async members(scope, tenantId, { first, after }) {
      // The same call for a tenant of whom the caller may not ask: it gives nothing.
      const entries = await cosmos.query<MemberDocument>(
        'directory',
        membersOf(tenantId),
        "SELECT * FROM c WHERE c.kind = 'member' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.id > @after ORDER BY c.id",
        { owners: administered(scope, tenantId), after: sortKeyAfter(after) },
        { limit: first + 1 },
      );
      const shown = entries.slice(0, first);
      const memberships = await cosmos.readMany<MembershipDocument>(
        'directory',
        shown.map(({ id }) => ({ partition: `person:${id}`, id: tenantId })),
      );
      const found = shown
        .map((entry, i) => memberOf({ tenantId, personId: entry.id }, entry, memberships[i] ?? null))
        .filter(belongs);
      return {
        items: found,
        positions: found.map(({ personId }) => positionAfter(personId)),
        next: entries.length > first ? positionAfter(shown.at(-1)!.id) : null,
      };
    },

    async invitations(scope, tenantId, { first, after }) {
      const found = await cosmos.query<InvitationDocument>(
        'directory',
        membersOf(tenantId),
        "SELECT * FROM c WHERE c.kind = 'invitation' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.sortKey < @before ORDER BY c.sortKey DESC",
        {
          owners: administered(scope, tenantId),
          before: after === null ? NEWEST : sortKeyAfter(after),
        },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },
  };
}

function administered(scope: TenantScope, tenantId: string): string[] {
  return allows(scope, 'access.manage', { tenantId }) ? [tenantId] : [];
}
