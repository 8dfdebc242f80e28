import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { createCuration } from '../../src/analytics/curation';
import { createLogger } from '../../src/observability/logger';
import { createMetrics } from '../../src/observability/metrics';

/**
 * Curates again and again, removes what is curated and what was replaced after moments rather than days: a process to
 * be killed. `node curator.process.js KEEP_LANDING_MS GRACE_MS`, the account in BLOB_CONNECTION_STRING.
 */
async function main(): Promise<void> {
  const [keepLandingMs, graceMs] = process.argv.slice(2).map(Number);
  const logger = createLogger({ name: 'curator', level: process.env.LOG_LEVEL ?? 'warn' });
  const curation = createCuration({
    logger,
    metrics: createMetrics({ process: 'curator' }),
    blobs: BlobServiceClient.fromConnectionString(process.env.BLOB_CONNECTION_STRING!),
    container: 'telemetry',
    keepLandingMs: keepLandingMs!,
    graceMs: graceMs!,
  });
  for (;;) {
    const began = Date.now();
    try {
      await curation.curate();
      await curation.sweep();
      const { disagreements } = await curation.keepLanding();
      if (disagreements.length > 0) process.stdout.write(`DISAGREEMENT ${disagreements.join('; ')}\n`);
    } catch (error) {
      process.stdout.write(`FAILED ${String(error)}\n`);
    }
    await delay(Math.max(50, 500 - (Date.now() - began)));
  }
}

void main();
