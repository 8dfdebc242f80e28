import { type QuantityName } from '../domain/quantity';
import { explain, type Logger } from '../observability/logger';
import { createChangeFollower } from './change-follower';
import { type Cosmos } from './cosmos';
import { type BuildingDocument, type RegistryDocument } from './documents';
import { createTogether } from './together';

/** How many devices should report, by building and quantity, kept current by the registry's change feed. */
export interface BuildingCounts {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Undefined until the building is loaded; the first asking starts that, and never blocks. */
  devicesExpected(buildingId: string, quantity: QuantityName): number | undefined;
}

type Counts = BuildingDocument['devicesByQuantity'];

/** A building that did not exist, or could not be read, is asked for again after so long. */
const ASK_AGAIN_MS = 1_000;
const DEFAULT_LIMIT = 100_000;

export function createBuildingCounts(options: {
  cosmos: Cosmos;
  logger: Logger;
  /** The most buildings that are held. Default 100,000. */
  limit?: number;
}): BuildingCounts {
  const { cosmos, logger, limit = DEFAULT_LIMIT } = options;
  const known = new Map<string, Counts>();
  /** Buildings asked for and not known, and from when on they may be asked for again. */
  const asked = new Map<string, number>();

  const follower = createChangeFollower({
    cosmos,
    container: 'registry',
    from: 'now',
    onChanges(documents) {
      for (const each of documents as RegistryDocument[]) {
        // Also one that is being read: what the feed brings is at least as new, or the feed will bring what was read.
        if (each.type === 'building' && (known.has(each.id) || asked.has(each.id))) hold(each);
      }
    },
    logger,
  });
  const documentOf = createTogether<BuildingDocument | null>((ids) =>
    cosmos.readMany<BuildingDocument>(
      'registry',
      ids.map((id) => ({ partition: id, id })),
    ),
  );

  function hold(building: BuildingDocument): void {
    asked.delete(building.id);
    known.set(building.id, building.devicesByQuantity);
    if (known.size > limit) known.delete(known.keys().next().value!);
  }

  async function load(buildingId: string): Promise<void> {
    if (asked.size >= limit) asked.delete(asked.keys().next().value!);
    asked.set(buildingId, Infinity);
    try {
      // Before the feed has its position a change could pass unseen between the reading and the following.
      const building = Number.isFinite(follower.behindMs()) ? await documentOf(buildingId) : null;
      if (known.has(buildingId)) return;
      if (building) hold(building);
      else asked.set(buildingId, Date.now() + ASK_AGAIN_MS);
    } catch (error) {
      asked.set(buildingId, Date.now() + ASK_AGAIN_MS);
      logger.warn({ buildingId, error: explain(error) }, 'a building’s counts could not be read');
    }
  }

  return {
    start: () => follower.start(),
    stop: () => follower.stop(),
    devicesExpected(buildingId, quantity) {
      const counts = known.get(buildingId);
      if (counts) return counts[quantity] ?? 0;
      if (Date.now() >= (asked.get(buildingId) ?? 0)) void load(buildingId);
      return undefined;
    },
  };
}
