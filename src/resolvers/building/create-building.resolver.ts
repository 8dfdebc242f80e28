import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Context } from '../context';
import { Visible } from '../rule';
import { Space } from '../space/space.type';
import { type UserError, userErrorOf } from '../user-error.type';
import { Building } from './building.type';
import { CreateBuildingInput, CreateBuildingResult, CreateBuildingSuccess } from './create-building.type';

@Resolver()
export class CreateBuildingResolver {
  @Visible({ needs: 'building.create', of: 'arguments' })
  @Mutation(() => CreateBuildingResult, {
    description: 'Creates a building with its spaces, whole or not at all.',
  })
  async createBuilding(
    @Arg('input', () => CreateBuildingInput, { description: 'The building.' })
    { idempotencyKey, spaces, tenantId, name, timeZone }: CreateBuildingInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<CreateBuildingSuccess | UserError> {
    const outcome = await registry.createBuilding(
      scope,
      {
        tenantId,
        name,
        timeZone,
        spaces: spaces.map((space) => ({ name: space.name, kind: space.kind, parent: space.parent ?? null })),
      },
      idempotencyKey,
    );
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    return Object.assign(new CreateBuildingSuccess(), {
      building: Building.of(outcome.value.building),
      spaces: outcome.value.spaces.map(Space.of),
    });
  }
}
