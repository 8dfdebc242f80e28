import { type BlobServiceClient } from '@azure/storage-blob';
import { type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { createCuratedFiles } from '../../store/curated-files';
import { createManifests } from '../../store/manifests';
import { type Backlog } from './batch';
import { createCurator, type CurationReport, GRACE_MS } from './curator';
import { createLandingKeeper, type KeeperReport } from './landing-keeper';
import { createCurationMetrics } from './metrics';
import { createSweeper, type SweepReport } from './sweeper';
import { createTenantCuration } from './tenant';

export { type CurationReport };

/** What a process that curates does again and again. All of it bears being done twice at once. */
export interface Curation {
  /** Curates what has landed. */
  curate(progress?: (report: CurationReport, left: Backlog) => void): Promise<CurationReport>;
  /** Removes landing files that were curated long enough ago. */
  keepLanding(): Promise<KeeperReport>;
  /** Makes months of small tenants' days, and removes what was replaced or never published. */
  sweep(): Promise<SweepReport>;
  /** Ends what is under way at its next step; what was published stands. */
  stop(): void;
}

export function createCuration(options: {
  logger: Logger;
  metrics: Registry;
  blobs: BlobServiceClient;
  /** The cold store's container. */
  container: string;
  /** How long a landing file is kept once it is curated. */
  keepLandingMs: number;
  /** Landing files that are not counted yet stay; see the keeper. */
  countedThrough?: (place: { incarnation: string; partition: number }) => Promise<number>;
  /** How long a replaced generation is kept for its last readers; a day when left out. */
  graceMs?: number;
}): Curation {
  const { logger, graceMs = GRACE_MS } = options;
  const container = options.blobs.getContainerClient(options.container);
  const metrics = createCurationMetrics(options.metrics);
  const stopping = new AbortController();
  const curator = createCurator({ logger, container, graceMs });
  const keeper = createLandingKeeper({
    logger,
    container,
    keepMs: options.keepLandingMs,
    ...(options.countedThrough && { countedThrough: options.countedThrough }),
  });
  const tenants = createTenantCuration({
    manifests: createManifests(container),
    files: createCuratedFiles(container),
    graceMs,
    now: Date.now,
  });
  const sweeper = createSweeper({ logger, container, tenants, graceMs });

  return {
    async curate(progress) {
      await container.createIfNotExists();
      const counted = { curated: 0, duplicates: 0, dropped: 0, rowsWritten: 0, bytesWritten: 0 };
      // What a batch added to the counts of the run.
      const count = (report: CurationReport): void => {
        const since = (name: keyof typeof counted): number => {
          const more = report[name] - counted[name];
          counted[name] = report[name];
          return more;
        };
        // Less than nothing where an earlier row of another life of the hub took the place of one that stood.
        metrics.rows.inc({ outcome: 'curated' }, Math.max(0, since('curated')));
        metrics.rows.inc({ outcome: 'duplicate' }, since('duplicates'));
        metrics.rows.inc({ outcome: 'dropped' }, since('dropped'));
        metrics.written.inc(since('rowsWritten'));
        metrics.bytes.inc(since('bytesWritten'));
      };
      const report = await curator.curate(stopping.signal, (each, left) => {
        metrics.backlog.set(left.rows);
        count(each);
        progress?.(each, left);
      });
      count(report);
      if (report.overtaken) metrics.overtaken.inc();
      else metrics.backlog.set(0);
      if (report.files > 0 || report.overtaken) logger.info({ ...report }, 'curated');
      return report;
    },
    async keepLanding() {
      await container.createIfNotExists();
      const report = await keeper.keep(stopping.signal);
      metrics.removed.inc(report.removed);
      if (report.removed > 0) logger.info({ ...report }, 'removed landing files that are curated');
      return report;
    },
    async sweep() {
      await container.createIfNotExists();
      return sweeper.sweep(stopping.signal);
    },
    stop: () => stopping.abort(new Error('the process stops')),
  };
}
