import { createUnionType, Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { apiKeyPrefix } from '../../auth/api-key';
import { API_KEY_PERMISSIONS, type ApiKeyPermission as PermissionName } from '../../auth/api-key-permissions';
import {
  LONGEST_KEY_DAYS,
  MAXIMUM_KEY_BUILDINGS,
  MAXIMUM_KEY_DOCUMENTS,
} from '../../store/api-keys/api-keys';
import { MAXIMUM_API_KEYS } from '../../store/api-keys/records';
import { type ApiKeyView } from '../../store/api-keys/views';
import { connectionType } from '../connection';
import { Node } from '../node.type';
import { type Owned, Visible } from '../rule';
import { DateTime } from '../scalars';
import { USER_ERROR_TYPES } from '../user-error.type';

export const ApiKeyPermission = Object.fromEntries(
  Object.keys(API_KEY_PERMISSIONS).map((each) => [each, each]),
) as Record<PermissionName, PermissionName>;

registerEnumType(ApiKeyPermission, {
  name: 'ApiKeyPermission',
  description:
    'What an API key may do, where its maker may do it too. Each includes READ_BUILDINGS. None administers access, hands devices or files over, or makes webhooks.',
  valuesConfig: {
    READ_BUILDINGS: { description: 'The names and time zones of tenant, buildings and spaces.' },
    READ_AVERAGES: {
      description: 'Averages, now, live and over time; those that tell of presence with READ_PRESENCE.',
    },
    READ_STATES: { description: 'States that do not tell whether somebody is there, e.g. smoke.' },
    READ_PRESENCE: {
      description:
        'States and alerts that tell whether somebody is there; beside another permission whatever of it tells of presence.',
    },
    READ_READINGS: {
      description:
        'Single readings, their history and excursions, and exports of them; those that tell of presence with READ_PRESENCE.',
    },
    READ_DEVICES: { description: 'Devices, their health and their live status.' },
    REGISTER_DEVICES: { description: 'Registers devices in the tenant’s stock, one by one or as a job.' },
    PROVISION_DEVICES: { description: 'Provisions and claims devices in buildings.' },
    MAINTAIN_DEVICES: {
      description: 'Moves, replaces, suspends and retires devices and gives them new credentials.',
    },
    CONFIGURE_DEVICES: { description: 'Tells devices how to be and how often to send.' },
    READ_ALERTS: { description: 'Alerts and their rules; not those that tell whether somebody is there.' },
    ACKNOWLEDGE_ALERTS: { description: 'Reads and acknowledges alerts.' },
    MANAGE_ALERT_RULES: { description: 'Reads, makes, changes and deletes rules of alerts.' },
    READ_DEAD_LETTERS: { description: 'What was refused of devices’ messages, and why.' },
    REPLAY_DEAD_LETTERS: { description: 'Has what was refused judged again.' },
    READ_INGESTION: {
      description:
        'The counts of what was accepted and stored; with READ_PRESENCE, since they are of all readings.',
    },
    READ_AUDIT_LOG: { description: 'The audit logs of tenant and buildings.' },
    CREATE_BUILDINGS: { description: 'Creates buildings, where the key is not limited to some.' },
    REGISTER_DOCUMENTS: {
      description:
        'Registers, lists and retires the documents of clients, where the key is not limited to some buildings.',
    },
  },
});

@ObjectType('ApiKey', {
  implements: Node,
  description:
    'The key of a program. It may do what it names, in as far as whoever made it may do so at that moment; what others share with them is not among it.',
})
export class ApiKey extends Node implements Owned {
  tenantId!: string;

  @Visible('with-parent')
  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Visible('with-parent')
  @Field({ description: 'How its text begins, to tell it from others; nothing of the secret.' })
  prefix!: string;

  @Visible('with-parent')
  @Field(() => [ApiKeyPermission], { description: 'What it may do.' })
  permissions!: PermissionName[];

  @Visible('with-parent')
  @Field(() => [ID], {
    nullable: true,
    description: 'In these buildings alone; null: in all of the tenant, also those to come.',
  })
  buildingIds!: string[] | null;

  @Visible('with-parent')
  @Field(() => [String], {
    nullable: true,
    description:
      'It may send these documents alone, each as `sha256:` and 64 hexadecimal digits of the exact text; null: any.',
  })
  documents!: string[] | null;

  @Visible('with-parent')
  @Field(() => ID, { description: 'The person who made it, and of whose rights it has a part.' })
  createdBy!: string;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it was made.' })
  createdAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { description: 'When it ends by itself.' })
  expiresAt!: Date;

  @Visible('with-parent')
  @Field(() => DateTime, { nullable: true, description: 'When it was revoked; null before.' })
  revokedAt!: Date | null;

  @Visible('with-parent')
  @Field(() => DateTime, {
    nullable: true,
    description: 'When a program last signed in with it, noted about once a minute; null: never.',
  })
  lastUsedAt!: Date | null;

  /** Takes what may be shown; the hash of the secret stays behind. */
  static of({ record, lastUsedAt }: ApiKeyView): ApiKey {
    const { id, tenantId, name, permissions, buildingIds, documents, createdBy } = record;
    return Object.assign(new ApiKey(), {
      ...{ id, tenantId, name, buildingIds, documents, createdBy },
      prefix: apiKeyPrefix(id),
      // What a later release has named stands in no schema of this one.
      permissions: permissions.filter((each) => Object.hasOwn(API_KEY_PERMISSIONS, each)),
      createdAt: new Date(record.createdAt),
      expiresAt: new Date(record.expiresAt),
      revokedAt: record.endedAt === null ? null : new Date(record.endedAt),
      lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt),
    });
  }
}

