import { type Cosmos } from '../cosmos';
import { type BuildingDocument, OF_KIND, type SpaceDocument } from '../documents';

/** Spaces of a building with all that lie in them; `missing` is the first that the building does not have. */
export async function withThoseWithin(
  cosmos: Pick<Cosmos, 'query'>,
  { id, tenantId }: BuildingDocument,
  named: readonly string[],
): Promise<{ spaceIds: string[]; missing?: string }> {
  const spaces = await cosmos.query<Pick<SpaceDocument, 'id' | 'parentId'>>(
    'registry',
    id,
    `SELECT c.id, c.parentId FROM c WHERE ${OF_KIND.space} AND c.tenantId = @tenantId`,
    { tenantId },
  );
  const known = new Set(spaces.map((each) => each.id));
  const missing = named.find((each) => !known.has(each));
  if (missing !== undefined) return { spaceIds: [], missing };
  const found = new Set(named);
  // A space lies in one that was made before it: as often as they can be nested, more are found.
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const each of spaces) if (each.parentId !== null && found.has(each.parentId)) found.add(each.id);
  }
  return { spaceIds: [...found] };
}
