import { type Permission, type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { OF_KIND, type PointDocument, type SpaceDocument } from '../documents';
import { type Registry } from '../registry';
import { ownersIn, visible } from './access';
import { pageOf, sortKeyAfter } from './position';

export function createSpaces({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Registry, 'spaces' | 'spacesById' | 'pointsById' | 'points'> {
  async function byId<T extends { tenantId: string; buildingId: string }>(
    scope: TenantScope,
    permission: Permission,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(T | null)[]> {
    const documents = await cosmos.readMany<T>(
      'registry',
      keys.map(({ buildingId, id }) => ({ partition: buildingId, id })),
    );
    return documents.map((document) => visible(scope, permission, document));
  }

  return {
    async spaces(scope, buildingId) {
      const found = await cosmos.query<SpaceDocument>(
        'registry',
        buildingId,
        `SELECT * FROM c WHERE ${OF_KIND.space} AND ARRAY_CONTAINS(@owners, c.tenantId)`,
        { owners: ownersIn(scope, 'building.read', buildingId) },
      );
      return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
    },
    spacesById: (scope, keys) => byId<SpaceDocument>(scope, 'building.read', keys),
    async points(scope, buildingId, { first, after, quantities, spaceIds }) {
      const found = await cosmos.query<PointDocument>(
        'registry',
        buildingId,
        `SELECT * FROM c WHERE c.id > @after AND c.id < @end AND ARRAY_CONTAINS(@owners, c.tenantId)
          AND ARRAY_CONTAINS(@quantities, c.quantity)${spaceIds ? ' AND ARRAY_CONTAINS(@spaces, c.spaceId)' : ''}
         ORDER BY c.id`,
        {
          after: after === null ? 'pnt_' : sortKeyAfter(after),
          // '`' is the character after '_'.
          end: 'pnt`',
          owners: ownersIn(scope, 'reading.read', buildingId),
          quantities: [...quantities],
          ...(spaceIds && { spaces: [...spaceIds] }),
        },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.id })),
        first,
      );
    },
    pointsById: (scope, keys) => byId<PointDocument>(scope, 'building.read', keys),
  };
}
