import { createRecentMetrics } from '../aggregate/recent/metrics';
import { createAggregateWorker } from '../aggregate/worker';
import { aggregateSettings } from '../config/environment';
import { createHealthServer } from '../observability/health';
import { createMetrics } from '../observability/metrics';
import { createAlertRules } from '../store/alert-rules';
import { createAlertsStore } from '../store/alerts-store';
import { createAveragesWriter } from '../store/averages-writer';
import { createBuildingCounts } from '../store/building-counts';
import { createBuildingInventory } from '../store/building-inventory';
import { createCosmos } from '../store/cosmos';
import { createErasedTenants } from '../store/erasure/erased-tenants';
import { createRecentSource } from '../store/recent-reader';
import { createRecentWriter } from '../store/recent-writer';
import { createSpaceTree } from '../store/space-tree';
import { blobServiceOf, cosmosAccountOf, namespaceOf } from './connections';
import { run, stopInOrder } from './run';

const DAY_SECONDS = 86_400;

/** The warm worker: the rolling five-minute averages, live and recorded. */
run('aggregate', aggregateSettings, async (settings, logger) => {
  const metrics = createMetrics({ process: 'aggregate' });
  const cosmos = createCosmos(cosmosAccountOf(settings), settings.COSMOS_DATABASE);
  const counts = createBuildingCounts({ cosmos, logger });
  const rules = createAlertRules({ cosmos, logger });
  const inventory = createBuildingInventory({ cosmos, logger });
  const tree = createSpaceTree({ cosmos, logger });
  const erased = createErasedTenants({ cosmos, logger });
  const worker = createAggregateWorker({
    logger,
    metrics,
    namespace: namespaceOf(settings),
    telemetryHub: settings.TELEMETRY_HUB,
    averagesHub: settings.AVERAGES_HUB,
    blobs: blobServiceOf(settings),
    identifier: `aggregate-${settings.WORKER_SLOT}`,
    counts,
    tree,
    averages: createAveragesWriter({ cosmos, keepSeconds: settings.RECORD_DAYS * DAY_SECONDS }),
    recent: {
      metrics: createRecentMetrics(metrics),
      writer: createRecentWriter({ cosmos, keepSeconds: settings.RECENT_HOURS * 3_600 }),
      source: createRecentSource({ cosmos }),
    },
    alerts: {
      rules,
      inventory,
      store: createAlertsStore({ cosmos }),
      keepSeconds: settings.ALERT_DAYS * DAY_SECONDS,
    },
    isErased: erased.has,
    allowedLatenessMs: settings.ALLOWED_LATENESS_SECONDS * 1000,
  });
  const health = createHealthServer({
    what: 'aggregate',
    host: settings.HOST,
    port: settings.AGGREGATE_HEALTH_PORT,
    metrics,
    readiness: worker.readiness,
  });
  await health.start();
  await cosmos.ensureContainers();
  await Promise.all([counts.start(), rules.start(), inventory.start(), erased.start()]);
  await worker.start();
  const followers = [counts.stop, tree.stop, rules.stop, inventory.stop, erased.stop];
  return { stop: () => stopInOrder(worker.stop, ...followers, health.stop, cosmos.stop) };
});
