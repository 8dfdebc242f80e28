import { type ContainerClient } from '@azure/storage-blob';
import { type Logger } from '../../observability/logger';
import { createCuratedFiles } from '../../store/curated-files';
import { createManifests } from '../../store/manifests';
import { emptyManifest, type TenantCuration } from './tenant';

export interface SweepReport {
  tenants: number;
  /** Folders that no manifest named: of curators that died or came second. */
  orphans: number;
}

/**
 * Goes over all tenants: makes months of days, removes generations that were replaced long enough ago, and the folders of
 * curators that never published.
 */
export function createSweeper(options: {
  logger: Logger;
  container: ContainerClient;
  tenants: TenantCuration;
  graceMs: number;
  now?: () => number;
}): { sweep(signal: AbortSignal): Promise<SweepReport> } {
  const { logger, container, tenants, graceMs, now = Date.now } = options;
  const manifests = createManifests(container);
  const files = createCuratedFiles(container);

  const sweepOrphans = async (tenantId: string): Promise<number> => {
    const folders = (await files.generations(tenantId)).filter(
      ({ changedAt }) => changedAt + graceMs < now(),
    );
    const unnamed = (named: ReadonlySet<string>) => folders.filter(({ folder }) => !named.has(folder));
    const found = await manifests.read(tenantId);
    const manifest = found?.value ?? emptyManifest(tenantId);
    const named = new Set([...manifest.periods, ...manifest.retired].map(({ folder }) => folder));
    const orphans = unnamed(named);
    if (orphans.length === 0) return 0;
    // Whoever still meant to publish one of them has read the manifest before: from now on its etag is not the one it read.
    const fenced = { ...manifest, version: manifest.version + 1, publishedAt: now() };
    if ((await manifests.publish(fenced, found?.etag ?? null)) === null) return 0;
    for (const { folder } of orphans) await files.removeFolder(folder);
    logger.info({ tenantId, folders: orphans.length }, 'removed what a curator left unpublished');
    return orphans.length;
  };

  return {
    async sweep(signal) {
      const report: SweepReport = { tenants: 0, orphans: 0 };
      for await (const tenantId of manifests.tenants()) {
        signal.throwIfAborted();
        report.tenants++;
        await tenants.curate(tenantId, null);
        report.orphans += await sweepOrphans(tenantId);
      }
      return report;
    },
  };
}
