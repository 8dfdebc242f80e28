import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { type Role as RoleName } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import {
  GRANTED_ROLES,
  GRANTEE_KINDS,
  type GrantedRole,
  type GranteeKind,
} from '../../store/grants/documents';
import { type Grant as Stored } from '../../store/grants/grants';
import { connectionType } from '../connection';
import { ApiKey } from './api-key.type';
import { Quantity } from '../quantity.type';
import { Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';
import { Role } from '../viewer/viewer.type';

export const SharedRole = Object.fromEntries(GRANTED_ROLES.map((each) => [each, each])) as Record<
  GrantedRole,
  GrantedRole
>;
registerEnumType(SharedRole, {
  name: 'SharedRole',
  description: 'What somebody may do in what is shared with them: as the `Role` of that name, there alone.',
  valuesConfig: {
    MANAGER: { description: 'Rules, and the devices’ configuration.' },
    TECHNICIAN: { description: 'Looks after devices and sees their health; no occupants’ data.' },
    ANALYST: { description: 'Asks questions of what was measured and exports it.' },
    VIEWER: { description: 'Reads averages, and states that do not tell whether somebody is there.' },
  },
});

export const GranteeType = Object.fromEntries(GRANTEE_KINDS.map((each) => [each, each])) as Record<
  GranteeKind,
  GranteeKind
>;
registerEnumType(GranteeType, {
  name: 'GranteeType',
  description: 'Whom something is shared with.',
  valuesConfig: {
    TENANT: {
      description: 'A tenant: each of its members may do what both the grant and their own role there allow.',
    },
    PERSON: { description: 'One person, whatever they belong to.' },
  },
});

export const GrantState = {
  OFFERED: 'OFFERED',
  ACTIVE: 'ACTIVE',
  EXPIRED: 'EXPIRED',
  ENDED: 'ENDED',
} as const;
type State = keyof typeof GrantState;
registerEnumType(GrantState, {
  name: 'GrantState',
  description: 'How far a grant is.',
  valuesConfig: {
    OFFERED: { description: 'Nobody has accepted it yet.' },
    ACTIVE: { description: 'It holds.' },
    EXPIRED: { description: 'Its date has passed, or it was not accepted in time.' },
    ENDED: { description: 'One of the two sides has ended it.' },
  },
});

export const GrantDirection = { GIVEN: 'GIVEN', RECEIVED: 'RECEIVED' } as const;
registerEnumType(GrantDirection, {
  name: 'GrantDirection',
  description: 'Which side of grants a tenant is on.',
  valuesConfig: {
    GIVEN: { description: 'It shares what it owns.' },
    RECEIVED: { description: 'Others share with it.' },
  },
});

@ObjectType('Grant', {
  description:
    'That a building, or a space of it, is shared with another tenant or with a person. Both sides see it; it cannot be passed on.',
})
export class Grant {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Opaque and global.' })
  id!: string;

  @Visible('with-parent')
  @Field(() => GrantState, { description: 'How far it is.' })
  state!: State;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The tenant whose building it is.' })
  ownerId!: string;

  @Visible('with-parent')
  @Field({ description: 'The name of that tenant when it was offered.' })
  ownerName!: string;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The space, with those that lie in it; null where all of the building is shared.',
  })
  spaceId!: string | null;

  @Visible('with-parent')
  @Field(() => [Quantity], { nullable: true, description: 'Only these quantities; null: all.' })
  quantities!: QuantityName[] | null;

  @Visible('with-parent')
  @Field(() => SharedRole, { description: 'What may be done there.' })
  role!: GrantedRole;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When it ends by itself; null: not before it is revoked.',
  })
  until!: Date | null;

  @Visible('with-parent')
  @Field(() => GranteeType, { description: 'Whom it is for.' })
  to!: GranteeKind;

  @Visible('with-parent')
  @Field(() => ID, {
    nullable: true,
    description: 'The tenant or person that has accepted it; null before, and where it is yours.',
  })
  granteeId!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'The name of the tenant that has accepted it, at that time; null for a person.',
  })
  granteeName!: string | null;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description: 'What was noted when it was offered; shown to the side that gave it.',
  })
  note!: string | null;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was offered.' })
  offeredAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was accepted; null before.' })
  acceptedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was revoked or given back; null before.' })
  endedAt!: Date | null;

  static of(grant: Stored): Grant {
    const { id, buildingId, spaceId, quantities, role, to, ownerName } = grant;
    const given = grant.kind === 'givenGrant' ? grant : null;
    const at = (instant: number | null): Date | null => (instant === null ? null : new Date(instant));
    return Object.assign(new Grant(), {
      ...{ id, buildingId, spaceId, quantities, role, to, ownerName },
      state: stateOf(grant, Date.now()),
      ownerId: grant.kind === 'grant' ? grant.ownerId : grant.tenantId,
      until: at(grant.until),
      granteeId: given?.grantee ?? null,
      granteeName: given?.granteeName ?? null,
      note: given?.note ?? null,
      offeredAt: new Date(grant.offeredAt),
      acceptedAt: at(grant.acceptedAt),
      endedAt: at(grant.endedAt),
    });
  }
}

