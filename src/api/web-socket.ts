import {
  createSourceEventStream,
  execute,
  type DocumentNode,
  type ExecutionArgs,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import { type Context as Connection, CloseCode, type ServerOptions } from 'graphql-ws';
import { type Principal } from '../auth/scope';
import { type Logger } from '../observability/logger';
import { type Services } from '../resolvers/context';
import { sharedStreamOf } from '../resolvers/shared-stream';
import { type Memberships } from '../store/memberships';
import { clientError } from '../resolvers/errors';
import { authenticate, type Tokens } from './authentication';
import { createDocumentCache, documentKey } from './document-cache';
import { maskError } from './error-answers';
import { type FanOut } from './fan-out';
import { type DocumentLimits, limitRules } from './limits';
import { type ApiMeters } from './meters';
import { limitObjects } from './object-count';
import { createContext } from './request-context';
import { type Scopes } from './scopes';
import { isShareable, sharingKey } from './sharing';
import { createSharedResults } from './shared-results';
import { type Payload, sendOn, type SocketExtra } from './socket-handler';

/** graphql-transport-ws keeps these: a client gives up at 4401 and comes again, with a new token, at 4403. */
const UNAUTHORIZED = CloseCode.Unauthorized;
const FORBIDDEN = CloseCode.Forbidden;
const TRY_AGAIN_LATER = 1013;
const INIT_WAIT_MS = 5_000;
const MAXIMUM_VALIDATION_ERRORS = 10;
const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/** What is known of a connection once it was let in. */
interface Session {
  principal: Principal;
  expiry: NodeJS.Timeout;
  unwatch: () => void;
}
type Socket = Connection<Payload, SocketExtra>;

/** A subscription whose results others may share. */
interface SharedRequest {
  socket: SocketExtra;
  id: string;
  principal: Principal;
  operation: OperationDefinitionNode;
  source: string;
  variables: Readonly<Record<string, unknown>>;
}

/** Queries, mutations and subscriptions over WebSocket, by the graphql-transport-ws protocol. */
export function webSocketOptions(options: {
  schema: GraphQLSchema;
  services: Services;
  scopes: Scopes;
  memberships: Pick<Memberships, 'watch'>;
  fanOut: FanOut;
  tokens: Tokens;
  limits: DocumentLimits;
  maximumCachedCharacters: number;
  /** Operations under way on one connection. */
  maximumOperations: number;
  meters: ApiMeters;
  logger: Logger;
}): ServerOptions<Payload, SocketExtra> {
  const { schema, services, scopes, memberships, fanOut, tokens, limits, meters, logger } = options;
  const cache = createDocumentCache({ maximumCharacters: options.maximumCachedCharacters });
  const sessions = new WeakMap<SocketExtra, Session>();
  const rules = [...specifiedRules, ...limitRules(limits)];
  const shared = new WeakMap<ExecutionArgs, SharedRequest>();
  const shareables = new WeakMap<OperationDefinitionNode, boolean>();

  const shareable = (document: DocumentNode, operation: OperationDefinitionNode): boolean => {
    let known = shareables.get(operation);
    if (known === undefined) shareables.set(operation, (known = isShareable(schema, document, operation)));
    return known;
  };

  /** The rights are checked and the first values read as for anybody; the results then come from the group. */
  async function subscribeShared(args: ExecutionArgs, asked: SharedRequest) {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const stream = sharedStreamOf(source);
    if (stream === undefined)
      throw new Error('a subscription is marked as independent and brings no shared stream');
    const { id, principal, operation, variables, socket } = asked;
    const before = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    return createSharedResults((ends) =>
      fanOut.join({
        principal,
        document: args.document,
        operationName: args.operationName,
        variableValues: variables,
        requestId: socket.request.id,
        keyOf: (rights) => sharingKey({ source: asked.source, operation, variables, rights }),
        stream,
        sink: { ...ends, send: (result, sent) => sendOn(socket.socket, `${before}${result}}`, sent) },
      }),
    );
  }

  const answers = (socket: Socket, errors: readonly GraphQLError[]) =>
    errors.map((error) => {
      const answer = maskError(error, socket.extra.request.id, logger);
      meters.errors.inc({ code: answer.extensions.code });
      return answer;
    });

  return {
    connectionInitWaitTimeout: INIT_WAIT_MS,

    async onConnect(socket) {
      const { connectionParams = {}, extra } = socket;
      const given =
        connectionParams['Authorization'] ??
        connectionParams['authorization'] ??
        extra.request.headers.authorization;
      const authentication = await authenticate(tokens, given);
      if (!authentication.ok) {
        meters.errors.inc({ code: authentication.code });
        const code =
          authentication.code === 'UNAVAILABLE'
            ? TRY_AGAIN_LATER
            : authentication.reason === 'TOKEN_EXPIRED'
              ? FORBIDDEN
              : UNAUTHORIZED;
        extra.socket.close(code, authentication.message.slice(0, 120));
        return false;
      }
      // It may have gone meanwhile, and nothing would end what is begun here.
      if (extra.socket.readyState !== extra.socket.OPEN) return false;
      const { principal } = authentication;
      const expire = (): void =>
        extra.socket.close(FORBIDDEN, 'the token has expired: connect again with a new one');
      const unwatch = memberships.watch(principal.id, (entitlements, before) => {
        if (entitlements === null)
          extra.socket.close(TRY_AGAIN_LATER, 'your rights cannot be read: try again');
        // Somebody who was never anybody's may stay: they see nothing.
        else if (entitlements.length === 0 && before !== undefined && before.length > 0) {
          extra.socket.close(UNAUTHORIZED, 'all your access was withdrawn');
        }
      });
      sessions.set(extra, { principal, expiry: atExpiry(principal, expire), unwatch });
      return true;
    },

    onClose({ extra }) {
      const session = sessions.get(extra);
      clearTimeout(session?.expiry);
      session?.unwatch();
    },

    async onSubscribe(socket, id, payload) {
      const { principal } = sessions.get(socket.extra)!;
      if (Object.keys(socket.subscriptions).length > options.maximumOperations) {
        return [
          clientError(
            'BAD_REQUEST',
            `at most ${options.maximumOperations} operations at a time on a connection`,
          ),
        ];
      }
      const key = documentKey(payload.query);
      let document = cache.get(key);
      if (document === undefined) {
        try {
          document = parse(payload.query, { maxTokens: limits.tokens });
        } catch (error) {
          return [withCode(error as GraphQLError, 'GRAPHQL_PARSE_FAILED')];
        }
        const errors = validate(schema, document, rules, { maxErrors: MAXIMUM_VALIDATION_ERRORS });
        if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
        cache.set(key, document, payload.query.length);
      }
      const variableValues = payload.variables ?? {};
      const operation = getOperationAST(document, payload.operationName);
      if (!operation) {
        return [
          clientError('OPERATION_RESOLUTION_FAILURE', 'operationName chooses no operation of the document'),
        ];
      }
      try {
        limitObjects(schema, document, operation, variableValues, limits.objects);
      } catch (error) {
        return [error as GraphQLError];
      }
      const contextValue = await createContext({
        services,
        scopes,
        principal,
        requestId: socket.extra.request.id,
      });
      const args: ExecutionArgs = {
        schema,
        document,
        operationName: payload.operationName,
        variableValues,
        contextValue,
      };
      if (shareable(document, operation)) {
        const { query: source } = payload;
        shared.set(args, {
          socket: socket.extra,
          id,
          principal,
          operation,
          source,
          variables: variableValues,
        });
      }
      return args;
    },

    execute,
    async subscribe(args) {
      const asked = shared.get(args);
      return asked === undefined ? subscribe(args) : subscribeShared(args, asked);
    },

    onNext(socket, _id, _payload, _args, { errors, ...result }) {
      meters.deliveries.inc();
      if (errors === undefined) return result;
      // Without data nothing was resolved: the variables did not fit.
      const coded =
        result.data === undefined ? errors.map((error) => withCode(error, 'BAD_USER_INPUT')) : errors;
      return { ...result, errors: answers(socket, coded) };
    },

    onError: (socket, _id, _payload, errors) => answers(socket, errors),
  };
}

/** graphql-js names no codes; one that was given stands. */
function withCode(error: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    source: error.source,
    positions: error.positions,
    path: error.path,
    originalError: error.originalError ?? error,
    extensions: { code, ...error.extensions },
  });
}

function atExpiry(principal: Principal, close: () => void): NodeJS.Timeout {
  const timer = setTimeout(close, Math.min(Math.max(principal.expiresAt - Date.now(), 0), MAXIMUM_TIMER_MS));
  timer.unref();
  return timer;
}
