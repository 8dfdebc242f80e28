import { handleProtocols, makeServer, type ServerOptions } from 'graphql-ws';
import { type FastifyRequest } from 'fastify';
import { type WebSocket } from 'ws';
import { explain, type Logger } from '../observability/logger';
import { isTransient } from '../store/store-error';

/** What stands beside each connection. */
export interface SocketExtra {
  readonly socket: WebSocket;
  readonly request: FastifyRequest;
}

export type Payload = Record<string, unknown> | undefined;

export { handleProtocols };

const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;

/** Also what is given as bytes. */
const AS_TEXT = { binary: false };

/** Calls `sent` when the message has left for the network, or never will. */
export function sendOn(socket: WebSocket, data: string | Buffer, sent: () => void): void {
  // A socket that closes meanwhile is told by its close event; nothing is left to be done with the result.
  if (socket.readyState !== socket.OPEN) sent();
  else socket.send(data, AS_TEXT, sent);
}

/**
 * Carries graphql-transport-ws over a socket. A result is sent when the one before it has left for the network, so that a
 * slow reader holds its own subscriptions back and nothing piles up here. A peer that answers no ping is cut off.
 */
export function createSocketHandler(options: {
  protocol: ServerOptions<Payload, SocketExtra>;
  keepAliveMilliseconds: number;
  logger: Logger;
}): (socket: WebSocket, request: FastifyRequest) => void {
  const { keepAliveMilliseconds, logger } = options;
  const server = makeServer<Payload, SocketExtra>(options.protocol);

  return (socket, request) => {
    // What a peer sends wrong (a message over the limit, bytes that are no frame) closes its socket with a code; it is its
    // fault and no event of ours.
    socket.on('error', (error) =>
      logger.debug({ requestId: request.id, error: explain(error) }, 'socket error'),
    );

    let answered = true;
    const pinging = setInterval(() => {
      if (!answered) {
        socket.terminate();
        return;
      }
      answered = false;
      socket.ping();
    }, keepAliveMilliseconds);
    socket.on('pong', () => {
      answered = true;
    });

    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (data) => new Promise((resolve) => sendOn(socket, data, resolve)),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (data) => {
            receive(String(data)).catch((error: unknown) => {
              if (isTransient(error)) {
                // Clients of graphql-ws come again at this code, and at 1011 never.
                logger.warn(
                  { requestId: request.id, error: explain(error) },
                  'a service behind the API is away',
                );
                socket.close(TRY_AGAIN_LATER, 'a service behind the API is away: try again');
                return;
              }
              logger.error(
                { requestId: request.id, error: explain(error) },
                'a message could not be handled',
              );
              socket.close(INTERNAL_ERROR, 'a fault of ours');
            });
          }),
      },
      { socket, request },
    );
    socket.once('close', (code, reason) => {
      clearInterval(pinging);
      closed(code, String(reason)).catch((error: unknown) =>
        logger.error(
          { requestId: request.id, error: explain(error) },
          'a closed socket could not be cleared',
        ),
      );
    });
  };
}
