import { createUnionType, Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { type SpaceKind as Kind } from '../../store/documents';
import { TimeZone } from '../scalars';
import { Visible } from '../rule';
import { Space, SpaceKind } from '../space/space.type';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Building } from './building.type';

@InputType({ description: 'A space of a building that is to be created.' })
export class NewSpaceInput {
  @Field({ description: 'What people call it.' })
  name!: string;

  @Field(() => SpaceKind, { description: 'Level, room or zone.' })
  kind!: Kind;

  @Field(() => Int, {
    nullable: true,
    description:
      'The space it lies in, by its index in the same list, from 0; left out or null for one directly in the building.',
  })
  parent?: number | null;
}

@InputType({ description: 'A building that is to be created, with its spaces.' })
export class CreateBuildingInput {
  @Field(() => ID, { description: 'Who will own it.' })
  tenantId!: string;

  @Field({ description: 'What people call it.' })
  name!: string;

  @Field(() => TimeZone, { description: 'Where it stands.' })
  timeZone!: string;

  @Field(() => [NewSpaceInput], { description: 'Its levels, rooms and zones; possibly none.' })
  spaces!: NewSpaceInput[];

  @Field({
    description:
      'Chosen by you, unique for this building: the same key with the same input gives the same building again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The building stands.' })
export class CreateBuildingSuccess {
  @Visible('with-parent')
  @Field(() => Building, { description: 'The new building.' })
  building!: Building;

  @Visible('with-parent')
  @Field(() => [Space], { description: 'Its spaces, in the order of the input.' })
  spaces!: Space[];
}

export const CreateBuildingResult = createUnionType({
  name: 'CreateBuildingResult',
  description: 'The new building, or why there is none.',
  types: () => [CreateBuildingSuccess, ...USER_ERROR_TYPES] as const,
});
