import { AsyncLocalStorage } from 'node:async_hooks';
import { type AddressInfo } from 'node:net';
import { type FastifyInstance } from 'fastify';
import { type GraphQLError } from 'graphql';
import { type Live } from '../live/live';
import { type Readiness } from '../observability/health';
import { type Logger } from '../observability/logger';
import { type Registry as Metrics } from '../observability/metrics';
import { listenError } from '../observability/operator-error';
import { type Services } from '../resolvers/context';
import { createCursors } from '../resolvers/cursor';
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
import { createAdmission } from './admission';
import { createApollo } from './apollo';
import { type Tokens } from './authentication';
import { createCrowd } from './crowd';
import { createDeliveryBudget } from './delivery-budget';
import { createDocumentCheck } from './document-check';
import { maskError } from './error-answers';
import { createEventStreams } from './event-stream';
import { registerExportRoutes } from './export-downloads';
import { createExecution } from './execution/execution';
import { createFanOut } from './fan-out';
import { type PageSignIn } from './graphiql-sign-in';
import { registerGraphqlRoutes } from './graphql-routes';
import { createHttpServer } from './http-server';
import { DEFAULT_LIMITS, type DocumentLimits } from './limits';
import { createApiMeters } from './meters';
import { createOperations } from './operations';
import { createRequestedDocuments } from './requested-documents';
import { registerPublicRoutes } from './public-routes';
import { createRefusals } from './refusals';
import { enforceRules } from './rules';
import { createScopes } from './scopes';
import { createExecutor } from './shared-execution';
import { createSignIn } from './sign-in';
import { createSocketHandler } from './socket-handler';
import { type Throttle } from './throttle';
import { createTurns } from './turns';
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
  /** Where GraphiQL signs its user in; left out: they bring a token. */
  pageSignIn?: PageSignIn;
  /** Web origins whose pages may ask over HTTP, e.g. `https://dashboard.example`; none where left out. */
  origins?: readonly string[];
  /** Proxies whose word for a caller's address is taken; see `createHttpServer`. */
  trustedProxies?: readonly string[];
  /** Of an HTTP request; 10,000 devices take about 2 MB. */
  maximumBodyBytes?: number;
  /** Of one WebSocket message. */
  maximumMessageBytes?: number;
  maximumSockets?: number;
  maximumOperationsPerSocket?: number;
  /** Of answers to one socket; a client that asks for more before it has taken these is cut off. */
  maximumUnreadBytes?: number;
  keepAliveMilliseconds?: number;
  /** To the subscribers of one tenant's values; beyond it their intervals grow. */
  deliveriesPerSecond?: number;
  /** Averages of a building over fewer spaces are not told to whoever has a right to single spaces. Default 3. */
  minimumSpaces?: number;
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
/** Requests under way: of one client, of all, and on one connection. More wait nowhere: they are told to come again. */
const MAXIMUM_REQUESTS = { maximumOfClient: 100, maximum: 1_000, maximumOnConnection: 4 };
/** At about 16 microseconds each, a sixth of a core. */
const DELIVERIES_PER_SECOND = 10_000;
/** Of three, whoever knows their own has the mean of two others, and neither by itself. */
const MINIMUM_SPACES = 3;
const DRAIN_MS = 8_000;
const KEEP_ALIVE_MS = 12_000;
/** A few of the largest answers. */
const MAXIMUM_UNREAD_BYTES = 16 * 1024 * 1024;

/** The GraphQL API over HTTP, WebSocket and server-sent events, its schema, its GraphiQL page, its health and its metrics, on one port. */
export function createApi(options: ApiOptions): Api {
  const { logger, metrics, live, memberships, tokens } = options;
  const meters = createApiMeters(metrics);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { throttle } = options;
  const admission = createAdmission({ throttle, limits });
  const requested = createRequestedDocuments({ store: options.registry, throttle, meters });
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
    documentCheck: createDocumentCheck({ limits, admission, throttle, requested }),
    gatewayHostName: options.gatewayHostName,
    minimumSpaces: options.minimumSpaces ?? MINIMUM_SPACES,
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
      const crowd = createCrowd(MAXIMUM_REQUESTS);
      const turns = createTurns();
      const common = {
        schema,
        limits,
        throttle,
        admission,
        requested,
        turns,
        execution: createExecution({ schema }),
        maximumCachedCharacters: MAXIMUM_CACHED_CHARACTERS,
        meters,
        logger,
      };
      const shared = {
        schema,
        services,
        errorsOf: (errors: readonly GraphQLError[]) =>
          errors.map((error) => maskError(error, 'shared', logger)),
      };
      const onDelivered = (results: number): void => meters.deliveries.inc(results);
      const budget = createDeliveryBudget({
        deliveriesPerSecond: options.deliveriesPerSecond ?? DELIVERIES_PER_SECOND,
      });
      const fanOut = createFanOut({ ...shared, memberships, budget, onDelivered });
      meters.observe(fanOut.counts);
      const operations = createOperations({
        ...common,
        services,
        scopes,
        fanOut,
        budget,
        executor: createExecutor(shared),
        onDelivered,
      });
      const requests = new AsyncLocalStorage<string>();
      const apollo = createApollo({ ...common, requestId: () => requests.getStore() ?? '' });
      await apollo.start();
      const { maximumBodyBytes, maximumMessageBytes, origins, trustedProxies } = options;
      const refusals = createRefusals({ logger, meters });
      const bounds = { origins, maximumBodyBytes, maximumMessageBytes, trustedProxies };
      app = await createHttpServer({ crowd, refusals, logger, ...bounds });
      app.addHook('onClose', () => apollo.stop());

      const signIn = createSignIn({
        tokens,
        crowd,
        maximumOfClient: MAXIMUM_REQUESTS.maximumOfClient,
        services,
        scopes,
        admission,
        meters,
        refusals,
      });
      const keepAliveMilliseconds = options.keepAliveMilliseconds ?? KEEP_ALIVE_MS;
      const streams = createEventStreams({ operations, memberships, keepAliveMilliseconds, meters, logger });
      meters.observeStreams(streams.open);
      app.addHook('preClose', async () => streams.close());
      const protocol = webSocketOptions({
        operations,
        memberships,
        tokens,
        meters,
        logger,
        maximumOperations: options.maximumOperationsPerSocket ?? 100,
        maximumUnreadBytes: options.maximumUnreadBytes ?? MAXIMUM_UNREAD_BYTES,
      });
      registerGraphqlRoutes(app, {
        apollo,
        requests,
        signIn,
        admission,
        requested,
        turns,
        refusals,
        graphiql: registerPublicRoutes(app, { schema, metrics, readiness, signIn: options.pageSignIn }),
        streams,
        onSocket: createSocketHandler({ protocol, keepAliveMilliseconds, logger }),
        maximumSockets: options.maximumSockets ?? 10_000,
        isStopping: () => stopping,
        meters,
      });
      registerExportRoutes(app, { signIn, refuse: refusals.refuse, exports: options.exports, logger });

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
}
