import { createAnalytics } from '../analytics';
import { createApi } from '../api/server';
import { createThrottle } from '../api/throttle';
import { createTokenVerifier } from '../auth/token';
import { apiSettings } from '../config/environment';
import { createLive } from '../live/live';
import { createUsageExchange } from '../live/usage-exchange';
import { createMetrics } from '../observability/metrics';
import { createAlertFeed } from '../store/alerts/feed';
import { createAlerting } from '../store/alerts/alerting';
import { createCredentials } from '../store/api-keys/credentials';
import { createAveragesReader } from '../store/averages-reader';
import { createColdAccess } from '../store/cold-access/cold-access';
import { createFolderSigner } from '../store/cold-access/folder-signer';
import { createCosmos } from '../store/cosmos';
import { createDeviceStatuses } from '../store/device-statuses';
import { createErasedTenants } from '../store/erasure/erased-tenants';
import { createExports } from '../store/exports/exports';
import { createPartFiles } from '../store/exports/part-files';
import { createJobs } from '../store/jobs/jobs';
import { createKeyring } from '../store/keyring';
import { createManifests } from '../store/manifests';
import { createMemberships } from '../store/memberships';
import { createRecentReader } from '../store/recent-reader';
import { createRecentTail } from '../store/recent-tail';
import { createWebhooks } from '../store/webhooks/webhooks';
import { createRegistry } from '../store/registry';
import { createRememberedReads } from '../store/remembered-reads';
import { ALERTS_SCHEMA, decodeAlertEvent } from '../stream/alerts';
import { createStreamProducer } from '../stream/producer';
import { USAGE_SCHEMA } from '../stream/usage';
import { blobServiceOf, cosmosAccountOf, namespaceOf } from './connections';
import { run, stopInOrder } from './run';

// How far an issuer's clock may be from ours.
const CLOCK_TOLERANCE_SECONDS = 5;
// Latest readings are written about once a minute: a moment more is not seen, and one call serves all who look.
const LATEST_KEPT_MS = 1_000;

/** The GraphQL API over HTTP, WebSocket and server-sent events. */
run('api', apiSettings, async (settings, logger) => {
  const metrics = createMetrics({ process: 'api' });
  const store = createCosmos(cosmosAccountOf(settings), settings.COSMOS_DATABASE);
  const remembered = createRememberedReads({ cosmos: store, container: 'registry', logger });
  const cosmos = remembered.noting(store);
  const alertFeed = createAlertFeed({ cosmos, logger });
  const throttle = createThrottle({
    client: { capacity: settings.CLIENT_COST_CAPACITY, restorePerSecond: settings.CLIENT_COST_PER_SECOND },
    tenant: { capacity: settings.TENANT_COST_CAPACITY, restorePerSecond: settings.TENANT_COST_PER_SECOND },
  });
  const producer = createStreamProducer({
    namespace: namespaceOf(settings),
    hub: settings.AVERAGES_HUB,
  });
  const exchange = createUsageExchange({ logger, producer, usage: throttle });
  const live = createLive({
    logger,
    metrics,
    namespace: namespaceOf(settings),
    hub: settings.AVERAGES_HUB,
    group: settings.LIVE_GROUP,
    others: {
      [USAGE_SCHEMA]: exchange.take,
      [ALERTS_SCHEMA]: ({ body, properties }) => alertFeed.take(decodeAlertEvent(body, properties)),
    },
  });
  const keyring = createKeyring(settings.DEVICE_KEY_ENCRYPTION_KEY);
  const memberships = createMemberships({ cosmos, logger });
  const credentials = createCredentials({
    tokens: createTokenVerifier({
      issuers: settings.TOKEN_ISSUERS.map((issuer) => ({ issuer })),
      audience: settings.TOKEN_AUDIENCE,
      clockToleranceSeconds: CLOCK_TOLERANCE_SECONDS,
    }),
    cosmos,
    memberships,
    logger,
  });
  const registry = createRegistry({ cosmos, keyring, reads: remembered.reads });
  // It follows changes itself, and reads what they lead on from: that must not be older than the feed told it already.
  const deviceStatuses = createDeviceStatuses({
    cosmos,
    registry: createRegistry({ cosmos, keyring }),
    logger,
  });
  const erased = createErasedTenants({ cosmos, logger });
  const analytics = createAnalytics({
    container: blobServiceOf(settings).getContainerClient(settings.COLD_CONTAINER),
    recent: createRecentTail({ cosmos }),
    folder: settings.COLD_CACHE_DIR,
    cacheMegabytes: settings.COLD_CACHE_MEGABYTES,
    memoryMegabytes: settings.QUESTION_MEMORY_MEGABYTES,
    threads: settings.QUESTION_THREADS,
    seconds: settings.QUESTION_SECONDS,
    metrics,
    erased,
  });
  const jobs = createJobs({ cosmos, keyring });
  const blobs = blobServiceOf(settings);
  const [pageIssuer] = settings.TOKEN_ISSUERS;
  const exported = blobs.getContainerClient(settings.EXPORT_CONTAINER);
  const api = createApi({
    logger,
    metrics,
    host: settings.HOST,
    port: settings.API_PORT,
    registry,
    jobs,
    exports: createExports({
      cosmos,
      jobs,
      files: createPartFiles(exported),
      keepMs: settings.EXPORT_DAYS * 86_400_000,
    }),
    coldAccess: createColdAccess({
      cosmos,
      signer: createFolderSigner({ service: blobs, container: settings.COLD_CONTAINER }),
      manifests: createManifests(blobs.getContainerClient(settings.COLD_CONTAINER)),
    }),
    memberships,
    averages: createAveragesReader({ cosmos }),
    recent: createRecentReader({ cosmos, keepLatestMs: LATEST_KEPT_MS }),
    deviceStatuses,
    questions: analytics.questions,
    alerting: createAlerting({ cosmos, keepSeconds: settings.ALERT_DAYS * 86_400 }),
    alertFeed,
    webhooks: createWebhooks({ cosmos, keyring, allowPrivate: settings.WEBHOOK_ALLOW_PRIVATE }),
    live,
    throttle,
    tokens: credentials,
    cursorKey: settings.CURSOR_KEY,
    ...(settings.GRAPHIQL_CLIENT_ID !== undefined &&
      pageIssuer !== undefined && {
        pageSignIn: {
          issuer: pageIssuer,
          clientId: settings.GRAPHIQL_CLIENT_ID,
          scope: settings.GRAPHIQL_SCOPE,
        },
      }),
    origins: settings.API_ORIGINS,
    trustedProxies: settings.API_TRUSTED_PROXIES,
    deliveriesPerSecond: settings.DELIVERIES_PER_SECOND,
    gatewayHostName: settings.GATEWAY_PUBLIC_HOST,
    minimumSpaces: settings.PRIVACY_MINIMUM_SPACES,
  });
  await cosmos.ensureContainers();
  const followers = [remembered, live, memberships, deviceStatuses, alertFeed, erased];
  await Promise.all([...followers.map((each) => each.start()), analytics.start()]);
  await api.start();
  credentials.start();
  exchange.start();
  return {
    stop: () =>
      stopInOrder(
        api.stop,
        credentials.stop,
        analytics.stop,
        exchange.stop,
        producer.stop,
        live.stop,
        remembered.stop,
        memberships.stop,
        deviceStatuses.stop,
        alertFeed.stop,
        erased.stop,
        cosmos.stop,
      ),
  };
});
