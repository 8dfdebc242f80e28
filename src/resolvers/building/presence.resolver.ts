import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { revealsPresence } from '../../auth/presence';
import { isRevealing } from '../../domain/presence';
import { QUANTITY_NAMES, type QuantityName } from '../../domain/quantity';
import { type Context } from '../context';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { type UserError, userErrorOf } from '../user-error.type';
import { Building } from './building.type';
import {
  SetPresenceRevealingInput,
  SetPresenceRevealingResult,
  SetPresenceRevealingSuccess,
} from './presence.type';

@Resolver(() => Building)
export class PresenceResolver {
  @Visible('with-parent')
  @FieldResolver(() => [Quantity], {
    description:
      'The quantities that tell of presence here: what is measured of them goes only to those who may see that (owners, managers and analysts), in the building and in each of its spaces.',
  })
  presenceRevealing(
    @Root() { tenantId, id: buildingId, chosen }: Building,
    @Ctx() { scope }: Context,
  ): QuantityName[] {
    return QUANTITY_NAMES.filter((quantity) =>
      chosen === undefined
        ? revealsPresence(scope, { tenantId, buildingId, quantity })
        : isRevealing(quantity, buildingId, { [buildingId]: chosen }),
    );
  }

  @Visible({ needs: 'presence.manage', of: 'arguments' })
  @Mutation(() => SetPresenceRevealingResult, {
    description:
      'Says whether CO2 and light tell of presence in a building. What does is hidden, within two seconds also in open subscriptions, from all who may not see that. Saying the same again changes nothing.',
  })
  async setPresenceRevealing(
    @Arg('input', () => SetPresenceRevealingInput, {
      description: 'The building and what tells of presence in it.',
    })
    input: SetPresenceRevealingInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<SetPresenceRevealingSuccess | UserError> {
    const outcome = await registry.setPresenceRevealing(scope, input);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { building, quantities } = outcome.value;
    return Object.assign(new SetPresenceRevealingSuccess(), {
      building: Object.assign(Building.of(building), { chosen: quantities }),
    });
  }
}
