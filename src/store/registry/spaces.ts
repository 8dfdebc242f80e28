import { type Permission, type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { OF_KIND, type PointDocument, type SpaceDocument } from '../documents';
import { type Registry } from '../registry';
import { ownersIn, visible } from './access';

export function createSpaces({
  cosmos,
}: {
  cosmos: Cosmos;
}): Pick<Registry, 'spaces' | 'spacesById' | 'pointsById'> {
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
    pointsById: (scope, keys) => byId<PointDocument>(scope, 'building.read', keys),
  };
}
