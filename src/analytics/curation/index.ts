import { type BlobServiceClient } from '@azure/storage-blob';
import { type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { createCurator, type CurationReport } from './curator';
import { createCurationMetrics } from './metrics';
import { type Backlog } from './batch';

export { type CurationReport };

/** What a process that curates does again and again. Both bear being done twice at once. */
export interface Curation {
  /** Curates what has landed. */
  curate(progress?: (report: CurationReport, left: Backlog) => void): Promise<CurationReport>;
  /** Ends what is under way at its next step; what was published stands. */
  stop(): void;
}

export function createCuration(options: {
  logger: Logger;
  metrics: Registry;
  blobs: BlobServiceClient;
  /** The cold store's container. */
  container: string;
}): Curation {
  const { logger } = options;
  const container = options.blobs.getContainerClient(options.container);
  const metrics = createCurationMetrics(options.metrics);
  const stopping = new AbortController();
  const curator = createCurator({ logger, container });

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
    stop: () => stopping.abort(new Error('the process stops')),
  };
}
