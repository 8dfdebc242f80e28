import { type ExecutionArgs } from 'graphql';
import { CloseCode, type ServerOptions } from 'graphql-ws';
import { type WebSocket } from 'ws';
import { type Principal } from '../auth/scope';
import { type Logger } from '../observability/logger';
import { clientError } from '../resolvers/errors';
import { type Memberships } from '../store/memberships';
import { authenticate, type Tokens } from './authentication';
import { type ApiMeters } from './meters';
import { isArguments, type Operations } from './operations';
import { SESSION_ENDS, type SessionEnd, watchSession } from './session';
import { createStreamAnswers } from './stream-answers';
import { type Payload, sendOn, type SocketExtra } from './socket-handler';

/** graphql-transport-ws keeps these: a client gives up at 4401 and comes again, with a new token, at 4403. */
const UNAUTHORIZED = CloseCode.Unauthorized;
const FORBIDDEN = CloseCode.Forbidden;
const TRY_AGAIN_LATER = 1013;
/** RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;
/** Refused for being too many on one connection: a client that goes on after so many does not read its answers. */
const MAXIMUM_REFUSED = 100;
const CUT_OFF_MS = 1_000;
const INIT_WAIT_MS = 5_000;
const CLOSE_CODES: Readonly<Record<SessionEnd, number>> = {
  'token-expired': FORBIDDEN,
  'access-withdrawn': UNAUTHORIZED,
  'rights-unknown': TRY_AGAIN_LATER,
};

const END = Buffer.from('}');

/** Tells why and reads no more: a peer that does not read may never learn of it. */
function cutOff(socket: WebSocket, reason: string): void {
  socket.close(POLICY_VIOLATION, reason);
  socket.pause();
  setTimeout(() => socket.terminate(), CUT_OFF_MS).unref();
}

/** What is known of a connection once it was let in. */
interface Session {
  principal: Principal;
  /** Aborted when the connection closes. */
  gone: AbortController;
  /** Operations that were too many. */
  refused: number;
  unwatch: () => void;
}

/** Queries, mutations and subscriptions over WebSocket, by the graphql-transport-ws protocol. */
export function webSocketOptions(options: {
  operations: Operations;
  memberships: Pick<Memberships, 'watch'>;
  tokens: Tokens;
  /** Operations under way on one connection. */
  maximumOperations: number;
  /** Of answers that a connection has not taken yet when it asks for more. */
  maximumUnreadBytes: number;
  meters: ApiMeters;
  logger: Logger;
}): ServerOptions<Payload, SocketExtra> {
  const { operations, memberships, tokens, meters } = options;
  const answers = createStreamAnswers(options);
  const sessions = new WeakMap<SocketExtra, Session>();
  /** By what is executed: where its results go. */
  const carried = new WeakMap<ExecutionArgs, { socket: WebSocket; id: string }>();

  return {
    connectionInitWaitTimeout: INIT_WAIT_MS,

    async onConnect(socket) {
      const { connectionParams = {}, extra } = socket;
      const given =
        connectionParams['Authorization'] ??
        connectionParams['authorization'] ??
        extra.request.headers.authorization;
      const authentication = await authenticate(tokens, given, extra.request.ip);
      if (!authentication.ok) {
        meters.errors.inc({ code: authentication.code });
        const code =
          authentication.code === 'UNAVAILABLE' || authentication.code === 'RATE_LIMITED'
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
      const unwatch = watchSession({
        principal,
        memberships,
        end: (reason) => extra.socket.close(CLOSE_CODES[reason], SESSION_ENDS[reason]),
      });
      sessions.set(extra, { principal, gone: new AbortController(), refused: 0, unwatch });
      return true;
    },

    onClose({ extra }) {
      const session = sessions.get(extra);
      session?.unwatch();
      session?.gone.abort(new Error('the client went'));
    },

    async onSubscribe(socket, id, payload) {
      const session = sessions.get(socket.extra)!;
      const { principal, gone } = session;
      // Whoever asks for more meanwhile; a subscription's deliveries wait for its reader by themselves.
      if (socket.extra.socket.bufferedAmount > options.maximumUnreadBytes) {
        cutOff(socket.extra.socket, 'your answers are not read');
        return [clientError('BAD_REQUEST', 'your answers are not read')];
      }
      if (Object.keys(socket.subscriptions).length > options.maximumOperations) {
        if (++session.refused === MAXIMUM_REFUSED)
          cutOff(socket.extra.socket, 'too many operations at a time');
        return [
          clientError(
            'BAD_REQUEST',
            `at most ${options.maximumOperations} operations at a time on a connection`,
          ),
        ];
      }
      const args = await operations.prepare(
        {
          principal,
          from: { address: socket.extra.request.ip, transport: 'WEBSOCKET' },
          requestId: socket.extra.request.id,
          signal: gone.signal,
        },
        payload,
      );
      if (isArguments(args)) carried.set(args, { socket: socket.extra.socket, id });
      return args;
    },

    execute: operations.execute,
    subscribe(args) {
      const { socket, id } = carried.get(args)!;
      const before = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`);
      // A socket takes bytes in fewer steps than a string, and these were encoded once for all.
      return operations.subscribe(args, (result, sent) =>
        sendOn(socket, Buffer.concat([before, result, END]), sent),
      );
    },

    onNext(socket, _id, _payload, _args, result) {
      meters.deliveries.inc();
      return answers.result(result, socket.extra.request.id);
    },

    onError: (socket, _id, _payload, errors) => answers.errors(errors, socket.extra.request.id),
  };
}
