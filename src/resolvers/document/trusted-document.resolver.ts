import { type GraphQLResolveInfo } from 'graphql';
import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, Info, Mutation, Resolver, Root } from 'type-graphql';
import { type Connection, PageArguments } from '../connection';
import { type Context } from '../context';
import { Visible } from '../rule';
import { storePage } from '../store-page';
import { Tenant } from '../tenant/tenant.type';
import { type UserError, userErrorOf } from '../user-error.type';
import {
  InvalidDocument,
  InvalidDocumentsError,
  RegisterDocumentsInput,
  RegisterDocumentsResult,
  RegisterDocumentsSuccess,
  RetireDocumentsInput,
  RetireDocumentsResult,
  RetireDocumentsSuccess,
  TrustedDocument,
  TrustedDocumentConnection,
} from './trusted-document.type';

/** Of problems in one answer. */
const MAXIMUM_TOLD = 100;

@ArgsType()
class TrustedDocumentArguments extends PageArguments {
  @Field(() => String, { nullable: true, description: 'Only this client’s; left out: all of the tenant’s.' })
  client?: string | null;
}

@Resolver()
export class TrustedDocumentResolver {
  @Visible({ needs: 'document.manage', of: 'arguments' })
  @Mutation(() => RegisterDocumentsResult, {
    description:
      'Registers what a client was built with, so that its requests name documents in place of sending them. All or none; what is registered already stays as it is.',
  })
  async registerDocuments(
    @Arg('input', () => RegisterDocumentsInput, { description: 'The documents.' })
    { idempotencyKey, ...input }: RegisterDocumentsInput,
    @Ctx() { services: { registry, documentCheck }, scope }: Context,
    @Info() { schema }: GraphQLResolveInfo,
  ): Promise<RegisterDocumentsSuccess | InvalidDocumentsError | UserError> {
    const refusal = registry.documentsProblem(scope, input);
    if (refusal) return userErrorOf(refusal);
    const { documents, tenantId } = input;
    const found = await documentCheck.problemsOf(
      schema,
      scope,
      documents.map(({ text }) => text),
    );
    const problems = found.flatMap((each, index) =>
      each.map((problem) => InvalidDocument.of(documents[index]!.documentId, index, problem)),
    );
    if (problems.length > 0) return invalid(problems);
    const outcome = await registry.registerDocuments(scope, input, idempotencyKey);
    if (!outcome.ok) return userErrorOf(outcome.refusal);
    documentCheck.registered(
      tenantId,
      documents.map(({ documentId }) => documentId),
    );
    return Object.assign(new RegisterDocumentsSuccess(), {
      documents: outcome.value.map((each) => TrustedDocument.of(each)),
    });
  }

  @Visible({ needs: 'document.manage', of: 'arguments' })
  @Mutation(() => RetireDocumentsResult, {
    description: 'Takes documents from a client that is used no more. Doing so again changes nothing.',
  })
  async retireDocuments(
    @Arg('input', () => RetireDocumentsInput, { description: 'The documents.' })
    input: RetireDocumentsInput,
    @Ctx() { services: { registry }, scope }: Context,
  ): Promise<RetireDocumentsSuccess | UserError> {
    const outcome = await registry.retireDocuments(scope, input);
    return outcome.ok
      ? Object.assign(new RetireDocumentsSuccess(), { documentIds: outcome.value })
      : userErrorOf(outcome.refusal);
  }
}

@Resolver(() => Tenant)
export class TenantTrustedDocumentsResolver {
  @Visible({ needs: 'document.manage', of: 'parent' })
  @FieldResolver(() => TrustedDocumentConnection, {
    nullable: true,
    description:
      'The documents of its clients, oldest first; null, with an error, where your role does not manage them.',
  })
  trustedDocuments(
    @Root() { tenantId }: Tenant,
    @Args(() => TrustedDocumentArguments) { client = null, ...page }: TrustedDocumentArguments,
    @Ctx() { services: { registry, cursors }, principal, scope }: Context,
  ): Promise<Connection<TrustedDocument>> {
    return storePage(page, {
      cursors,
      binding: {
        principalId: principal.id,
        list: 'Tenant.trustedDocuments',
        arguments: [tenantId, client],
      },
      fetch: (options) => registry.trustedDocuments(scope, tenantId, { ...options, client }),
      toNode: TrustedDocument.of,
    });
  }
}

function invalid(problems: InvalidDocument[]): InvalidDocumentsError {
  const [{ index, message }] = problems as [InvalidDocument];
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return Object.assign(new InvalidDocumentsError(), {
    code: 'INVALID_INPUT',
    message: `documents.${index}: ${message}${more}`,
    path: ['input', 'documents', String(index), 'text'],
    problems: problems.slice(0, MAXIMUM_TOLD),
  });
}
