import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { Building } from '../building/building.type';
import { loadBuilding } from '../building/building.resolver';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Space } from './space.type';

@Resolver(() => Space)
export class SpaceResolver {
  @Visible('with-parent')
  @FieldResolver(() => Building, { description: 'The building it lies in.' })
  building(@Root() { buildingId }: Space, @Ctx() context: Context): Promise<Building> {
    return theBuilding(context, buildingId);
  }

  @Visible('with-parent')
  @FieldResolver(() => Space, {
    nullable: true,
    description:
      'The space it lies in; null for one that lies directly in the building, and where that space is not yours to see.',
  })
  async parent(@Root() { buildingId, parentId }: Space, @Ctx() { loaders }: Context): Promise<Space | null> {
    const parent = parentId === null ? null : await loaders.space.load({ buildingId, id: parentId });
    return parent === null ? null : Space.of(parent);
  }
}

/** The building of something that the caller may see. */
export async function theBuilding(context: Context, id: string): Promise<Building> {
  const building = await loadBuilding(context, id);
  if (building === null) throw new Error(`building ${id} of a visible object was not found`);
  return building;
}

/** The space of something that the caller may see. */
export async function theSpace({ loaders }: Context, buildingId: string, id: string): Promise<Space> {
  const document = await loaders.space.load({ buildingId, id });
  if (document === null) throw new Error(`space ${id} of a visible object was not found`);
  return Space.of(document);
}
