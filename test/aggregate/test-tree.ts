import { type SpaceTree } from '../../src/aggregate/tree';

/** Where the spaces of `randomStream` lie: a level with readings of its own, and a level in a wing. */
const ABOVE: Record<string, readonly string[]> = {
  'bld_a spc_1': ['lvl_a'],
  'bld_a spc_2': ['lvl_a'],
  'bld_a lvl_a': [],
  'bld_b spc_1': ['lvl_b', 'wng_b'],
  'bld_b spc_2': ['wng_b'],
};

export interface TestTree extends SpaceTree {
  ancestors(buildingId: string, spaceId: string): readonly string[] | undefined;
  /** Until then nothing is known. */
  learn(): void;
}

export function createTestTree(): TestTree {
  let known = false;
  return {
    ancestors: (buildingId, spaceId) => (known ? ABOVE[`${buildingId} ${spaceId}`]! : undefined),
    learn() {
      known = true;
    },
  };
}

/** The places that a row counts in, the building as null. */
export function placesOf({
  buildingId,
  spaceId,
}: {
  buildingId: string;
  spaceId?: string;
}): (string | null)[] {
  return [spaceId!, ...ABOVE[`${buildingId} ${spaceId}`]!, null];
}
