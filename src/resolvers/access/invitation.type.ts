import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type Role as RoleName } from '../../auth/scope';
import { type SpacesOfBuilding } from '../../store/documents';
import { type InvitationDocument, type MemberRole as MemberRoleName } from '../../store/people/documents';
import { connectionType } from '../connection';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Role } from '../viewer/viewer.type';
import { MemberRole, SpacesOfBuildingInput, SpacesOfBuildingType } from './member.type';

export const InvitationState = {
  OPEN: 'OPEN',
  ACCEPTED: 'ACCEPTED',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
} as const;
type State = keyof typeof InvitationState;
registerEnumType(InvitationState, {
  name: 'InvitationState',
  description: 'What became of an invitation.',
  valuesConfig: {
    OPEN: { description: 'Whoever has its code can accept it.' },
    ACCEPTED: { description: 'Somebody has come by it.' },
    EXPIRED: { description: 'Nobody came in time.' },
    REVOKED: { description: 'It was withdrawn.' },
  },
});

@ObjectType('Invitation', { description: 'That whoever has its code may come to a tenant, once.' })
export class Invitation {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and global.' })
  id!: string;

  @Visible('with-parent')
  @Field(() => InvitationState, { description: 'What became of it.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => MemberRole, { description: 'What whoever accepts it is.' })
  role!: MemberRoleName;

  @Visible('with-parent')
  @Field(() => [SpacesOfBuildingType], {
    nullable: true,
    description: 'For a resident: where alone the role holds; null: in all of the tenant.',
  })
  spaces!: SpacesOfBuilding[] | null;

  @Visible('with-parent')
  @Field(() => String, { nullable: true, description: 'What was noted when it was made.' })
  note!: string | null;

  @Visible('with-parent')
  @Field(() => ID, { description: 'Who made it: a person, or an API key.' })
  invitedBy!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was made.' })
  invitedAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Until when it can be accepted.' })
  expiresAt!: Date;

  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'The person who came by it; null where nobody did.' })
  acceptedBy!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was accepted or revoked; null before.' })
  endedAt!: Date | null;

  static of(invitation: InvitationDocument): Invitation {
    const { id, role, spaces, note, invitedBy, acceptedBy, endedAt } = invitation;
    return Object.assign(new Invitation(), {
      ...{ id, role, spaces, note, invitedBy, acceptedBy },
      state: stateOf(invitation, Date.now()),
      invitedAt: new Date(invitation.invitedAt),
      expiresAt: new Date(invitation.expiresAt),
      endedAt: endedAt === null ? null : new Date(endedAt),
    });
  }
}

function stateOf({ acceptedAt, endedAt, expiresAt }: InvitationDocument, now: number): State {
  if (acceptedAt !== null) return 'ACCEPTED';
  if (endedAt !== null) return 'REVOKED';
  return expiresAt <= now ? 'EXPIRED' : 'OPEN';
}

export const InvitationConnection = connectionType(
  Invitation,
  'Invitation',
  'a tenant’s invitations, the newest first',
);

@InputType({ description: 'Whom to let into a tenant, as what.' })
export class InviteMemberInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => MemberRole, { description: 'What whoever accepts it is.' })
  role!: MemberRoleName;

  @Field(() => [SpacesOfBuildingInput], {
    nullable: true,
    description:
      'For a resident (VIEWER): the spaces in which alone the role holds, of at most 20 buildings; left out: in all of the tenant.',
  })
  spaces?: SpacesOfBuildingInput[] | null;

  @Field(() => String, {
    nullable: true,
    description: 'For those who administer access, e.g. whom you give the code to.',
  })
  note?: string | null;

  @Field(() => Int, { defaultValue: 168, description: 'How long it stands, in hours, 1 to 720.' })
  expiresInHours!: number;

  @Field({
    description:
      'Yours to choose. The same key with the same input gives the same invitation again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The invitation was made.' })
export class InviteMemberSuccess {
  @Visible('with-parent')
  @Field(() => Invitation, { description: 'The invitation, open.' })
  invitation!: Invitation;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Whoever has it can come, once: hand it over yourself. Shown in this answer alone; null where it was shown before.',
  })
  invitationCode!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'True where an earlier answer to this key showed the code: revoke the invitation and make another.',
  })
  secretsAlreadyShown!: boolean;
}

@InputType({ description: 'An invitation to withdraw.' })
export class RevokeInvitationInput {
  @Field(() => ID, { description: 'The invitation.' })
  invitationId!: string;
}

@ObjectType({ description: 'Nobody comes by it any more.' })
export class RevokeInvitationSuccess {
  @Visible('with-parent')
  @Field(() => Invitation, {
    description: 'The invitation; as it was, where it had been accepted or revoked before.',
  })
  invitation!: Invitation;
}

@InputType({ description: 'An invitation to accept, as yourself.' })
export class AcceptInvitationInput {
  @Field({ description: 'The code as it was handed over; case, spaces and hyphens do not matter.' })
  invitationCode!: string;

  @Field({ description: 'Yours to choose; accepting again changes nothing.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'You belong to the tenant from now on: within two seconds everywhere.' })
export class AcceptInvitationSuccess {
  @Visible('with-parent')
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Visible('with-parent')
  @Field({ description: 'What its people call it.' })
  tenantName!: string;

  @Visible('with-parent')
  @Field(() => Role, { description: 'What you may do there.' })
  role!: RoleName;

  @Visible('with-parent')
  @Field(() => [SpacesOfBuildingType], {
    nullable: true,
    description: 'Where alone that is; null: in all of it.',
  })
  spaces!: SpacesOfBuilding[] | null;
}

export const InviteMemberResult = createUnionType({
  name: 'InviteMemberResult',
  description: 'The invitation with its code, or why nothing was changed.',
  types: () => [InviteMemberSuccess, ...USER_ERROR_TYPES] as const,
});
export const RevokeInvitationResult = createUnionType({
  name: 'RevokeInvitationResult',
  description: 'The invitation, or why nothing was changed.',
  types: () => [RevokeInvitationSuccess, ...USER_ERROR_TYPES] as const,
});
export const AcceptInvitationResult = createUnionType({
  name: 'AcceptInvitationResult',
  description: 'Where you belong now, or why nothing was changed.',
  types: () => [AcceptInvitationSuccess, ...USER_ERROR_TYPES] as const,
});
