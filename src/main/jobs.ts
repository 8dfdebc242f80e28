import { randomUUID } from 'node:crypto';
import { constants, setPriority } from 'node:os';
import { createAnalytics } from '../analytics';
import { createCuration } from '../analytics/curation';
import { removeExpired } from '../analytics/exports/expiry';
import { createExportHandler } from '../analytics/exports/handler';
import { createReconciliation } from '../analytics/reconciliation';
import { directoryScope } from '../auth/directory-scope';
import { jobsSettings } from '../config/environment';
import { createDeadLetters } from '../dead-letters';
import { createEraser } from '../erasure/eraser';
import { createHealthServer, type Readiness } from '../observability/health';
import { explain } from '../observability/logger';
import { createMetrics } from '../observability/metrics';
import { createCosmos } from '../store/cosmos';
import { createErasedTenants } from '../store/erasure/erased-tenants';
import { createPartFiles } from '../store/exports/part-files';
import { createDuties } from '../store/jobs/duties';
import { createProvisionDevicesHandler } from '../store/jobs/handlers/provision-devices';
import { createRegisterDevicesHandler } from '../store/jobs/handlers/register-devices';
import { createJobMetrics } from '../store/jobs/metrics';
import { createJobQueue } from '../store/jobs/queue';
import { createJobRunner } from '../store/jobs/runner';
import { createKeyring } from '../store/keyring';
import { createRecentTail } from '../store/recent-tail';
import { createRegistry } from '../store/registry';
import { readStreamEnds } from '../stream/stream-ends';
import { createWebhookDelivery } from '../webhooks';
import { blobServiceOf, cosmosAccountOf, namespaceOf } from './connections';
import { run, stopInOrder } from './run';

const SAGAS_EVERY_MS = 10_000;
// Longer than any request lives: a younger one's caller is still at it.
const SAGAS_LEFT_ALONE_MS = 30_000;
const SAGAS_AT_ONCE = 100;
const EXPORTS_EXPIRE_EVERY_MS = 3_600_000;
/** A slice of an export has no client who waits for it: less memory than questions, and more time. */
const EXPORTS = { cacheMegabytes: 1_024, memoryMegabytes: 256, threads: 1, seconds: 120 };
/** A tombstone is honoured at once by whoever reads; this is when its files and documents begin to go. */
const ERASURES_EVERY_MS = 10_000;
const COLD_STORE_KEPT_EVERY_MS = 6 * 3_600_000;

