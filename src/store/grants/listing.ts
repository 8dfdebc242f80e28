import { allows, type TenantScope } from '../../auth/scope';
import { keysToBuilding } from '../api-keys/views';
import { type Cosmos } from '../cosmos';
import { type MembershipDocument, membersOf } from '../documents';
import { type Page } from '../registry';
import { pageOf, positionAfter, sortKeyAfter } from '../registry/position';
import { type GivenGrantDocument, grantsOf, type ReceivedGrantDocument, receivedOf } from './documents';
import { type Access, type Grant, type Grants } from './grants';

/** Behind every digit. */
const NEWEST = ':';
const MEMBER = 'm';
const GRANT = 'g';
const KEY = 'k';

export function createGrantListing({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Grants, 'grants' | 'grantsToMe' | 'accessTo'> {
  return {
    async grants(scope, tenantId, { direction, first, after }) {
      // The same call for a tenant of whom the caller may not ask: it gives nothing.
      const owners = administered(scope, { tenantId });
      const [key, kind] =
        direction === 'GIVEN' ? [grantsOf(tenantId), 'givenGrant'] : [receivedOf(tenantId), 'grant'];
      const found = await cosmos.query<Grant>(
        'directory',
        key,
        'SELECT * FROM c WHERE c.kind = @kind AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.sortKey < @before ORDER BY c.sortKey DESC',
        { kind, owners, before: after === null ? NEWEST : sortKeyAfter(after) },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

    async grantsToMe({ principal }) {
      const found = await cosmos.query<ReceivedGrantDocument>(
        'directory',
        `person:${principal.id}`,
        "SELECT * FROM c WHERE c.kind = 'grant' AND c.endedAt = null",
      );
      return found.sort((a, b) => (a.sortKey < b.sortKey ? 1 : -1));
    },

    async accessTo(scope, { tenantId, buildingId }, { first, after }): Promise<Page<Access>> {
      const owners = administered(scope, { tenantId, buildingId });
      const position = after === null ? MEMBER : sortKeyAfter(after);
      const found: { item: Access | null; sortKey: string }[] = [];
      if (position.startsWith(MEMBER)) {
        const members = await cosmos.query<{ id: string }>(
          'directory',
          membersOf(tenantId),
          "SELECT c.id FROM c WHERE c.kind = 'member' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.id > @after ORDER BY c.id",
          { owners, after: position.slice(MEMBER.length) },
          { limit: first + 1 },
        );
        const memberships = await cosmos.readMany<MembershipDocument>(
          'directory',
          members.map(({ id }) => ({ partition: `person:${id}`, id: tenantId })),
        );
        members.forEach(({ id }, i) => {
          const member = memberships[i];
          const sees =
            member?.role != null ||
            member?.resident?.spaces.some((each) => each.buildingId === buildingId) === true;
          found.push({ item: sees ? { member: member! } : null, sortKey: MEMBER + id });
        });
      }
      if (found.length <= first && !position.startsWith(KEY)) {
        const grants = await cosmos.query<GivenGrantDocument>(
          'directory',
          grantsOf(tenantId),
          `SELECT * FROM c WHERE c.kind = 'givenGrant' AND ARRAY_CONTAINS(@owners, c.tenantId) AND c.buildingId = @buildingId
            AND c.endedAt = null AND c.sortKey < @before ORDER BY c.sortKey DESC`,
          { owners, buildingId, before: position.startsWith(GRANT) ? position.slice(GRANT.length) : NEWEST },
          { limit: first + 1 - found.length },
        );
        found.push(...grants.map((grant) => ({ item: { grant }, sortKey: GRANT + grant.sortKey })));
      }
      if (found.length <= first) {
        const keys = await keysToBuilding(
          cosmos,
          { tenantId, buildingId },
          {
            owners,
            before: position.startsWith(KEY) ? position.slice(KEY.length) : NEWEST,
            limit: first + 1 - found.length,
          },
        );
        found.push(...keys.map((apiKey) => ({ item: { apiKey }, sortKey: KEY + apiKey.record.sortKey })));
      }
      const shown = found
        .slice(0, first)
        .flatMap(({ item, sortKey }) => (item === null ? [] : [{ item, position: positionAfter(sortKey) }]));
      return {
        items: shown.map(({ item }) => item),
        positions: shown.map(({ position: at }) => at),
        next: found.length > first ? positionAfter(found[first - 1]!.sortKey) : null,
      };
    },
  };
}

function administered(scope: TenantScope, of: { tenantId: string; buildingId?: string }): string[] {
  return allows(scope, 'access.manage', of) ? [of.tenantId] : [];
}
