import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import { type QuantityName } from '../../domain/quantity';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Building } from './building.type';

@InputType({ description: 'What tells of presence in a building, where that is its owner’s to say.' })
export class SetPresenceRevealingInput {
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Field(() => [Quantity], {
    description:
      'All that is to be hidden of `CO2_LEVEL` and `ILLUMINANCE`; none, where neither is. The others cannot be chosen: they always tell of presence, or never.',
  })
  quantities!: QuantityName[];
}

@ObjectType({ description: 'It is so.' })
export class SetPresenceRevealingSuccess {
  @Visible('with-parent')
  @Field(() => Building, { description: 'The building as it is now.' })
  building!: Building;
}

export const SetPresenceRevealingResult = createUnionType({
  name: 'SetPresenceRevealingResult',
  description: 'The building, or why nothing was changed.',
  types: () => [SetPresenceRevealingSuccess, ...USER_ERROR_TYPES] as const,
});
