import {
  execute,
  getOperationAST,
  GraphQLError,
  type GraphQLSchema,
  parse,
  specifiedRules,
  subscribe,
  validate,
} from 'graphql';
import { type Context as Connection, CloseCode, type ServerOptions } from 'graphql-ws';
import { type Principal } from '../auth/scope';
import { type Logger } from '../observability/logger';
import { type Services } from '../resolvers/context';
import { clientError } from '../resolvers/errors';
import { authenticate, type Tokens } from './authentication';
import { createDocumentCache, documentKey } from './document-cache';
import { maskError } from './error-answers';
import { type DocumentLimits, limitRules } from './limits';
import { type ApiMeters } from './meters';
import { limitObjects } from './object-count';
import { createContext } from './request-context';
import { type Scopes } from './scopes';
import { type Payload, type SocketExtra } from './socket-handler';

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
}
type Socket = Connection<Payload, SocketExtra>;

/** Queries, mutations and subscriptions over WebSocket, by the graphql-transport-ws protocol. */
export function webSocketOptions(options: {
  schema: GraphQLSchema;
  services: Services;
  scopes: Scopes;
  tokens: Tokens;
  limits: DocumentLimits;
  maximumCachedCharacters: number;
  /** Operations under way on one connection. */
  maximumOperations: number;
  meters: ApiMeters;
  logger: Logger;
}): ServerOptions<Payload, SocketExtra> {
  const { schema, services, scopes, tokens, limits, meters, logger } = options;
  const cache = createDocumentCache({ maximumCharacters: options.maximumCachedCharacters });
  const sessions = new WeakMap<SocketExtra, Session>();
  const rules = [...specifiedRules, ...limitRules(limits)];

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
      const { principal } = authentication;
      const expire = (): void =>
        extra.socket.close(FORBIDDEN, 'the token has expired: connect again with a new one');
      sessions.set(extra, { principal, expiry: atExpiry(principal, expire) });
      return true;
    },

    onClose({ extra }) {
      clearTimeout(sessions.get(extra)?.expiry);
    },

    async onSubscribe(socket, _id, payload) {
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
      return { schema, document, operationName: payload.operationName, variableValues, contextValue };
    },

    execute,
    subscribe,

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
