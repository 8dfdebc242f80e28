import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { type ExecutionResult, GraphQLError, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { documentIdOf } from '../domain/document-id';
import { explain, type Logger } from '../observability/logger';
import { type Context } from '../resolvers/context';
import { withFreshness } from '../resolvers/freshness';
import { type Admission } from './admission';
import { payerOf, requestedCost, type RequestedCost, takeCost, withCost } from './cost';
import { createDocumentCache } from './document-cache';
import { type ErrorAnswer, maskError } from './error-answers';
import { type Execution } from './execution/execution';
import { createIntrospection, type Introspection } from './introspection';
import { type DocumentLimits } from './limits';
import { type ApiMeters } from './meters';
import { checkAllowed, isLocked } from './requested-documents';
import { type Throttle } from './throttle';

// Errors of one document that are told; the rest of its validation is not done.
const MAXIMUM_VALIDATION_ERRORS = 10;

/** Queries and mutations over HTTP, by the GraphQL-over-HTTP specification. Documents were admitted before: see `Admission`. */
export function createApollo(options: {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  maximumCachedCharacters: number;
  admission: Pick<Admission, 'remember'>;
  throttle: Throttle;
  execution: Pick<Execution, 'executeCompiled'>;
  meters: ApiMeters;
  logger: Logger;
  /** Of the request that is being answered: Apollo formats some errors where there is no context. */
  requestId(): string;
}): ApolloServer<Context> {
  const { schema, limits, logger } = options;
  const introspection = createIntrospection(schema);
  const cache = createDocumentCache({ maximumCharacters: options.maximumCachedCharacters });
  const answerOf = (error: unknown): ErrorAnswer => {
    const answer = maskError(error as GraphQLError, options.requestId(), logger);
    options.meters.errors.inc({ code: answer.extensions.code });
    return answer;
  };
  return new ApolloServer<Context>({
    schema,
    introspection: true,
    // Refuses what a browser sends from another site without asking it first (a form, an image).
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    // A query is named by its text alone, so that nobody fills a store with texts for others to name.
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stringifyResult: (result) => `${introspection.textOf(result as ExecutionResult)}\n`,
    formatError: (_formatted, error) => answerOf(error),
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: limits.tokens },
    validationOptions: { maxErrors: MAXIMUM_VALIDATION_ERRORS },
    documentStore: {
      get: async (key) => cache.get(key),
      set: async (key, document) => cache.set(key, document, document.loc?.end ?? 0),
      delete: async () => false,
    },
    logger: {
      debug: (message) => logger.debug(String(message)),
      info: (message) => logger.debug(String(message)),
      warn: (message) => logger.warn(String(message)),
      error: (message) => logger.error({ error: explain(message) }, 'apollo'),
    },
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      operations({ ...options, introspection, answerOf }),
    ],
  });
}

/** Refuses what HTTP does not carry and what would cost too much, before anything is resolved; measures the rest. */
function operations({
  schema,
  limits,
  throttle,
  admission,
  meters,
  execution,
  introspection,
  answerOf,
}: {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  throttle: Throttle;
  admission: Pick<Admission, 'remember'>;
  meters: ApiMeters;
  execution: Pick<Execution, 'executeCompiled'>;
  introspection: Introspection;
  answerOf(error: unknown): ErrorAnswer;
}): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      const stop = meters.duration.startTimer({ transport: 'http' });
      let requested: RequestedCost | undefined;
      return {
        async validationDidStart({ source }) {
          return async (errors) => {
            if (errors === undefined || errors.length === 0) admission.remember(source);
          };
        },
        async didResolveOperation({ document, operation, request, source, contextValue }) {
          // Asked for before the text was parsed; here again, so that it holds however the text was read from the request.
          if (isLocked(contextValue.principal)) checkAllowed(contextValue.principal, documentIdOf(source));
          if (operation?.operation === OperationTypeNode.SUBSCRIPTION) {
            throw new GraphQLError(
              'subscriptions are served over WebSocket (graphql-transport-ws) at this same path',
              {
                extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
              },
            );
          }
          if (operation === undefined) return;
          try {
            const cost = requestedCost(schema, document, operation, request.variables ?? {}, limits.objects);
            takeCost(throttle, payerOf(contextValue.scope), cost.most);
            requested = cost;
          } catch (error) {
            throw clientErrorOverHttp(error);
          }
        },
        // Introspection and what was compiled are answered here, and Apollo executes the rest.
        async responseForOperation({ document, operation, request, contextValue }) {
          const variables = request.variables ?? {};
          const asked = operation && introspection.answer(document, operation, variables);
          const http = { status: undefined, headers: new HeaderMap() };
          if (asked) return { http, body: { kind: 'single', singleResult: asked as never } };
          const answer = await execution.executeCompiled({
            schema,
            document,
            contextValue,
            operationName: request.operationName ?? null,
            variableValues: variables,
          });
          if (answer === undefined) return null;
          const { errors, data } = answer;
          const singleResult = errors === undefined ? { data } : { errors: errors.map(answerOf), data };
          return { http, body: { kind: 'single', singleResult } };
        },
        async willSendResponse({ operation, response, contextValue }) {
          stop({ operation: operation?.operation ?? 'none' });
          if (requested === undefined || response.body.kind !== 'single') return;
          const { body } = response;
          const { scope, freshness } = contextValue;
          body.singleResult = withFreshness(
            withCost(body.singleResult, throttle, payerOf(scope), requested),
            freshness,
          );
        },
      };
    },
  };
}

function clientErrorOverHttp(error: unknown): unknown {
  if (!(error instanceof GraphQLError)) return error;
  const seconds = error.extensions['retryAfterSeconds'];
  const http =
    typeof seconds === 'number'
      ? { status: 429, headers: new HeaderMap([['retry-after', String(seconds)]]) }
      : { status: 400 };
  return new GraphQLError(error.message, { extensions: { ...error.extensions, http } });
}
