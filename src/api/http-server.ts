import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import cors from '@fastify/cors';
import websocket from '@fastify/websocket';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { explain, type Logger } from '../observability/logger';
import { type Context } from '../resolvers/context';
import { type Crowd } from './crowd';
import { PATH } from './paths';
import { refusalOf, type Refusals } from './refusals';
import { handleProtocols } from './socket-handler';

declare module 'fastify' {
  interface FastifyRequest {
    graphql: Context | null;
  }
}

const REQUEST_TIMEOUT_MS = 30_000;
/** How long a browser remembers what a page of another origin may send. */
const PREFLIGHT_SECONDS = 600;
const SERVICE_RESTART = 1012;
/** 10,000 devices take about 2 MB. */
const MAXIMUM_BODY_BYTES = 4 * 1024 * 1024;
const MAXIMUM_MESSAGE_BYTES = 256 * 1024;

/** The HTTP server without its routes: bounds, headers that every answer has, errors, other origins, WebSockets. */
export async function createHttpServer(options: {
  crowd: Crowd;
  refusals: Refusals;
  logger: Logger;
  origins?: readonly string[] | undefined;
  maximumBodyBytes?: number | undefined;
  maximumMessageBytes?: number | undefined;
  /** Addresses and ranges (CIDR) of proxies whose `x-forwarded-for` is believed; nobody's where left out. */
  trustedProxies?: readonly string[] | undefined;
}): Promise<FastifyInstance> {
  const { crowd, logger, origins = [], trustedProxies = [] } = options;
  const { refuse } = options.refusals;
  const app = Fastify({
    // Before anything is made of a request: of those that follow a cut-off in one piece Node hands over each.
    serverFactory(handle, { keepAliveTimeout, requestTimeout }) {
      const server = createServer((request, response) => {
        if (crowd.follow(request, response)) handle(request, response);
      });
      return Object.assign(server, { keepAliveTimeout, requestTimeout });
    },
    bodyLimit: options.maximumBodyBytes ?? MAXIMUM_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // A caller may write anything into that header: it says whence a request comes only where a proxy of ours wrote it.
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    // A caller's own request id is not taken: it could be another's.
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 64 },
  });
  app.decorateRequest('graphql', null);
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
  });
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, code, message } = refusalOf(error);
    if (status >= 500) logger.error({ requestId: request.id, error: explain(error) }, 'a request failed');
    return refuse(reply, status, code, message);
  });
  app.setNotFoundHandler((_request, reply) =>
    refuse(reply, 404, 'NOT_FOUND', `nothing is served here: see ${PATH}, /schema.graphql and /healthz`),
  );
  if (origins.length > 0) {
    await app.register(cors, {
      origin: [...origins],
      methods: ['GET', 'POST'],
      allowedHeaders: ['authorization', 'content-type', 'accept', 'last-event-id', 'range', 'if-range'],
      exposedHeaders: ['x-request-id', 'retry-after', 'content-disposition', 'content-range', 'etag'],
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  await app.register(websocket, {
    options: {
      maxPayload: options.maximumMessageBytes ?? MAXIMUM_MESSAGE_BYTES,
      handleProtocols,
      // One message a turn of the event loop and socket: a thousand that came together hold nobody else up.
      allowSynchronousEvents: false,
    },
    async preClose() {
      for (const socket of app.websocketServer.clients) socket.close(SERVICE_RESTART, 'the server restarts');
    },
  });
  return app;
}
