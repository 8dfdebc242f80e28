import { quantityOfCode } from '../domain/quantity';
import { type BuildingAverage } from '../domain/window';
import { type AveragesWriter, type StoredAverage } from './averages';
import { chunkIdOf, firstMinuteOf, mergedPoint } from './averages-documents';
import { type Change, type Cosmos } from './cosmos';
import { AVERAGES_CHUNK_MINUTES, type AveragesDocument } from './documents';

const NINETY_DAYS = 90 * 86_400;
const ATTEMPTS = 5;
/** Where it stands in a stored point. */
const REVISION = 11;
/** Chunks in one transactional batch: far below Cosmos's limits of 100 changes and 2 MB. */
const CHUNKS_A_BATCH = 20;

/**
 * Writes the rolling record into the container `warm`. Chunks that were written last are kept in memory with their
 * etags, so that the owner of a building writes without reading; where another has written since, the etag says so and
 * the chunk is read and merged again.
 */
export function createAveragesWriter(options: {
  cosmos: Pick<Cosmos, 'read' | 'batch'>;
  /** How long a chunk is kept after its last change. */
  keepSeconds?: number;
  /** Chunks remembered; a busy building has two at a time. */
  rememberedChunks?: number;
}): AveragesWriter {
  const { cosmos, keepSeconds = NINETY_DAYS, rememberedChunks = 3_000 } = options;
  // In the order of use: the first is the one to forget.
  const remembered = new Map<string, AveragesDocument>();

  const remember = (document: AveragesDocument): void => {
    const key = `${document.buildingId}/${document.id}`;
    remembered.delete(key);
    remembered.set(key, document);
    if (remembered.size > rememberedChunks) remembered.delete(remembered.keys().next().value!);
  };

  const storedChunk = async (buildingId: string, id: string): Promise<AveragesDocument | null> =>
    remembered.get(`${buildingId}/${id}`) ?? (await cosmos.read<AveragesDocument>('warm', buildingId, id));

  /** One attempt. @returns what changed, or undefined when a chunk was changed by another since it was read. */
  const writeChunks = async (
    buildingId: string,
    chunks: readonly (readonly [string, BuildingAverage[]])[],
  ): Promise<StoredAverage[] | undefined> => {
    const changes: Change[] = [];
    const changed: StoredAverage[] = [];
    const documents: AveragesDocument[] = [];
    for (const [id, points] of chunks) {
      const stored = await storedChunk(buildingId, id);
      const document = stored ?? emptyChunk(points[0]!, id);
      const merged = mergedChunk({ ...document, ttl: keepSeconds }, points, changed);
      if (merged === undefined) {
        if (stored) remember(stored);
        continue;
      }
      documents.push(merged);
      changes.push(stored ? { replace: merged, etag: stored._etag! } : { create: merged });
    }
    if (changes.length === 0) return changed;
    const outcome = await cosmos.batch('warm', buildingId, changes);
    documents.forEach((document, index) => {
      if (outcome.ok) remember({ ...document, _etag: outcome.etags[index]! });
      else remembered.delete(`${buildingId}/${document.id}`);
    });
    return outcome.ok ? changed : undefined;
  };

  return {
    async write(buildingId, points) {
      const chunks = byChunk(points);
      const changed: StoredAverage[] = [];
      for (let start = 0; start < chunks.length; start += CHUNKS_A_BATCH) {
        const batch = chunks.slice(start, start + CHUNKS_A_BATCH);
        let written = await writeChunks(buildingId, batch);
        for (let attempt = 1; written === undefined; attempt++) {
          if (attempt === ATTEMPTS) {
            throw new Error(
              `the averages of ${buildingId} were changed by another ${ATTEMPTS} times in a row`,
            );
          }
          written = await writeChunks(buildingId, batch);
        }
        changed.push(...written);
      }
      return changed;
    },
  };
}

function byChunk(points: readonly BuildingAverage[]): [string, BuildingAverage[]][] {
  const chunks = new Map<string, BuildingAverage[]>();
  for (const point of points) {
    const id = chunkIdOf(point.windowEnd / 60);
    const found = chunks.get(id);
    if (found) found.push(point);
    else chunks.set(id, [point]);
  }
  return [...chunks];
}

function emptyChunk(point: BuildingAverage, id: string): AveragesDocument {
  return {
    id,
    type: 'averages',
    buildingId: point.buildingId,
    tenantId: point.tenantId,
    firstMinute: firstMinuteOf(point.windowEnd / 60),
    points: {},
    ttl: 0,
  };
}

/**
 * A copy with the points merged in, or undefined when they change nothing; `into` takes those that do. A chunk is one tenant's: what another owner's
 * readings say of the same minutes does not belong in it.
 */
function mergedChunk(
  document: AveragesDocument,
  points: readonly BuildingAverage[],
  into: StoredAverage[],
): AveragesDocument | undefined {
  const merged: AveragesDocument = { ...document, points: { ...document.points } };
  let changed = false;
  for (const point of points) {
    const name = quantityOfCode(point.quantity)?.name;
    if (name === undefined || point.tenantId !== document.tenantId) continue;
    const index = point.windowEnd / 60 - document.firstMinute;
    const before = merged.points[name] ?? new Array<null>(AVERAGES_CHUNK_MINUTES).fill(null);
    const next = mergedPoint(before[index], point);
    if (next === before[index]) continue;
    const column = before === document.points[name] ? [...before] : before;
    column[index] = next;
    merged.points[name] = column;
    into.push({ ...point, revision: next[REVISION] });
    changed = true;
  }
  return changed ? merged : undefined;
}
