import { createUnionType, Field, ID, InputType, ObjectType } from 'type-graphql';
import {
  LONGEST_COLD_APPROVAL_MS,
  MAXIMUM_COLD_APPROVALS,
  USUAL_COLD_ACCESS_MS,
} from '../../domain/cold-access';
import { type IssuedColdAccess } from '../../store/cold-access/cold-access';
import { type ColdApproval } from '../../store/cold-access/documents';
import { Visible } from '../rule';
import { DateTime, Duration } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';

const DAYS = LONGEST_COLD_APPROVAL_MS / 86_400_000;

@ObjectType({
  description:
    'That a person may have credentials to the files of the tenant’s cold store. Kept for a day behind its end.',
})
export class ColdStoreApproval {
  @Visible('with-parent')
  @Field(() => ID, { description: 'Who may: the id that `viewer` tells that person.' })
  personId!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'Until when: no credential is given, or good, from then on.' })
  until!: Date;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The owner who approved it.' })
  approvedBy!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When.' })
  approvedAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was revoked; null where it was not.' })
  revokedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description:
      'When the last of the credentials that were given ends: also after a revocation. Null where none was given.',
  })
  openUntil!: Date | null;

  static of({ personId, until, approvedBy, approvedAt, revokedAt, openUntil }: ColdApproval) {
    return Object.assign(new ColdStoreApproval(), {
      personId,
      approvedBy,
      until: new Date(until),
      approvedAt: new Date(approvedAt),
      revokedAt: revokedAt === null ? null : new Date(revokedAt),
      openUntil: openUntil === null ? null : new Date(openUntil),
    });
  }
}

@InputType({ description: 'Somebody who is to have access to the files of a tenant’s cold store.' })
export class ApproveColdStoreAccessInput {
  @Field(() => ID, {
    description: `The tenant; it may keep ${MAXIMUM_COLD_APPROVALS} approvals, those that ended within a day among them.`,
  })
  tenantId!: string;

  @Field(() => ID, {
    description:
      'Who: the id that `viewer` tells that person. One of the tenant’s ANALYSTs, MANAGERs or OWNERs, you among them.',
  })
  personId!: string;

  @Field(() => DateTime, {
    description: `Until when, at most ${DAYS} days ahead; in place of what was approved of that person before.`,
  })
  until!: Date;
}

@InputType({ description: 'Somebody who is to have no more access to the files of a tenant’s cold store.' })
export class RevokeColdStoreAccessInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field(() => ID, { description: 'Whose approval ends.' })
  personId!: string;
}

@InputType({ description: 'What a credential to the files of a tenant’s cold store is wanted for.' })
export class IssueColdStoreAccessInput {
  @Field(() => ID, { description: 'The tenant.' })
  tenantId!: string;

  @Field({ description: 'Why, for the audit log; at most 500 characters.' })
  reason!: string;

  @Field(() => Duration, {
    defaultValue: USUAL_COLD_ACCESS_MS,
    description:
      'How long it is to be good, `PT1M` to `PT24H`. It ends earlier where the approval or your role does.',
  })
  expiresIn!: number;

  @Field(() => String, {
    nullable: true,
    description:
      'Only from this IPv4 address, or a range of them: `203.0.113.0-203.0.113.255`. Left out, from any. The local stand-in does not look at it.',
  })
  addresses?: string | null;

  @Field({
    description:
      'Chosen by you, unique for this credential: the same key with the same input gives no second one, for 24 hours, and shows no token.',
  })
  idempotencyKey!: string;
}

@ObjectType({ description: 'The person may have credentials.' })
export class ApproveColdStoreAccessSuccess {
  @Visible('with-parent')
  @Field(() => ColdStoreApproval, { description: 'The approval as it is now.' })
  approval!: ColdStoreApproval;
}

@ObjectType({
  description:
    'No further credential is given to the person. Those that were given cannot be taken back one by one: see `openUntil`.',
})
export class RevokeColdStoreAccessSuccess {
  @Visible('with-parent')
  @Field(() => ColdStoreApproval, { description: 'The approval as it is now.' })
  approval!: ColdStoreApproval;
}

@ObjectType({
  description:
    'A credential that reads and lists the files of one tenant’s curated readings, and can do nothing else.',
})
export class IssueColdStoreAccessSuccess {
  @Visible('with-parent')
  @Field({ description: 'The container’s address: `containerUrl/NAME?token` is a file.' })
  containerUrl!: string;

  @Visible('with-parent')
  @Field({
    description:
      'The tenant’s folder, with a slash at its end. Its `manifest.json` names the files to read; others lie there that were replaced or never published.',
  })
  folder!: string;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'The shared access signature, for the query of an address, without a question mark. Whoever has it has the access: keep it like a password. Shown once; null where it was shown before.',
  })
  token!: string | null;

  @Visible('with-parent')
  @Field(() => ID, {
    description:
      'By which the audit log names it, and, where the platform signs as an identity, the storage account’s own logs.',
  })
  credentialId!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it ends.' })
  expiresAt!: Date;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the storage refuses everything outside `folder`. Always so in Azure. False with the local stand-in, which knows no folders: there it opens the whole container, as the stand-in’s public key does.',
  })
  confinedToFolder!: boolean;

  @Visible('with-parent')
  @Field({
    description:
      'Whether the token was shown at an earlier call with the same idempotency key, and so is not now.',
  })
  secretsAlreadyShown!: boolean;

  static of({ confined, expiresAt, ...rest }: IssuedColdAccess): IssueColdStoreAccessSuccess {
    return Object.assign(new IssueColdStoreAccessSuccess(), {
      ...rest,
      expiresAt: new Date(expiresAt),
      confinedToFolder: confined,
      secretsAlreadyShown: rest.token === null,
    });
  }
}

export const ApproveColdStoreAccessResult = createUnionType({
  name: 'ApproveColdStoreAccessResult',
  description: 'The approval, or why there is none.',
  types: () => [ApproveColdStoreAccessSuccess, ...USER_ERROR_TYPES] as const,
});
export const RevokeColdStoreAccessResult = createUnionType({
  name: 'RevokeColdStoreAccessResult',
  description: 'The approval that ended, or why it did not.',
  types: () => [RevokeColdStoreAccessSuccess, ...USER_ERROR_TYPES] as const,
});
export const IssueColdStoreAccessResult = createUnionType({
  name: 'IssueColdStoreAccessResult',
  description: 'The credential, or why there is none.',
  types: () => [IssueColdStoreAccessSuccess, ...USER_ERROR_TYPES] as const,
});
