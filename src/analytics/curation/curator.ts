import { type ContainerClient } from '@azure/storage-blob';
import { type CuratedRoot, type LandedPosition, partitionKey, ROOT_SCHEMA } from '../../domain/curated';
import { type Logger } from '../../observability/logger';
import { createCuratedFiles } from '../../store/curated-files';
import { ChangedLandingFile, createLandingFiles } from '../../store/landing-files';
import { createManifests } from '../../store/manifests';
import { type Backlog, findBacklog, loadBatch, type LoadedBatch } from './batch';
import { createTenantCuration, type TenantOutcome } from './tenant';

export interface CurationReport {
  /** Landing files read. */
  files: number;
  /** Rows read, and what became of them. */
  landed: number;
  curated: number;
  duplicates: number;
  dropped: number;
  /** Rows and bytes of the generations written. */
  rowsWritten: number;
  bytesWritten: number;
  /** Generations published. */
  periods: number;
  /** True where another curator was at work: it has done, or will do, what this one left. */
  overtaken: boolean;
}

export interface Curator {
  /**
   * Curates what has landed so far, batch by batch. What was published stands whatever happens afterwards, and the next
   * call goes on from there, in this process or in another.
   */
  curate(
    signal: AbortSignal,
    progress?: (report: CurationReport, left: Backlog) => void,
  ): Promise<CurationReport>;
}

/** Of memory, for the rows of a batch: a batch is what one generation more is written for. */
export const BATCH_BYTES = 128 * 1024 * 1024;
/** How long a reader may go on with a generation that was replaced. */
export const GRACE_MS = 24 * 3_600_000;

/**
 * Landing to curated. Exactly once, whoever runs beside:
 *
 * - A tenant's manifest names how far each partition is in its generations, and both are replaced at once, under the
 *   manifest's etag. Rows up to there are left out of what is merged. So a batch that is curated again, after a crash or
 *   by another curator, adds nothing.
 * - The root says how far all tenants are. It moves only once every tenant of the batch is published through it.
 * - Files are written into folders that nobody else writes into, and are read only once a manifest names them.
 */
export function createCurator(options: {
  logger: Logger;
  /** The cold store's container. */
  container: ContainerClient;
  batchBytes?: number;
  graceMs?: number;
  monthBytes?: number;
  fileRows?: number;
  now?: () => number;
}): Curator {
  const { logger, container, batchBytes = BATCH_BYTES, graceMs = GRACE_MS, now = Date.now } = options;
  const manifests = createManifests(container);
  const landing = createLandingFiles(container);
  const tenants = createTenantCuration({
    manifests,
    files: createCuratedFiles(container),
    graceMs,
    now,
    ...(options.monthBytes !== undefined && { monthBytes: options.monthBytes }),
    ...(options.fileRows !== undefined && { fileRows: options.fileRows }),
  });

  /** @returns false where another curator came between. */
  const curateBatch = async (
    batch: LoadedBatch,
    report: CurationReport,
    signal: AbortSignal,
  ): Promise<boolean> => {
    for (const tenantId of batch.tenants.keys()) {
      signal.throwIfAborted();
      const outcome = await tenants.curate(tenantId, batch);
      if (!outcome.published) return false;
      addTo(report, outcome);
    }
    return true;
  };

  return {
    async curate(signal, progress) {
      const report = emptyReport();
      const root = await manifests.root();
      let { value: standing, etag }: { value: CuratedRoot; etag: string | null } = root ?? {
        value: { schema: ROOT_SCHEMA, version: 0, publishedAt: 0, positions: [] },
        etag: null,
      };
      const backlog = await findBacklog(landing, standing.positions, signal);
      while (backlog.files.length > 0) {
        const batch = await loadBatch({ landing, backlog, bytes: batchBytes, signal }).catch(
          (error: unknown) => {
            if (error instanceof ChangedLandingFile) return null;
            throw error;
          },
        );
        if (batch === null || !(await curateBatch(batch, report, signal))) {
          report.overtaken = true;
          return report;
        }
        standing = {
          ...standing,
          version: standing.version + 1,
          publishedAt: now(),
          positions: advanced(standing.positions, batch.ends),
        };
        // Behind the manifests of all tenants of the batch: a reader that sees it finds their rows curated.
        etag = await manifests.publishRoot(standing, etag);
        if (etag === null) {
          report.overtaken = true;
          return report;
        }
        report.files += batch.files;
        logger.debug({ ...report, left: backlog.rows }, 'curated a batch');
        progress?.(report, backlog);
      }
      return report;
    },
  };
}

function advanced(positions: readonly LandedPosition[], ends: readonly LandedPosition[]): LandedPosition[] {
  const all = new Map(positions.map((each) => [partitionKey(each), each]));
  for (const end of ends) {
    const before = all.get(partitionKey(end));
    all.set(partitionKey(end), { ...end, landed: end.landed + (before?.landed ?? 0) });
  }
  return [...all.values()];
}

function addTo(report: CurationReport, outcome: TenantOutcome): void {
  report.landed += outcome.landed;
  report.curated += outcome.curated;
  report.duplicates += outcome.duplicates;
  report.dropped += outcome.dropped;
  report.rowsWritten += outcome.rowsWritten;
  report.bytesWritten += outcome.bytesWritten;
  report.periods += outcome.periods;
}

function emptyReport(): CurationReport {
  return {
    files: 0,
    ...{ landed: 0, curated: 0, duplicates: 0, dropped: 0 },
    ...{ rowsWritten: 0, bytesWritten: 0, periods: 0, overtaken: false },
  };
}