function stateOf(grant: Stored, now: number): State {
  if (grant.endedAt !== null) return 'ENDED';
  if (grant.until !== null && grant.until <= now) return 'EXPIRED';
  if (grant.kind === 'grant' || grant.acceptedAt !== null) return 'ACTIVE';
  return grant.offerExpiresAt <= now ? 'EXPIRED' : 'OFFERED';
}

export const GrantConnection = connectionType(Grant, 'Grant', 'grants, the newest first');

@ObjectType('BuildingAccess', {
  description:
    'Somebody who can see a building, and through what: as a member of its owner, by a grant, or with an API key.',
})
export class BuildingAccess {
  @Visible('with-parent')
  @Field(() => ID, { nullable: true, description: 'The member; null for a grant.' })
  personId!: string | null;

  @Visible('with-parent')
  @Field(() => Role, {
    nullable: true,
    description: 'The member’s role; null for a grant, which has its own.',
  })
  role!: RoleName | null;

  @Visible('with-parent')
  @Field(() => [ID], {
    nullable: true,
    description: 'The spaces that a member’s role is limited to; null: all of the building, and for a grant.',
  })
  spaceIds!: string[] | null;

  @Visible('with-parent')
  @Field(() => Grant, {
    nullable: true,
    description: 'The grant, also one that is only offered; null for others.',
  })
  grant!: Grant | null;

  @Visible('with-parent')
  @Field(() => ApiKey, {
    nullable: true,
    description: 'A program’s key, which sees it where its maker does; null for others.',
  })
  apiKey!: ApiKey | null;
}

export const BuildingAccessConnection = connectionType(
  BuildingAccess,
  'BuildingAccess',
  'who can see a building: its owner’s members by id, then grants, then keys of programs, each the newest first',
);

@InputType({ description: 'What to share, and how.' })
export class OfferGrantInput {
  @Field(() => ID, { description: 'The building.' })
  buildingId!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'Only this space and those that lie in it; left out, all of the building.',
  })
  spaceId?: string | null;

  @Field(() => [Quantity], {
    nullable: true,
    description:
      'Only these quantities; left out, all. For ANALYST and VIEWER: who keeps devices sees them whole.',
  })
  quantities?: QuantityName[] | null;

  @Field(() => SharedRole, { description: 'What may be done there.' })
  role!: GrantedRole;

  @Field(() => DateTime, {
    nullable: true,
    description: 'When it ends by itself; left out, not before it is revoked.',
  })
  until?: Date | null;

  @Field(() => GranteeType, { description: 'Whom it is for.' })
  to!: GranteeKind;

  @Field(() => String, { nullable: true, description: 'For yourself, e.g. whom you give the code to.' })
  note?: string | null;

  @Field(() => Int, { defaultValue: 168, description: 'How long the offer stands, in hours, 1 to 720.' })
  expiresInHours!: number;

  @Field({
    description:
      'Yours to choose. The same key with the same input gives the same offer again, for 24 hours.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The offer was made.' })
export class OfferGrantSuccess {
  @Visible('with-parent')
  @Field(() => Grant, { description: 'The grant, offered.' })
  grant!: Grant;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'Whoever has it can accept the offer, once: hand it over yourself. Shown in this answer alone; null where it was shown before.',
  })
  grantCode!: string | null;

  @Visible('with-parent')
  @Field({
    description:
      'True where an earlier answer to this key showed the code: revoke the offer and make another.',
  })
  secretsAlreadyShown!: boolean;
}

@InputType({ description: 'An offer to accept.' })
export class AcceptGrantInput {
  @Field({ description: 'The code as it was handed over; case, spaces and hyphens do not matter.' })
  grantCode!: string;

  @Field(() => ID, {
    nullable: true,
    description: 'The tenant that is to have it, of which you administer the access; left out, you yourself.',
  })
  tenantId?: string | null;

  @Field({ description: 'Yours to choose; accepting again changes nothing.' })
  idempotencyKey!: string;
}

@ObjectType({ description: 'It is shared with you from now on.' })
export class AcceptGrantSuccess {
  @Visible('with-parent')
  @Field(() => Grant, { description: 'What was accepted.' })
  grant!: Grant;
}

@InputType({ description: 'A grant to end.' })
export class RevokeGrantInput {
  @Field(() => ID, { description: 'The grant.' })
  grantId!: string;
}

@ObjectType({ description: 'It is over: within two seconds everywhere, open subscriptions included.' })
export class RevokeGrantSuccess {
  @Visible('with-parent')
  @Field(() => Grant, { description: 'The grant, ended.' })
  grant!: Grant;
}

export const OfferGrantResult = createUnionType({
  name: 'OfferGrantResult',
  description: 'The offer with its code, or why nothing was changed.',
  types: () => [OfferGrantSuccess, ...USER_ERROR_TYPES] as const,
});
export const AcceptGrantResult = createUnionType({
  name: 'AcceptGrantResult',
  description: 'The grant, or why nothing was changed.',
  types: () => [AcceptGrantSuccess, ...USER_ERROR_TYPES] as const,
});
export const RevokeGrantResult = createUnionType({
  name: 'RevokeGrantResult',
  description: 'The grant, or why nothing was changed.',
  types: () => [RevokeGrantSuccess, ...USER_ERROR_TYPES] as const,
});
