import { createUnionType, Field, InputType, Int, ObjectType } from 'type-graphql';
import { Visible } from '../rule';
import { Tenant } from '../tenant/tenant.type';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Invitation } from './invitation.type';

@InputType({ description: 'A tenant to create.' })
export class CreateTenantInput {
  @Field({ description: 'What its people call it, 1 to 200 characters.' })
  name!: string;

  @Field(() => String, {
    nullable: true,
    description:
      'Noted on the invitation of its first owner, e.g. whom you give the code to; its owners see it.',
  })
  ownerNote?: string | null;

  @Field(() => Int, {
    defaultValue: 168,
    description: 'How long the invitation of its first owner stands, in hours, 1 to 720.',
  })
  expiresInHours!: number;

  @Field({
    description:
      'Yours to choose. The same key with the same input gives the same tenant again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The tenant stands; whoever accepts the invitation is its first owner.' })
export class CreateTenantSuccess {
  @Visible('with-parent')
  @Field(() => Tenant, { description: 'The tenant: keep its id, you cannot look it up again.' })
  tenant!: Tenant;

  @Visible('with-parent')
  @Field(() => Invitation, { description: 'The invitation of its first owner.' })
  invitation!: Invitation;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Whoever has it becomes the first owner: hand it over yourself. Shown in this answer alone; null where it was shown before.',
  })
  invitationCode!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'True where an earlier answer to this key showed the code: where it was lost, invite an owner by `inviteMember`.',
  })
  secretsAlreadyShown!: boolean;
}

export const CreateTenantResult = createUnionType({
  name: 'CreateTenantResult',
  description: 'The tenant with the code for its first owner, or why nothing was changed.',
  types: () => [CreateTenantSuccess, ...USER_ERROR_TYPES] as const,
});
