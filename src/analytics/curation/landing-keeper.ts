import { type ContainerClient } from '@azure/storage-blob';
import { partitionKey } from '../../domain/curated';
import { type Logger } from '../../observability/logger';
import { type Head, createHeads } from '../../store/heads';
import { createLandingFiles } from '../../store/landing-files';
import { createManifests } from '../../store/manifests';
import { mustAgree } from './tenant';

export interface KeeperReport {
  /** Landing files removed. */
  removed: number;
  /** Partitions whose head moved. */
  moved: number;
  /** Partitions whose counts do not agree, in words: nothing of them is removed. */
  disagreements: string[];
}

/** Of the places where a head may be moved to later, so many are remembered over the time that landing is kept. */
const MARKS = 8;

/**
 * Removes landing files that were curated long enough ago. A partition's go only where its counts agree over all
 * tenants: as many rows as landed are curated, were there already, or were dropped with their tenant. The head moves
 * before the first of them goes. Bears being done twice at once: heads move under their etag, and only files behind a
 * head that stands are removed.
 */
export function createLandingKeeper(options: {
  logger: Logger;
  container: ContainerClient;
  /** How long a file is kept once it is curated. */
  keepMs: number;
  /**
   * How far a partition's files are counted by whoever else must see them before they go; -1 where none is. Left out,
   * nobody must.
   */
  countedThrough?: (place: { incarnation: string; partition: number }) => Promise<number>;
  now?: () => number;
}): { keep(signal: AbortSignal): Promise<KeeperReport> } {
  const { logger, container, keepMs, countedThrough, now = Date.now } = options;
  const manifests = createManifests(container);
  const landing = createLandingFiles(container);
  const heads = createHeads(container);

  /** Of every tenant together, by partition: rows that its manifests have taken, and how far the furthest has read. */
  const countTenants = async (
    signal: AbortSignal,
  ): Promise<Map<string, { landed: number; sequence: number }>> => {
    const counts = new Map<string, { landed: number; sequence: number }>();
    for await (const tenantId of manifests.tenants()) {
      signal.throwIfAborted();
      const manifest = await manifests.read(tenantId);
      if (manifest === null) continue;
      if (manifest.value.erasedAt === undefined) mustAgree(manifest.value);
      for (const position of manifest.value.positions) {
        const before = counts.get(partitionKey(position)) ?? { landed: 0, sequence: -1 };
        counts.set(partitionKey(position), {
          landed: before.landed + position.landed,
          sequence: Math.max(before.sequence, position.sequence),
        });
      }
    }
    return counts;
  };

  return {
    async keep(signal) {
      const report: KeeperReport = { removed: 0, moved: 0, disagreements: [] };
      const root = await manifests.root();
      if (root === null) return report;
      const counts = await countTenants(signal);
      for (const position of root.value.positions) {
        signal.throwIfAborted();
        const counted = counts.get(partitionKey(position)) ?? { landed: 0, sequence: -1 };
        // A curator is between a manifest and the root: its next run agrees.
        if (counted.sequence > position.sequence) continue;
        if (counted.landed !== position.landed) {
          const words = `${partitionKey(position)}: ${position.landed} rows have landed, the tenants count ${counted.landed}`;
          report.disagreements.push(words);
          logger.error({ partition: partitionKey(position) }, `nothing is removed: ${words}`);
          continue;
        }
        const found = await heads.read(position);
        const before: Head = found?.head ?? { sequence: -1, curated: [] };
        const seen = countedThrough ? await countedThrough(position) : position.sequence;
        const after = movedHead(before, Math.min(position.sequence, seen), now(), keepMs);
        if (after !== before && !(await heads.write(position, after, found?.etag ?? null))) continue;
        if (after.sequence > before.sequence) report.moved++;
        if (after.sequence < 0) continue;
        // Behind the head as it was read or written, whoever moved it: what a run that died left goes too.
        for (const file of await landing.upTo(position, after.sequence)) {
          signal.throwIfAborted();
          await landing.remove(file);
          report.removed++;
        }
      }
      return report;
    },
  };
}

/** The head with what may be forgotten by now behind it; the same where nothing changes. */
export function movedHead(head: Head, curatedTo: number, at: number, keepMs: number): Head {
  const last = head.curated.at(-1);
  const known = Math.max(head.sequence, last?.sequence ?? -1);
  const due = curatedTo > known && (last === undefined || at - last.at >= keepMs / MARKS);
  const marks = due ? [...head.curated, { sequence: curatedTo, at }] : head.curated;
  const passed = marks.filter((mark) => mark.at + keepMs <= at);
  const sequence = passed.at(-1)?.sequence ?? head.sequence;
  if (!due && passed.length === 0) return head;
  return { sequence, curated: marks.slice(passed.length) };
}
