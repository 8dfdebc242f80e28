import { Arg, Args, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  ApiKey,
  ApiKeyConnection,
  CreateApiKeyInput,
  CreateApiKeyResult,
  CreateApiKeySuccess,
  RevokeApiKeyInput,
  RevokeApiKeyResult,
  RevokeApiKeySuccess,
} from './api-key.type';

@Resolver()
export class ApiKeyResolver {
  @Visible({ needs: 'api-key.manage', of: 'arguments' })
  @Mutation(() => CreateApiKeyResult, {
    description:
      'Gives a program a part of what you may do in a tenant. What you lose later, the key loses with you.',
  })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput, { description: 'The key.' })
    { idempotencyKey, buildingIds, documents, ...input }: CreateApiKeyInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<CreateApiKeySuccess | UserError> {
    const wanted = { ...input, buildingIds: buildingIds ?? null, documents: documents ?? null };
    const outcome = await registry.createApiKey(scope, wanted, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    const { text } = outcome.value;
    return Object.assign(new CreateApiKeySuccess(), {
      apiKey: ApiKey.of(outcome.value),
      secret: text,
      secretsAlreadyShown: text === null,
    });
  }

  @Visible({ needs: 'api-key.manage', of: 'arguments' })
  @Mutation(() => RevokeApiKeyResult, {
    description: 'Ends a key: what is open by it closes within two seconds. Doing so again changes nothing.',
  })
  async revokeApiKey(
    @Arg('input', () => RevokeApiKeyInput, { description: 'The key.' })
    { apiKeyId }: RevokeApiKeyInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RevokeApiKeySuccess | UserError> {
    const outcome = await registry.revokeApiKey(scope, apiKeyId);
    return outcome.ok
      ? Object.assign(new RevokeApiKeySuccess(), { apiKey: ApiKey.of(outcome.value) })
      : userErrorOf(outcome.refusal);
  }
}

@Resolver(() => Tenant)
export class TenantApiKeysResolver {
  @Visible({ needs: 'api-key.manage', of: 'parent' })
  @FieldResolver(() => ApiKeyConnection, {
    nullable: true,
    description:
      'The keys of its programs, the newest first; revoked ones for 30 days. Null, with an error, where your role does not manage them.',
  })
  apiKeys(
    @Root() { tenantId }: Tenant,
    @Args(() => PageArguments) page: PageArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<ApiKey>> {
    return storePage(page, {
      cursors,
      binding: { principalId: principal.id, list: 'Tenant.apiKeys', arguments: [tenantId] },
      fetch: (options) => registry.apiKeys(scope, tenantId, options),
      toNode: ApiKey.of,
    });
  }
}

export async function loadApiKey(
  { services: { registry }, scope }: Context,
  id: string,
): Promise<ApiKey | null> {
  const found = await registry.apiKey(scope, id);
  return found === null ? null : ApiKey.of(found);
}