/** Works off what is too much for one request, and does what has to be done again and again. */
run('jobs', jobsSettings, async (settings, logger) => {
  // Sorting a day of readings can wait, where it shares a machine with those who answer devices.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

  const metrics = createMetrics({ process: 'jobs' });
  const jobMetrics = createJobMetrics(metrics);
  const cosmos = createCosmos(cosmosAccountOf(settings), settings.COSMOS_DATABASE);
  const keyring = createKeyring(settings.DEVICE_KEY_ENCRYPTION_KEY);
  const registry = createRegistry({ cosmos, keyring });
  const erased = createErasedTenants({ cosmos, logger });
  const deadLetters = createDeadLetters({
    logger,
    metrics,
    namespace: namespaceOf(settings),
    hub: settings.TELEMETRY_HUB,
    blobs: blobServiceOf(settings),
    cosmos,
    scope: directoryScope('dead-letter-replay'),
    identifier: `dead-letters-${settings.WORKER_SLOT}`,
    keepSeconds: settings.DEAD_LETTER_DAYS * 86_400,
    isErased: erased.has,
  });
  // Of this life of the process: what an earlier one held is taken over like any other's.
  const worker = `jobs-${settings.WORKER_SLOT}-${randomUUID()}`;
  const analytics = createAnalytics({
    container: blobServiceOf(settings).getContainerClient(settings.COLD_CONTAINER),
    recent: createRecentTail({ cosmos }),
    ...EXPORTS,
    erased,
  });
  const parts = createPartFiles(blobServiceOf(settings).getContainerClient(settings.EXPORT_CONTAINER));
  const exporting = createExportHandler({ cosmos, registry, files: analytics.files, parts });
  const runner = createJobRunner({
    cosmos,
    keyring,
    registry,
    queue: createJobQueue({ cosmos }),
    handlers: {
      REGISTER_DEVICES: createRegisterDevicesHandler({ registry }),
      PROVISION_DEVICES: createProvisionDevicesHandler({ registry, keyring }),
      REPLAY_DEAD_LETTERS: deadLetters.replay,
      EXPORT_READINGS: exporting.handler,
    },
    worker,
    metrics: jobMetrics,
    logger,
  });
  const duties = createDuties({ cosmos, worker, metrics: jobMetrics, logger });
  duties.every(SAGAS_EVERY_MS, 'sagas', async () => {
    const { failed } = await registry.resumeSagas({ olderThanMs: SAGAS_LEFT_ALONE_MS, limit: SAGAS_AT_ONCE });
    for (const { id, error } of failed) logger.warn({ saga: id, error: explain(error) }, 'a saga failed');
    if (failed.length > 0) throw new Error(`${failed.length} sagas could not be finished`);
  });
  duties.every(SAGAS_EVERY_MS, 'memberships', async () => {
    const { failed } = await registry.settleMemberships({
      olderThanMs: SAGAS_LEFT_ALONE_MS,
      limit: SAGAS_AT_ONCE,
    });
    if (failed.length > 0) throw new Error(`${failed.length} memberships could not be made`);
  });
  const reconciliation = createReconciliation({
    logger,
    metrics,
    cosmos,
    container: blobServiceOf(settings).getContainerClient(settings.COLD_CONTAINER),
    streamEnds: () => readStreamEnds(namespaceOf(settings), settings.TELEMETRY_HUB),
    everyMs: settings.RECONCILE_SECONDS * 1000,
  });
  duties.every(
    settings.RECONCILE_SECONDS * 1000,
    'reconcile',
    async () => void (await reconciliation.reconcile()),
  );
  const curation = createCuration({
    logger,
    metrics,
    blobs: blobServiceOf(settings),
    container: settings.COLD_CONTAINER,
    keepLandingMs: settings.LANDING_DAYS * 86_400_000,
    countedThrough: reconciliation.countedThrough,
  });
  duties.every(settings.CURATE_SECONDS * 1000, 'curate', async () => void (await curation.curate()));
  duties.every(COLD_STORE_KEPT_EVERY_MS, 'keep cold store', async () => {
    await curation.sweep();
    const { disagreements } = await curation.keepLanding();
    if (disagreements.length > 0) throw new Error(disagreements.join('; '));
  });
  const eraser = createEraser({
    logger,
    cosmos,
    registry,
    blobs: blobServiceOf(settings),
    coldContainer: settings.COLD_CONTAINER,
    exportContainer: settings.EXPORT_CONTAINER,
    curate: async () => void (await curation.curate()),
  });
  duties.every(ERASURES_EVERY_MS, 'erase tenants', eraser.run);
  const keepMs = settings.EXPORT_DAYS * 86_400_000;
  duties.every(
    EXPORTS_EXPIRE_EVERY_MS,
    'expire exports',
    async () => void (await removeExpired({ cosmos, parts, keepMs })),
  );
  const webhooks = createWebhookDelivery({
    cosmos,
    keyring,
    registry,
    worker,
    keepSeconds: settings.WEBHOOK_DAYS * 86_400,
    allowPrivate: settings.WEBHOOK_ALLOW_PRIVATE,
    metrics,
    logger,
  });
  const health = createHealthServer({
    what: 'jobs',
    host: settings.HOST,
    port: settings.JOBS_HEALTH_PORT,
    metrics,
    readiness: () => together(runner.readiness(), deadLetters.readiness()),
  });
  await health.start();
  await cosmos.ensureContainers();
  await erased.start();
  await analytics.start();
  await runner.start();
  duties.start();
  await deadLetters.start();
  webhooks.start();
  const stopWork = async (): Promise<void> => {
    eraser.stop();
    curation.stop();
    reconciliation.stop();
    exporting.stop();
    await Promise.all([webhooks.stop(), runner.stop(), duties.stop()]);
    // Behind the jobs, which send and read through them.
    await Promise.all([deadLetters.stop(), analytics.stop(), erased.stop()]);
  };
  return { stop: () => stopInOrder(stopWork, health.stop, cosmos.stop) };
});

function together(...parts: Readiness[]): Readiness {
  const reasons = parts.flatMap(({ reasons: each }) => each);
  return { ready: parts.every(({ ready }) => ready), reasons };
}
