import { createUnionType, Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql';
import { type Role as RoleName } from '../../auth/scope';
import { type SpacesOfBuilding } from '../../store/documents';
import { MEMBER_ROLES, type MemberRole as MemberRoleName } from '../../store/people/documents';
import { type Member as Stored } from '../../store/people/standing';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Role } from '../viewer/viewer.type';

export const MemberRole = Object.fromEntries(MEMBER_ROLES.map((each) => [each, each])) as Record<
  MemberRoleName,
  MemberRoleName
>;
registerEnumType(MemberRole, {
  name: 'MemberRole',
  description: 'What somebody can be made in a tenant: as the `Role` of that name.',
  valuesConfig: {
    OWNER: { description: 'Everything, the administration of access included.' },
    MANAGER: { description: 'Buildings, rules, and the devices’ configuration.' },
    TECHNICIAN: { description: 'Looks after devices and sees their health; no occupants’ data.' },
    ANALYST: { description: 'Asks questions of what was measured and exports it.' },
    VIEWER: { description: 'Reads; a resident only their own spaces and the building’s averages.' },
  },
});

@ObjectType('SpacesOfBuilding', { description: 'Spaces of one building in which a role holds.' })
export class SpacesOfBuildingType {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Visible('with-parent')
  @Field(() => [ID], { description: 'The spaces, with those that lie in them.' })
  spaceIds!: string[];
}

@InputType({ description: 'Spaces of one building in which a role is to hold.' })
export class SpacesOfBuildingInput {
  @Field(() => ID, { description: 'The building, of the same tenant.' })
  buildingId!: string;

  @Field(() => [ID], { description: 'The spaces, 1 to 100; those that lie in them come with them.' })
  spaceIds!: string[];
}

@ObjectType('Member', { description: 'Somebody who belongs to a tenant, and as what.' })
export class Member {
  @Visible('with-parent')
  @Field(() => ID, {
    description: 'Who: stands for the issuer and the subject of their token; not an email address.',
  })
  personId!: string;

  @Visible('with-parent')
  @Field(() => Role, { description: 'What they may do.' })
  role!: RoleName;

  @Visible('with-parent')
  @Field(() => [SpacesOfBuildingType], {
    nullable: true,
    description: 'For a resident: where alone the role holds; null: in all of the tenant.',
  })
  spaces!: SpacesOfBuilding[] | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'For display only: the email address of their token when they came; null where it gave none. It may be somebody else’s by now: never decide anything by it.',
  })
  displayName!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When they came; null where that is not known any more.',
  })
  joinedAt!: Date | null;

  static of({ personId, role, resident, displayName, joinedAt }: Stored): Member {
    return Object.assign(new Member(), {
      personId,
      role: role ?? resident?.role ?? 'VIEWER',
      spaces: role === null ? (resident?.spaces ?? []) : null,
      displayName,
      joinedAt: joinedAt === null ? null : new Date(joinedAt),
    });
  }
}

export const MemberConnection = connectionType(Member, 'Member', 'a tenant’s members, by their ids');

@InputType({ description: 'What a member is to be from now on.' })
export class ChangeMemberRoleInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'The member.' })
  personId!: string;

  @Field(() => MemberRole, { description: 'What they are to be.' })
  role!: MemberRoleName;

  @Field(() => [SpacesOfBuildingInput], {
    nullable: true,
    description:
      'For a resident (VIEWER): the spaces in which alone the role holds, of at most 20 buildings; left out: in all of the tenant.',
  })
  spaces?: SpacesOfBuildingInput[] | null;
}

@ObjectType({ description: 'It holds: within two seconds everywhere, open subscriptions included.' })
export class ChangeMemberRoleSuccess {
  @Visible('with-parent')
  @Field(() => Member, { description: 'The member as they are now.' })
  member!: Member;
}

@InputType({ description: 'A member who is to go.' })
export class RemoveMemberInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'The member; yourself, where you leave.' })
  personId!: string;
}

@ObjectType({ description: 'They have gone: within two seconds everywhere, open connections included.' })
export class RemoveMemberSuccess {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Who is a member no longer.' })
  personId!: string;
}

export const ChangeMemberRoleResult = createUnionType({
  name: 'ChangeMemberRoleResult',
  description: 'The member, or why nothing was changed.',
  types: () => [ChangeMemberRoleSuccess, ...USER_ERROR_TYPES] as const,
});
export const RemoveMemberResult = createUnionType({
  name: 'RemoveMemberResult',
  description: 'Who has gone, or why nothing was changed.',
  types: () => [RemoveMemberSuccess, ...USER_ERROR_TYPES] as const,
});
