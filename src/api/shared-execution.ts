import { execute, type DocumentNode, type GraphQLError, type GraphQLSchema } from 'graphql';
import { type TenantScope, type Principal } from '../auth/scope';
import { type Context, type Services } from '../resolvers/context';
import { createFreshness, withFreshness } from '../resolvers/freshness';
import { createLoaders } from '../resolvers/loaders';

/** Events of a subscription go by their own stream's end. */
const NEVER = new AbortController().signal;

/** What is executed for each value. */
export interface Operation {
  document: DocumentNode;
  operationName: string | null | undefined;
  variableValues: Readonly<Record<string, unknown>>;
  /** Of the one subscriber, where the document asks for what depends on who asks; null where the execution is shared. */
  own: Context | null;
}

export interface Executor {
  /** The result for one value of the stream, as JSON in UTF-8: written once for all who are given it. */
  textOf(operation: Operation, value: unknown): Promise<Buffer>;
  /** What a stream reads its current values with: a scope of now, and loaders that remember nothing. */
  contextOf(asking: { principal: Principal; requestId: string }, scope: TenantScope): Context;
}

export function createExecutor(options: {
  schema: GraphQLSchema;
  services: Services;
  /** As they are answered. */
  errorsOf(errors: readonly GraphQLError[]): unknown[];
}): Executor {
  const { schema, services } = options;
  const nobody = contextWithoutPrincipal(services);
  return {
    async textOf({ document, operationName, variableValues, own }, value) {
      // What one's own execution shows was allowed a moment ago, and is loaded anew.
      if (own !== null) await own.renew();
      // Its own for each value, whoever it is delivered to.
      const context = own ?? withFreshnessOf(nobody);
      const { errors, ...executed } = await execute({
        schema,
        document,
        operationName: operationName ?? null,
        variableValues,
        contextValue: context,
        rootValue: value,
      });
      const result = withFreshness(executed, context.freshness);
      return Buffer.from(
        JSON.stringify(errors === undefined ? result : { ...result, errors: options.errorsOf(errors) }),
      );
    },
    contextOf({ principal, requestId }, scope) {
      const loaders = createLoaders(services, scope);
      const freshness = createFreshness();
      return {
        services,
        principal,
        requestId,
        signal: NEVER,
        scope,
        loaders,
        freshness,
        renew: async () => scope,
      };
    },
  };
}

function withFreshnessOf(context: Context): Context {
  return Object.create(context, { freshness: { value: createFreshness() } }) as Context;
}

/** What a shared execution gets: it serves many, so there is nobody in it. A field that looks for somebody fails. */
function contextWithoutPrincipal(services: Services): Context {
  const nobody = (): never => {
    throw new Error('a field that is marked as independent of the principal looked for one');
  };
  return {
    services,
    requestId: 'shared',
    signal: NEVER,
    get principal() {
      return nobody();
    },
    get scope() {
      return nobody();
    },
    get loaders() {
      return nobody();
    },
    get freshness() {
      return nobody();
    },
    renew: nobody,
  };
}
