import { allows, type Permission, type TenantScope } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import { OF_KIND, type PointDocument, type SpaceDocument } from '../documents';
import { type Registry } from '../registry';
import { type Reads } from '../remembered-reads';
import { ownersIn, placedIn, visible } from './access';
import { pageOf, sortKeyAfter } from './position';

/** The ids of all points; '`' is the character after '_'. */
const ALL_POINTS = { after: 'pnt_', end: 'pnt`' };
/** Enough to know that there are many. */
const MAXIMUM_POINTS = 20_000;

export function createSpaces({
  reads,
}: {
  reads: Reads;
}): Pick<Registry, 'spaces' | 'spacesById' | 'pointsById' | 'points' | 'measuredSpaces'> {
  async function byId<T extends SpaceDocument | PointDocument>(
    scope: TenantScope,
    permission: Permission,
    keys: readonly { buildingId: string; id: string }[],
  ): Promise<(T | null)[]> {
    const shows = (document: T): boolean => visible(scope, permission, placed(document)) !== null;
    const documents = await reads.readMany<T>(
      keys.map(({ buildingId, id }) => ({ partition: buildingId, id })),
      shows,
    );
    return documents.map((document) => (document && shows(document) ? document : null));
  }

  return {
    async spaces(scope, buildingId) {
      const found = await reads.query<SpaceDocument>(
        buildingId,
        `SELECT * FROM c WHERE ${OF_KIND.space} AND ARRAY_CONTAINS(@owners, c.tenantId)`,
        { owners: ownersIn(scope, 'building.read', buildingId) },
      );
      // Whoever has a right to single spaces may see the building, and of its spaces those.
      const mine = found.filter((space) => visible(scope, 'building.read', placed(space)));
      return mine.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.id < b.id ? -1 : 1));
    },
    async measuredSpaces(scope, buildingId) {
      const points = await reads.query<Pick<PointDocument, 'quantity' | 'spaceId'>>(
        buildingId,
        'SELECT c.quantity, c.spaceId FROM c WHERE c.id > @after AND c.id < @end AND ARRAY_CONTAINS(@owners, c.tenantId)',
        { ...ALL_POINTS, owners: ownersIn(scope, 'building.read', buildingId) },
        { limit: MAXIMUM_POINTS },
      );
      const found = new Map<QuantityName, Set<string>>();
      for (const { quantity, spaceId } of points)
        found.set(quantity, (found.get(quantity) ?? new Set()).add(spaceId));
      return Object.fromEntries([...found].map(([quantity, spaces]) => [quantity, spaces.size]));
    },
    spacesById: (scope, keys) => byId<SpaceDocument>(scope, 'building.read', keys),
    async points(scope, buildingId, { first, after, quantities, spaceIds }) {
      const { condition, parameters } = placedIn(scope, 'reading.read', buildingId);
      const found = await reads.query<PointDocument>(
        buildingId,
        `SELECT * FROM c WHERE c.id > @after AND c.id < @end AND ${condition}
          AND ARRAY_CONTAINS(@quantities, c.quantity)${spaceIds ? ' AND ARRAY_CONTAINS(@spaces, c.spaceId)' : ''}
         ORDER BY c.id`,
        {
          ...ALL_POINTS,
          ...(after !== null && { after: sortKeyAfter(after) }),
          ...parameters,
          quantities: [...quantities],
          ...(spaceIds && { spaces: [...spaceIds] }),
        },
        { limit: first + 1 },
      );
      const page = pageOf(
        found.map((item) => ({ item, sortKey: item.id })),
        first,
      );
      // A right to some quantities may be to other spaces than one to others.
      const seen = page.items.map((point) => allows(scope, 'reading.read', point));
      return {
        items: page.items.filter((_, i) => seen[i]),
        positions: page.positions.filter((_, i) => seen[i]),
        next: page.next,
      };
    },
    pointsById: (scope, keys) => byId<PointDocument>(scope, 'building.read', keys),
  };
}

/** Where a right to it is looked up: a point in its space, and a space in itself. */
function placed(document: SpaceDocument | PointDocument) {
  const { id, tenantId, buildingId } = document;
  return { tenantId, buildingId, spaceId: 'spaceId' in document ? document.spaceId : id };
}
