import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import websocket from '@fastify/websocket';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { GraphQLError } from 'graphql';
import { type Live } from '../live/live';
import { type Readiness } from '../observability/health';
import { explain, type Logger } from '../observability/logger';
import { type Registry as Metrics } from '../observability/metrics';
import { listenError } from '../observability/operator-error';
import { type Context, type Services } from '../resolvers/context';
import { createCursors } from '../resolvers/cursor';
import { type ErrorCode } from '../resolvers/errors';
import { createSchema } from '../resolvers/schema';
import { type AlertFeed } from '../store/alerts/feed';
import { type Alerting } from '../store/alerts/alerting';
import { type AveragesReader } from '../store/averages';
import { type DeviceStatuses } from '../store/device-statuses';
import { type ColdAccess } from '../store/cold-access/cold-access';
import { type Exports } from '../store/exports/exports';
import { type Jobs } from '../store/jobs/jobs';
import { type Memberships } from '../store/memberships';
import { type RecentReader } from '../store/recent';
import { type Registry } from '../store/registry';
import { type Webhooks } from '../store/webhooks/webhooks';
import { isTransient } from '../store/store-error';
import { createAdmission } from './admission';
import { createApollo } from './apollo';
import { authenticate, type Tokens } from './authentication';
import { errorAnswer, INTERNAL_MESSAGE, maskError, UNAVAILABLE_MESSAGE } from './error-answers';
import { payerOf } from './cost';
import { createCrowd } from './crowd';
import { createDeliveryBudget } from './delivery-budget';
import { createEventStreams } from './event-stream';
import { EXPORTS_PATH, registerExportRoutes } from './export-downloads';
import { createFanOut } from './fan-out';
import { DEFAULT_LIMITS, type DocumentLimits } from './limits';
import { createApiMeters } from './meters';
import { createOperations } from './operations';
import { registerPublicRoutes } from './public-routes';
import { createContext } from './request-context';
import { enforceRules } from './rules';
import { createScopes } from './scopes';
import { createExecutor } from './shared-execution';
import { createTurns } from './turns';
import { createSocketHandler, handleProtocols } from './socket-handler';
import { type Throttle } from './throttle';
import { webSocketOptions } from './web-socket';

export interface ApiOptions {
  logger: Logger;
  metrics: Metrics;
  host: string;
  /** 0 for a free one. */
  port: number;
  registry: Registry;
  jobs: Jobs;
  exports: Exports;
  coldAccess: ColdAccess;
  /** Started and stopped by whoever made it. */
  memberships: Memberships;
  averages: AveragesReader;
  recent: Pick<RecentReader, 'latest'>;
  /** Over the cold store; started and stopped by whoever made it. */
  questions: Services['questions'];
  alerting: Alerting;
  webhooks: Webhooks;
  /** Started and stopped by whoever made it. */
  alertFeed: AlertFeed;
  /** Started and stopped by whoever made it. */
  deviceStatuses: DeviceStatuses;
  /** Started and stopped by whoever made it. */
  live: Live;
  tokens: Tokens;
  /** Binds cursors to their caller; every replica needs the same. */
  cursorKey: Buffer;
  /** The gateway as devices reach it, `host` or `host:port`, for connection strings. */
  gatewayHostName: string;
  limits?: Partial<DocumentLimits>;
  /** Holds what clients and tenants have left. */
  throttle: Throttle;
  /** Web origins whose pages may ask over HTTP, e.g. `https://dashboard.example`; none where left out. */
  origins?: readonly string[];
  /** Of an HTTP request; 10,000 devices take about 2 MB. */
  maximumBodyBytes?: number;
  /** Of one WebSocket message. */
  maximumMessageBytes?: number;
  maximumSockets?: number;
  maximumOperationsPerSocket?: number;
  keepAliveMilliseconds?: number;
  /** To the subscribers of one tenant's values; beyond it their intervals grow. */
  deliveriesPerSecond?: number;
}

export interface Api {
  /** Throws an OperatorError when the port cannot be had, and an Error when a field of the schema names no rule. */
  start(): Promise<{ port: number }>;
  /** Takes nothing new, finishes what is under way, closes the sockets so that clients go to another replica. */
  stop(): Promise<void>;
  readiness(): Readiness;
}

