import { allows } from '../auth/scope';
import { type AveragesReader, type StoredAverage } from './averages';
import { CHUNK_IDS, chunkIdOf, pointsOf, quantitiesOf, type ReadChunk } from './averages-documents';
import { type Cosmos } from './cosmos';
import { AVERAGES_CHUNK_MINUTES } from './documents';
import { inParallel } from './in-parallel';

const QUERIES_AT_ONCE = 8;
const CHUNKS_A_PAGE = 200;

/**
 * Reads the rolling record. A chunk names its owner, and what it holds of a quantity is answered only where the scope
 * allows it: a foreign building costs the same calls as one without points and answers the same.
 */
export function createAveragesReader(options: {
  cosmos: Pick<Cosmos, 'readMany' | 'query' | 'pages'>;
  /** Milliseconds since 1970. */
  now?: () => number;
}): AveragesReader {
  const { cosmos, now = Date.now } = options;

  const newestChunk = async (buildingId: string): Promise<ReadChunk[]> =>
    cosmos.query<ReadChunk>(
      'warm',
      buildingId,
      'SELECT TOP 1 * FROM c WHERE c.id >= @from AND c.id < @to ORDER BY c.id DESC',
      { ...CHUNK_IDS },
    );

  return {
    async history(scope, { buildingId, quantity, fromMinute, toMinute, limit }) {
      if (limit <= 0 || toMinute < fromMinute) return [];
      const found: StoredAverage[] = [];
      // The name is one of ours, never what a caller wrote: it may stand in the text of the query.
      const pages = cosmos.pages<ReadChunk>(
        'warm',
        buildingId,
        `SELECT c.tenantId, c.buildingId, c.firstMinute, {"${quantity}": c.points.${quantity}} AS points
         FROM c WHERE c.id >= @from AND c.id <= @to AND IS_DEFINED(c.points.${quantity}) ORDER BY c.id ASC`,
        { from: chunkIdOf(fromMinute), to: chunkIdOf(toMinute) },
        { pageSize: Math.min(CHUNKS_A_PAGE, Math.ceil(limit / AVERAGES_CHUNK_MINUTES) + 1) },
      );
      for await (const chunks of pages) {
        for (const chunk of chunks) {
          if (!allows(scope, 'average.read', { tenantId: chunk.tenantId, buildingId, quantity })) continue;
          for (const point of pointsOf(chunk, quantity)) {
            const minute = point.windowEnd / 60;
            if (minute >= fromMinute && minute <= toMinute) found.push(point);
          }
        }
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },

    async latest(scope, buildingIds) {
      const minute = Math.floor(now() / 60_000);
      const ids = [chunkIdOf(minute), chunkIdOf(minute - AVERAGES_CHUNK_MINUTES)];
      const recent = await cosmos.readMany<ReadChunk>(
        'warm',
        buildingIds.flatMap((partition) => ids.map((id) => ({ partition, id }))),
      );
      const chunks = buildingIds.map((_, index) =>
        recent.slice(index * ids.length, (index + 1) * ids.length).filter((chunk) => chunk !== null),
      );
      // A building that has been silent for long: its last chunk is further back, or there is none.
      const silent = chunks.flatMap((found, index) => (found.length === 0 ? [index] : []));
      await inParallel(silent, QUERIES_AT_ONCE, async (index) => {
        chunks[index] = await newestChunk(buildingIds[index]!);
      });
      return chunks.map((newestFirst, index) => {
        const newest = new Map<string, StoredAverage>();
        for (const chunk of newestFirst) {
          for (const quantity of quantitiesOf(chunk)) {
            const target = { tenantId: chunk.tenantId, buildingId: buildingIds[index]!, quantity };
            const point = pointsOf(chunk, quantity).at(-1);
            if (point && !newest.has(quantity) && allows(scope, 'average.read', target)) {
              newest.set(quantity, point);
            }
          }
        }
        return [...newest.values()];
      });
    },
  };
}