export const ApiKeyConnection = connectionType(
  ApiKey,
  'ApiKey',
  'the API keys of a tenant, the newest first',
);

@InputType({ description: 'A key for a program.' })
export class CreateApiKeyInput {
  @Field(() => ID, { description: `Where it is good; a tenant may have ${MAXIMUM_API_KEYS} standing keys.` })
  tenantId!: string;

  @Field({ description: 'What people call it; not unique.' })
  name!: string;

  @Field(() => [ApiKeyPermission], { description: 'What it may do: at least one, each held by you.' })
  permissions!: PermissionName[];

  @Field(() => [ID], {
    nullable: true,
    description: `In these buildings alone, 1 to ${MAXIMUM_KEY_BUILDINGS}; null or left out for all of the tenant.`,
  })
  buildingIds?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: `It may send these documents alone, 1 to ${MAXIMUM_KEY_DOCUMENTS}: each \`sha256:\` and the 64 lower-case hexadecimal digits of the exact text’s hash. Null or left out for any.`,
  })
  documents?: string[] | null;

  @Field(() => Int, {
    defaultValue: 90,
    description: `After how many days it ends, 1 to ${LONGEST_KEY_DAYS}.`,
  })
  expiresInDays!: number;

  @Field({ description: 'Your own key for this call: repeating the call with it makes no second one.' })
  idempotencyKey!: string;
}

@InputType({ description: 'A key to revoke.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'The key.' })
  apiKeyId!: string;
}

@ObjectType({ description: 'The key is good from now on.' })
export class CreateApiKeySuccess {
  @Visible('with-parent')
  @Field(() => ApiKey, { description: 'What it may do, and until when.' })
  apiKey!: ApiKey;

  @Visible('with-parent')
  @Field(() => String, {
    nullable: true,
    description:
      'The key itself, for `Authorization: Bearer`. Shown once, to the call that made it; null for a repetition: revoke it then and make another.',
  })
  secret!: string | null;

  @Visible('with-parent')
  @Field({ description: 'Whether the key was shown to an earlier call with this idempotencyKey.' })
  secretsAlreadyShown!: boolean;
}

@ObjectType({ description: 'Within two seconds nobody gets in by the key any more.' })
export class RevokeApiKeySuccess {
  @Visible('with-parent')
  @Field(() => ApiKey, { description: 'The key as it was.' })
  apiKey!: ApiKey;
}

export const CreateApiKeyResult = createUnionType({
  name: 'CreateApiKeyResult',
  description: 'The new key, or why there is none.',
  types: () => [CreateApiKeySuccess, ...USER_ERROR_TYPES] as const,
});
export const RevokeApiKeyResult = createUnionType({
  name: 'RevokeApiKeyResult',
  description: 'The key that was, or why it still is.',
  types: () => [RevokeApiKeySuccess, ...USER_ERROR_TYPES] as const,
});
