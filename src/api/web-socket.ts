import { execute, type ExecutionArgs, type GraphQLError } from 'graphql';
import { type Context as Connection, CloseCode, type ServerOptions } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { type Principal } from '../auth/scope';
import { type Logger } from '../observability/logger';
import { clientError } from '../resolvers/errors';
import { type Memberships } from '../store/memberships';
import { authenticate, type Tokens } from './authentication';
import { maskError } from './error-answers';
import { type ApiMeters } from './meters';
import { type Operations, withCode } from './operations';
import { type Payload, sendOn, type SocketExtra } from './socket-handler';

/** graphql-transport-ws keeps these: a client gives up at 4401 and comes again, with a new token, at 4403. */
const UNAUTHORIZED = CloseCode.Unauthorized;
const FORBIDDEN = CloseCode.Forbidden;
const TRY_AGAIN_LATER = 1013;
const INIT_WAIT_MS = 5_000;
const MAXIMUM_TIMER_MS = 2 ** 31 - 1;

/** What is known of a connection once it was let in. */
interface Session {
  principal: Principal;
  expiry: NodeJS.Timeout;
  /** Aborted when the connection closes. */
  gone: AbortController;
  unwatch: () => void;
}
type Socket = Connection<Payload, SocketExtra>;

/** Queries, mutations and subscriptions over WebSocket, by the graphql-transport-ws protocol. */
export function webSocketOptions(options: {
  operations: Operations;
  memberships: Pick<Memberships, 'watch'>;
  tokens: Tokens;
  /** Operations under way on one connection. */
  maximumOperations: number;
  meters: ApiMeters;
  logger: Logger;
}): ServerOptions<Payload, SocketExtra> {
  const { operations, memberships, tokens, meters, logger } = options;
  const sessions = new WeakMap<SocketExtra, Session>();
  /** By what is executed: where its results go. */
  const carried = new WeakMap<ExecutionArgs, { socket: WebSocket; id: string }>();

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
      sessions.set(extra, {
        principal,
        expiry: atExpiry(principal, expire),
        gone: new AbortController(),
        unwatch,
      });
      return true;
    },

    onClose({ extra }) {
      const session = sessions.get(extra);
      clearTimeout(session?.expiry);
      session?.unwatch();
      session?.gone.abort(new Error('the client went'));
    },

    async onSubscribe(socket, id, payload) {
      const { principal, gone } = sessions.get(socket.extra)!;
      if (Object.keys(socket.subscriptions).length > options.maximumOperations) {
        return [
          clientError(
            'BAD_REQUEST',
            `at most ${options.maximumOperations} operations at a time on a connection`,
          ),
        ];
      }
      const args = await operations.prepare(
        { principal, requestId: socket.extra.request.id, signal: gone.signal },
        payload,
      );
      if (isArguments(args)) carried.set(args, { socket: socket.extra.socket, id });
      return args;
    },

    execute,
    subscribe(args) {
      const { socket, id } = carried.get(args)!;
      const before = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
      return operations.subscribe(args, (result, sent) => sendOn(socket, `${before}${result}}`, sent));
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

const isArguments = (prepared: ExecutionArgs | readonly GraphQLError[]): prepared is ExecutionArgs =>
  !Array.isArray(prepared);

function atExpiry(principal: Principal, close: () => void): NodeJS.Timeout {
  const timer = setTimeout(close, Math.min(Math.max(principal.expiresAt - Date.now(), 0), MAXIMUM_TIMER_MS));
  timer.unref();
  return timer;
}
