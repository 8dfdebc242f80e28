import { randomUUID } from 'node:crypto';
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { type Principal } from '../auth/scope';
import { type Origin } from '../domain/origin';
import { type Context, type Services } from '../resolvers/context';
import { clientError } from '../resolvers/errors';
import { withFreshness } from '../resolvers/freshness';
import { sharedStreamOf, tenantOfAlone } from '../resolvers/shared-stream';
import { type Admission } from './admission';
import { payerOf, requestedCost, type RequestedCost, takeCost, withCost } from './cost';
import { createDocumentCache, documentKey } from './document-cache';
import { type DeliveryBudget } from './delivery-budget';
import { type Execution } from './execution/execution';
import { type FanOut, type Sink } from './fan-out';
import { createIntrospection } from './introspection';
import { type DocumentLimits } from './limits';
import { deliverAlone } from './lone-delivery';
import { createContext } from './request-context';
import { type FoundDocument, type RequestedDocuments } from './requested-documents';
import { type Scopes } from './scopes';
import { type Executor } from './shared-execution';
import { createSharedResults } from './shared-results';
import { isShareable, sharingKey, startVariables } from './sharing';
import { type Throttle } from './throttle';
import { type Turns } from './turns';

/** What a client asks for over a stream, whichever carries it. */
export interface OperationRequest {
  /** Left out, or empty where the protocol demands one: `documentId` names it. */
  query?: string | undefined;
  /** See `RequestedDocuments`; unchecked. */
  documentId?: unknown;
  operationName?: string | null | undefined;
  variables?: Record<string, unknown> | null | undefined;
}

/** Operations over WebSocket and server-sent events: the same checks, limits and deliveries for both. */
export interface Operations {
  /** @returns what to execute, or what is wrong with the request. Throws where the store is away. */
  prepare(
    asking: { principal: Principal; from: Origin; requestId: string; signal: AbortSignal },
    request: OperationRequest,
  ): Promise<ExecutionArgs | readonly GraphQLError[]>;
  /** A prepared query or mutation. Its answer says what it cost; what it did not use is given back. */
  execute(args: ExecutionArgs): Promise<ExecutionResult>;
  /**
   * Of a prepared subscription. The rights are checked as for anybody; the results then come from the group of those who
   * ask the same, and go through `send`, as JSON. What is returned only ends.
   */
  subscribe(args: ExecutionArgs, send: Sink['send']): Promise<AsyncIterableIterator<never> | ExecutionResult>;
}

interface Asked {
  source: string;
  operation: OperationDefinitionNode;
  variables: Record<string, unknown>;
  cost: RequestedCost;
}

const MAXIMUM_VALIDATION_ERRORS = 10;

export function createOperations(options: {
  schema: GraphQLSchema;
  services: Services;
  scopes: Scopes;
  fanOut: FanOut;
  budget: DeliveryBudget;
  limits: DocumentLimits;
  admission: Admission;
  requested: RequestedDocuments;
  turns: Turns;
  /** Executes for subscriptions that share with nobody. */
  executor: Pick<Executor, 'textOf'>;
  execution: Pick<Execution, 'execute'>;
  onDelivered(results: number): void;
  throttle: Throttle;
  maximumCachedCharacters: number;
}): Operations {
  const {
    schema,
    services,
    scopes,
    fanOut,
    budget,
    limits,
    admission,
    requested,
    turns,
    throttle,
    executor,
    execution,
    onDelivered,
  } = options;
  const cache = createDocumentCache({ maximumCharacters: options.maximumCachedCharacters });
  const introspection = createIntrospection(schema);
  const asked = new WeakMap<ExecutionArgs, Asked>();
  const shareables = new WeakMap<OperationDefinitionNode, boolean>();

  const shareable = (document: DocumentNode, operation: OperationDefinitionNode): boolean => {
    let known = shareables.get(operation);
    if (known === undefined) shareables.set(operation, (known = isShareable(schema, document, operation)));
    return known;
  };

  function documentOf(query: string): DocumentNode | readonly GraphQLError[] {
    const key = documentKey(query);
    const known = cache.get(key);
    if (known !== undefined) return known;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: limits.tokens });
    } catch (error) {
      return [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
    }
    const errors = validate(schema, document, specifiedRules, { maxErrors: MAXIMUM_VALIDATION_ERRORS });
    if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
    cache.set(key, document, query.length);
    admission.remember(query);
    return document;
  }

  return {
    async prepare(asking, request) {
      await turns.next(asking.principal.id);
      const contextValue = await createContext({ services, scopes, ...asking });
      const payer = payerOf(contextValue.scope);
      let found: FoundDocument | undefined;
      try {
        found = await requested.find(contextValue.scope, request);
        if (found?.trusted === false) admission.admitDocument(payer, found.source);
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
      const source = found?.source ?? '';
      const document = documentOf(source);
      if (!('kind' in document)) return document;
      const variables = request.variables ?? {};
      const operation = getOperationAST(document, request.operationName);
      if (!operation) {
        return [
          clientError('OPERATION_RESOLUTION_FAILURE', 'operationName chooses no operation of the document'),
        ];
      }
      let cost: RequestedCost;
      try {
        cost = requestedCost(schema, document, operation, variables, limits.objects);
        takeCost(throttle, payer, cost.most);
      } catch (error) {
        return [error as GraphQLError];
      }
      const args: ExecutionArgs = {
        schema,
        document,
        operationName: request.operationName ?? null,
        variableValues: variables,
        contextValue,
      };
      asked.set(args, { source, operation, variables, cost });
      return args;
    },

    async execute(args) {
      const { operation, variables, cost } = asked.get(args)!;
      const introspected = introspection.answer(args.document, operation, variables);
      const result = introspected ?? (await execution.execute(args));
      const { scope, freshness } = args.contextValue as Context;
      return withFreshness(withCost(result, throttle, payerOf(scope), cost), freshness);
    },

    async subscribe(args, send) {
      const { source: text, operation, variables } = asked.get(args)!;
      const source = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in source)) return source;
      const stream = sharedStreamOf(source);
      if (stream === undefined) {
        return createSharedResults((ends) =>
          deliverAlone({
            args,
            source: source[Symbol.asyncIterator](),
            executor,
            sink: { ...ends, send },
            budget,
            tenantOf: tenantOfAlone(source),
            onDelivered,
          }),
        );
      }
      const context = args.contextValue as Context;
      const { document } = args;
      const isShared = shareable(document, operation);
      const start = startVariables(document, operation, stream.startArguments ?? []);
      // Whoever asks for what depends on who asks shares with nobody.
      const alone = randomUUID();
      return createSharedResults((ends) =>
        fanOut.join({
          principal: context.principal,
          requestId: context.requestId,
          document,
          operationName: args.operationName,
          variableValues: variables,
          own: isShared ? null : context,
          keyOf: (rights) =>
            isShared
              ? sharingKey({ source: text, operation, variables, start, rights })
              : `${alone} ${rights}`,
          stream,
          sink: { ...ends, send },
        }),
      );
    },
  };
}

export function isArguments(prepared: ExecutionArgs | readonly GraphQLError[]): prepared is ExecutionArgs {
  return !Array.isArray(prepared);
}

/** graphql-js names no codes; one that was given stands. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    originalError: error.originalError ?? error,
    extensions: { code, ...error.extensions },
  });
}