/** About 50 MB of parsed documents, in two caches. */
const MAXIMUM_CACHED_CHARACTERS = 500_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Requests under way: of one client, of all, and on one connection. More wait nowhere: they are told to come again. */
const MAXIMUM_REQUESTS = { maximumOfClient: 100, maximum: 1_000, maximumOnConnection: 4 };
/** At about 16 microseconds each, a sixth of a core. */
const DELIVERIES_PER_SECOND = 10_000;
/** How long a browser remembers what a page of another origin may send. */
const PREFLIGHT_SECONDS = 600;
const DRAIN_MS = 8_000;
const SERVICE_RESTART = 1012;
const PATH = '/graphql';
const STREAM_PATH = '/graphql/stream';
const KEEP_ALIVE_MS = 12_000;

declare module 'fastify' {
  interface FastifyRequest {
    graphql: Context | null;
  }
}

/** The GraphQL API over HTTP, WebSocket and server-sent events, its schema, its GraphiQL page, its health and its metrics, on one port. */
export function createApi(options: ApiOptions): Api {
  const { logger, metrics, live, memberships, tokens } = options;
  const meters = createApiMeters(metrics);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const services: Services = {
    registry: options.registry,
    jobs: options.jobs,
    exports: options.exports,
    coldAccess: options.coldAccess,
    averages: options.averages,
    recent: options.recent,
    deviceStatuses: options.deviceStatuses,
    questions: options.questions,
    alerting: options.alerting,
    webhooks: options.webhooks,
    alertFeed: options.alertFeed,
    live,
    cursors: createCursors({ key: options.cursorKey }),
    gatewayHostName: options.gatewayHostName,
  };
  const scopes = createScopes(memberships);
  let listening = false;
  let stopping = false;
  let app: FastifyInstance | undefined;

  const readiness = (): Readiness => {
    const reasons = [
      ...(listening ? [] : ['the API is not listening yet']),
      ...(stopping ? ['the API is stopping'] : []),
      ...live.readiness().reasons,
    ];
    return { ready: reasons.length === 0, reasons };
  };

  return {
    readiness,
    async start() {
      const schema = enforceRules(createSchema());
      const { throttle } = options;
      const admission = createAdmission({ throttle, limits });
      const crowd = createCrowd(MAXIMUM_REQUESTS);
      const turns = createTurns();
      const common = {
        schema,
        limits,
        throttle,
        admission,
        turns,
        maximumCachedCharacters: MAXIMUM_CACHED_CHARACTERS,
        meters,
        logger,
      };
      const execution = {
        schema,
        services,
        errorsOf: (errors: readonly GraphQLError[]) =>
          errors.map((error) => maskError(error, 'shared', logger)),
      };
      const onDelivered = (results: number): void => meters.deliveries.inc(results);
      const budget = createDeliveryBudget({
        deliveriesPerSecond: options.deliveriesPerSecond ?? DELIVERIES_PER_SECOND,
      });
      const fanOut = createFanOut({ ...execution, memberships, budget, onDelivered });
      meters.observe(fanOut.counts);
      const operations = createOperations({
        ...common,
        services,
        scopes,
        fanOut,
        budget,
        executor: createExecutor(execution),
        onDelivered,
      });
      const requests = new AsyncLocalStorage<string>();
      const apollo = createApollo({ ...common, requestId: () => requests.getStore() ?? '' });
      await apollo.start();
      app = Fastify({
        bodyLimit: options.maximumBodyBytes ?? 4 * 1024 * 1024,
        requestTimeout: REQUEST_TIMEOUT_MS,
        // A caller's own request id is not taken: it could be another's.
        genReqId: () => randomUUID(),
        forceCloseConnections: 'idle',
        routerOptions: { maxParamLength: 64 },
      });
      app.decorateRequest('graphql', null);
      app.addHook('onRequest', async (request, reply) => {
        if (!crowd.follow(request.raw, reply.raw)) return reply.hijack();
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
      if (options.origins !== undefined && options.origins.length > 0) {
        await app.register(cors, {
          origin: [...options.origins],
          methods: ['GET', 'POST'],
          allowedHeaders: ['authorization', 'content-type', 'accept', 'last-event-id', 'range', 'if-range'],
          exposedHeaders: ['x-request-id', 'retry-after', 'content-disposition', 'content-range', 'etag'],
          maxAge: PREFLIGHT_SECONDS,
        });
      }
      await app.register(websocket, {
        options: { maxPayload: options.maximumMessageBytes ?? 256 * 1024, handleProtocols },
        async preClose() {
          for (const socket of app!.websocketServer.clients)
            socket.close(SERVICE_RESTART, 'the server restarts');
        },
      });

      app.addHook('onClose', () => apollo.stop());

      const graphiql = registerPublicRoutes(app, { schema, metrics, readiness });

      /** A person who opens the address in a browser; a program asks for JSON. */
      const wantsPage = (request: FastifyRequest): boolean =>
        request.method === 'GET' &&
        !request.url.startsWith(STREAM_PATH) &&
        !request.url.startsWith(EXPORTS_PATH) &&
        !(request.query as Record<string, unknown>)['query'] &&
        (request.headers.accept ?? '').includes('text/html');

      // Before the body is read: who is not signed in costs no parsing.
      const signIn = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
        // A socket signs in by its first message; GraphiQL asks its user for the token.
        if (request.ws || wantsPage(request)) return;
        void reply.header('cache-control', 'no-store');
        const authentication = await authenticate(tokens, request.headers.authorization);
        if (authentication.ok) {
          const { principal } = authentication;
          // What is long by its nature, a stream or a download, has limits of its own.
          const brief = request.routeOptions.url === PATH;
          const crowded = brief ? crowd.enter(principal.id, reply.raw) : null;
          if (crowded !== null) {
            void reply.header('retry-after', '1');
            if (crowded === 'all') return refuse(reply, 503, 'UNAVAILABLE', 'too many requests at once');
            const message = `at most ${MAXIMUM_REQUESTS.maximumOfClient} requests of yours at a time`;
            return refuse(reply, 429, 'RATE_LIMITED', message);
          }
          request.graphql = await createContext({
            services,
            scopes,
            principal,
            requestId: request.id,
            signal: goneSignal(reply.raw),
          });
          const payer = payerOf(request.graphql.scope);
          return admit(reply, () =>
            admission.admitBody(payer, Number(request.headers['content-length'] ?? 0)),
          );
        }
        const { code, message, reason } = authentication;
        meters.errors.inc({ code });
        if (code === 'UNAVAILABLE') return refuse(reply, 503, code, message, reason);
        void reply.header('www-authenticate', `Bearer realm="atrium", error="invalid_token"`);
        return refuse(reply, 401, code, message, reason);
      };
      const handle = fastifyApolloHandler<Context>(apollo, {
        context: async (request) => request.graphql!,
      });
      const answer = async function (this: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
        if (wantsPage(request)) {
          return reply
            .type(graphiql.page.type)
            .headers(graphiql.headers(request.headers.host))
            .send(graphiql.page.body);
        }
        const { principal, scope } = request.graphql!;
        await turns.next(principal.id);
        const source = sourceIn(request);
        if (source !== undefined) {
          const payer = payerOf(scope);
          const refused = admit(reply, () => admission.admitDocument(payer, source));
          if (refused !== undefined) return refused;
        }
        return requests.run(request.id, () => handle.call(this, request as never, reply as never));
      };
      const keepAliveMilliseconds = options.keepAliveMilliseconds ?? KEEP_ALIVE_MS;
      const onSocket = createSocketHandler({
        protocol: webSocketOptions({
          operations,
          memberships,
          tokens,
          meters,
          logger,
          maximumOperations: options.maximumOperationsPerSocket ?? 100,
        }),
        keepAliveMilliseconds,
        logger,
      });
      const streams = createEventStreams({ operations, memberships, keepAliveMilliseconds, meters, logger });
      meters.observeStreams(streams.open);
      app.addHook('preClose', async () => streams.close());
      const maximumSockets = options.maximumSockets ?? 10_000;
      /** With so many connections that are kept open, over either transport. */
      const isFull = (connections: number): boolean => stopping || connections > maximumSockets;
      app.route({
        method: 'GET',
        url: PATH,
        onRequest: signIn,
        handler: answer,
        wsHandler(socket, request) {
          const open = this.websocketServer.clients.size;
          meters.sockets.set(open);
          socket.once('close', () => meters.sockets.dec());
          if (isFull(open + streams.open())) {
            socket.close(1013, 'too many connections: try again later');
            return;
          }
          onSocket(socket, request);
        },
      });
      app.route({ method: 'POST', url: PATH, onRequest: signIn, handler: answer });
      registerExportRoutes(app, { signIn, refuse, exports: options.exports, logger });
      app.route({
        method: ['GET', 'POST'],
        url: STREAM_PATH,
        onRequest: signIn,
        async handler(request, reply) {
          if (!(request.headers.accept ?? '').includes('text/event-stream')) {
            return refuse(reply, 406, 'BAD_REQUEST', 'accept text/event-stream here');
          }
          if (isFull(this.websocketServer.clients.size + streams.open() + 1)) {
            void reply.header('retry-after', '5');
            return refuse(reply, 503, 'UNAVAILABLE', 'too many connections: try again later');
          }
          return streams.handle(request, reply);
        },
      });

      try {
        await app.listen({ host: options.host, port: options.port });
      } catch (error) {
        await app.close();
        throw listenError(error, 'the API', options.host, options.port);
      }
      listening = true;
      const { port } = app.server.address() as AddressInfo;
      logger.info({ host: options.host, port }, 'listening');
      return { port };
    },
    async stop() {
      stopping = true;
      // Who reads or sends so slowly that it holds the process up is cut off.
      const cut = setTimeout(() => {
        for (const socket of app?.websocketServer.clients ?? []) socket.terminate();
        app?.server.closeAllConnections();
      }, DRAIN_MS);
      await app?.close();
      clearTimeout(cut);
      listening = false;
    },
  };

  /** Sends what is thrown as an answer, as it would be sent from a request that came further. */
  function admit(reply: FastifyReply, pay: () => void): FastifyReply | undefined {
    try {
      pay();
      return undefined;
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      const answer = maskError(error, reply.request.id, logger);
      const { code, retryAfterSeconds } = answer.extensions;
      meters.errors.inc({ code });
      if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
      const type = (reply.request.headers.accept ?? '').includes('application/graphql-response+json')
        ? 'application/graphql-response+json; charset=utf-8'
        : 'application/json; charset=utf-8';
      return reply
        .code(code === 'RATE_LIMITED' ? 429 : 400)
        .type(type)
        .send({ errors: [answer] });
    }
  }

  function refuse(
    reply: FastifyReply,
    status: number,
    code: ErrorCode,
    message: string,
    reason?: string,
  ): FastifyReply {
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send({ errors: [errorAnswer(code, message, reply.request.id, reason)] });
  }
}

/** The document of a request, where it names one as it should. */
function sourceIn({ method, body, query }: FastifyRequest): string | undefined {
  const given = (method === 'GET' ? query : body) as { query?: unknown } | null | undefined;
  return typeof given?.query === 'string' ? given.query : undefined;
}

/** Aborted where the connection closes before the answer is out. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went'));
  });
  return gone.signal;
}

/** What Fastify refuses before GraphQL is reached. */
function refusalOf(error: FastifyError): { status: number; code: ErrorCode; message: string } {
  // An error of the store may carry a status too, and its message is not for the caller.
  const status = error.code?.startsWith('FST_') ? (error.statusCode ?? 500) : 500;
  if (status === 413) {
    return { status, code: 'PAYLOAD_TOO_LARGE', message: 'the body is over the limit: send less at a time' };
  }
  if (status >= 400 && status < 500) return { status, code: 'BAD_REQUEST', message: error.message };
  if (isTransient(error)) return { status: 503, code: 'UNAVAILABLE', message: UNAVAILABLE_MESSAGE };
  return { status: 500, code: 'INTERNAL_SERVER_ERROR', message: INTERNAL_MESSAGE };
}
