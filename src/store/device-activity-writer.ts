import { type Change, type Cosmos } from './cosmos';
import { type ActivityWriter, type SeenBuilding } from './device-activity';
import { mergedSeen, seenIdOf } from './device-activity-documents';
import { type SeenDocument } from './documents';
import { inParallel } from './in-parallel';
import { retrying } from './store-error';

/** Other gateways write the same chunks; each race is lost to somebody's progress. */
const ATTEMPTS = 20;
const WRITES_AT_ONCE = 4;
/** Of 5 kB in base64: far below Cosmos's limits of 100 changes and 2 MB. */
const CHUNKS_A_BATCH = 50;

/**
 * Writes last seen into the container `warm`. What is stored is read first, many buildings in one request, and replaced
 * under its etag: so nothing that another gateway noted is lost.
 */
export function createActivityWriter({
  cosmos,
}: {
  cosmos: Pick<Cosmos, 'readMany' | 'batch'>;
}): ActivityWriter {
  /** One attempt. @returns those in which another gateway was quicker. */
  async function attempt(buildings: readonly SeenBuilding[]): Promise<SeenBuilding[]> {
    const documents = await cosmos.readMany<SeenDocument>(
      'warm',
      buildings.flatMap(({ buildingId, chunks }) =>
        chunks.map(({ index }) => ({ partition: buildingId, id: seenIdOf(index) })),
      ),
    );
    let next = 0;
    const writes = buildings.map((building) => {
      const changes = building.chunks.flatMap((chunk): Change[] => {
        const stored = documents[next++] ?? null;
        const merged = mergedSeen(stored, building.buildingId, chunk);
        if (merged === undefined) return [];
        return [stored ? { replace: merged, etag: stored._etag! } : { create: merged }];
      });
      return { building, changes };
    });
    const lost: SeenBuilding[] = [];
    await inParallel(writes, WRITES_AT_ONCE, async ({ building, changes }) => {
      if (changes.length === 0) return;
      const outcome = await retrying(() => cosmos.batch('warm', building.buildingId, changes));
      if (!outcome.ok) lost.push(building);
    });
    return lost;
  }

  return {
    async write(buildings) {
      let open: SeenBuilding[] = buildings.flatMap(({ buildingId, chunks }) =>
        Array.from({ length: Math.ceil(chunks.length / CHUNKS_A_BATCH) }, (_, i) => ({
          buildingId,
          chunks: chunks.slice(i * CHUNKS_A_BATCH, (i + 1) * CHUNKS_A_BATCH),
        })),
      );
      for (let race = 0; open.length > 0; race++) {
        if (race === ATTEMPTS) {
          throw new Error(`last seen of ${open.length} buildings was changed by others ${ATTEMPTS} times`);
        }
        open = await attempt(open);
      }
    },
  };
}
