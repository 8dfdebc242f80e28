import { ingestSettings } from '../config/environment';
import { createIngestWorker } from '../ingest/worker';
import { createHealthServer } from '../observability/health';
import { createMetrics } from '../observability/metrics';
import { blobServiceOf, namespaceOf } from './connections';
import { run, stopInOrder } from './run';

/** The cold worker: every frame of the stream into Parquet, exactly once. */
run('ingest', ingestSettings, async (settings, logger) => {
  const metrics = createMetrics({ process: 'ingest' });
  const worker = createIngestWorker({
    logger,
    metrics,
    namespace: namespaceOf(settings),
    hub: settings.TELEMETRY_HUB,
    blobs: blobServiceOf(settings),
    container: settings.COLD_CONTAINER,
    identifier: `ingest-${settings.WORKER_SLOT}`,
    flush: { rows: settings.INGEST_FLUSH_ROWS, milliseconds: settings.INGEST_FLUSH_SECONDS * 1000 },
  });
  const health = createHealthServer({
    what: 'ingest',
    host: settings.HOST,
    port: settings.INGEST_HEALTH_PORT,
    metrics,
    readiness: worker.readiness,
  });
  await health.start();
  await worker.start();
  return { stop: () => stopInOrder(worker.stop, health.stop) };
});
