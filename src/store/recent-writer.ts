import { type Change, type Cosmos } from './cosmos';
import { type LatestReading, type RecentBatch, type RecentWriter } from './recent';
import {
  type HeldDocument,
  latestBlockOf,
  latestIdOf,
  type LatestDocument,
  mergedLatest,
  type RecentDocument,
  recentDocuments,
  type RecordingDocument,
} from './recent-documents';

const THREE_DAYS = 3 * 86_400;
const ATTEMPTS = 5;
/** What is about to expire is not counted on. */
const EXPIRY_MARGIN_MS = 60_000;
/** Cosmos takes 100 changes and 2 MB at once. */
const CHANGES_A_BATCH = 90;
const BYTES_A_BATCH = 1_000_000;

/**
 * Writes recent readings into the container `recent`: a building's chunks, its latest readings and, the first time, from
 * when on it is held, in one transactional batch. What was written last of the latest readings is kept in memory with its
 * etag, so that the owner of a building writes without reading; where another has written since, the etag says so and it
 * is read and merged again.
 */
export function createRecentWriter(options: {
  cosmos: Pick<Cosmos, 'readMany' | 'batch'>;
  /** How long readings are kept; longer than the lateness that is allowed. */
  keepSeconds?: number;
  /** Documents of latest readings remembered. */
  rememberedBlocks?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}): RecentWriter {
  const { cosmos, keepSeconds = THREE_DAYS, rememberedBlocks = 5_000, now = Date.now } = options;
  // In the order of use: the first is the one to forget.
  const remembered = new Map<string, LatestDocument>();
  /** By building: from when on it is held, as is stored. */
  const held = new Map<string, number>();

  const remember = (document: LatestDocument): void => {
    const key = `${document.buildingId}/${document.id}`;
    remembered.delete(key);
    remembered.set(key, document);
    if (remembered.size > rememberedBlocks) remembered.delete(remembered.keys().next().value!);
  };

  /** What is not remembered of a building is read, all at once. */
  const known = async (
    buildingId: string,
    ids: readonly string[],
  ): Promise<{ latest: (LatestDocument | null)[]; heldFrom: number | undefined }> => {
    const missing = ids.filter((id) => !remembered.has(`${buildingId}/${id}`));
    const asked = held.has(buildingId) ? missing : [...missing, 'held'];
    const found = new Map<string, LatestDocument | HeldDocument>();
    if (asked.length > 0) {
      const documents = await cosmos.readMany<LatestDocument | HeldDocument>(
        'recent',
        asked.map((id) => ({ partition: buildingId, id })),
      );
      for (const document of documents) if (document !== null) found.set(document.id, document);
    }
    const heldDocument = found.get('held') as HeldDocument | undefined;
    if (heldDocument !== undefined) held.set(buildingId, heldDocument.heldFrom);
    return {
      latest: ids.map(
        (id) =>
          remembered.get(`${buildingId}/${id}`) ?? (found.get(id) as LatestDocument | undefined) ?? null,
      ),
      heldFrom: held.get(buildingId),
    };
  };

  /** One attempt at what changes a document that others may change too. @returns undefined when another did. */
  const writeLast = async (batch: RecentBatch, last: readonly Change[]): Promise<number | undefined> => {
    const { buildingId, tenantId } = batch;
    const newest = newestByBlock(batch);
    const blocks = [...newest.keys()];
    const { latest, heldFrom } = await known(
      buildingId,
      blocks.map((block) => latestIdOf(tenantId, block)),
    );
    const merged: LatestDocument[] = [];
    const changes = [...last];
    latest.forEach((stored, index) => {
      const block = blocks[index]!;
      const document = mergedLatest(stored, batch, block, newest.get(block)!);
      if (document === undefined) {
        if (stored) remember(stored);
        return;
      }
      merged.push(document);
      changes.push(stored ? { replace: document, etag: stored._etag! } : { create: document });
    });
    const recordedFrom = heldFrom ?? Math.max(0, batch.recordedFrom);
    if (heldFrom === undefined) {
      const { buildingId: id } = batch;
      const document: HeldDocument = {
        id: 'held',
        type: 'held',
        buildingId: id,
        heldFrom: recordedFrom,
        keepSeconds,
      };
      changes.push({ create: document });
    }
    if (changes.length === 0) return recordedFrom;
    const outcome = await cosmos.batch('recent', buildingId, changes);
    merged.forEach((document, index) => {
      if (outcome.ok) remember({ ...document, _etag: outcome.etags[last.length + index]! });
      else remembered.delete(`${buildingId}/${document.id}`);
    });
    if (!outcome.ok) {
      held.delete(buildingId);
      return undefined;
    }
    held.set(buildingId, recordedFrom);
    return recordedFrom;
  };

  return {
    async begin({ incarnation, partition }, from) {
      const buildingId = `stream_${incarnation}-${partition}`;
      for (let attempt = 1; ; attempt++) {
        const stored = (
          await cosmos.readMany<RecordingDocument>('recent', [{ partition: buildingId, id: 'recording' }])
        )[0];
        if (stored) return stored.recordedFrom;
        const recordedFrom = Math.max(0, from);
        const document: RecordingDocument = { id: 'recording', type: 'recording', buildingId, recordedFrom };
        const outcome = await cosmos.batch('recent', buildingId, [{ create: document }]);
        if (outcome.ok) return recordedFrom;
        if (attempt === ATTEMPTS) throw new Error(`the recording of ${buildingId} was changed by another`);
      }
    },

    async write(batch) {
      const groups = inGroups(recentDocuments(batch, keepSeconds));
      // What they hold follows from their ids, so that writing one again is the same as finding it there.
      const upserts = groups.map((group) => group.map((document): Change => ({ upsert: document })));
      for (const group of upserts.slice(0, -1)) {
        const outcome = await cosmos.batch('recent', batch.buildingId, group);
        if (!outcome.ok) throw new Error(`recent readings of ${batch.buildingId}: ${outcome.why}`);
      }
      for (let attempt = 1; ; attempt++) {
        const heldFrom = await writeLast(batch, upserts.at(-1) ?? []);
        if (heldFrom !== undefined) return Math.max(heldFrom, now() - keepSeconds * 1000 + EXPIRY_MARGIN_MS);
        if (attempt === ATTEMPTS) {
          throw new Error(
            `the latest readings of ${batch.buildingId} were changed by another ${ATTEMPTS} times`,
          );
        }
      }
    },
  };
}

function newestByBlock({
  points,
  count,
  point,
  observedAt,
  value,
}: RecentBatch): Map<number, Map<number, LatestReading>> {
  const blocks = new Map<number, Map<number, LatestReading>>();
  for (let row = 0; row < count; row++) {
    const { pointOrdinal, deviceOrdinal } = points[point[row]!]!;
    const block = latestBlockOf(pointOrdinal);
    let newest = blocks.get(block);
    if (newest === undefined) blocks.set(block, (newest = new Map()));
    const before = newest.get(pointOrdinal);
    if (before !== undefined && before.observedAt >= observedAt[row]!) continue;
    newest.set(pointOrdinal, { observedAt: observedAt[row]!, value: value[row]!, deviceOrdinal });
  }
  return blocks;
}

function inGroups(documents: readonly RecentDocument[]): RecentDocument[][] {
  const groups: RecentDocument[][] = [];
  let bytes = Infinity;
  for (const document of documents) {
    const size = document.rows.length + 120 * document.points.length + 500;
    if (groups.length === 0 || groups.at(-1)!.length >= CHANGES_A_BATCH || bytes + size > BYTES_A_BATCH) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(document);
    bytes += size;
  }
  return groups;
}
