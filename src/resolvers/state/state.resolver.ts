import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { allowsState } from '../../auth/presence';
import { quantityOfCode } from '../../domain/quantity';
import { Building } from '../building/building.type';
import { type Context } from '../context';
import { withPosition } from '../average/sight';
import { Visible } from '../rule';
import { Space } from '../space/space.type';
import { PlaceState } from './state.type';

@Resolver(() => Building)
export class BuildingStatesResolver {
  // Of the building as a whole, and so empty for whoever has a right to single spaces.
  @Visible({ needs: 'state.read', of: 'parts-of-parent' })
  @FieldResolver(() => [PlaceState], {
    description:
      'The states now, by quantity: of all points in the building that were heard in the last ten minutes. What tells whether somebody is there goes only to those who may see readings.',
  })
  states(@Root() { tenantId, id: buildingId }: Building, @Ctx() context: Context): PlaceState[] {
    return currentStates(context, { tenantId, buildingId, spaceId: null });
  }
}

@Resolver(() => Space)
export class SpaceStatesResolver {
  @Visible({ needs: 'state.read', of: 'parent' })
  @FieldResolver(() => [PlaceState], {
    description:
      'The states now, by quantity: of all points in the space, and in those that lie in it, that were heard in the last ten minutes. What tells whether somebody is there goes only to those who may see readings.',
  })
  states(@Root() { tenantId, buildingId, id: spaceId }: Space, @Ctx() context: Context): PlaceState[] {
    return currentStates(context, { tenantId, buildingId, spaceId });
  }
}

function currentStates(
  { services: { live }, scope, freshness }: Context,
  place: { tenantId: string; buildingId: string; spaceId: string | null },
): PlaceState[] {
  const { tenantId, buildingId, spaceId } = place;
  const told = live
    .states(place)
    .toSorted((a, b) => a.quantity - b.quantity)
    .flatMap((value) => {
      const quantity = quantityOfCode(value.quantity)?.name;
      if (quantity === undefined || !allowsState(scope, { tenantId, buildingId, spaceId, quantity }))
        return [];
      const state = PlaceState.of(value);
      return state === undefined ? [] : withPosition(scope, state);
    });
  freshness.note(
    'states',
    told.map(({ asOf }) => asOf.getTime()),
  );
  return told;
}
