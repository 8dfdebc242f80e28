/** Where spaces lie. A space never moves, so that what is known of one stays true. */
export interface SpaceTree {
  /**
   * The spaces that a space lies in, nearest first; must not block. While it is undefined nothing is told of the space:
   * it may hold others, and its own readings alone would not be its average.
   */
  ancestors(buildingId: string, spaceId: string): readonly string[] | undefined;
}

/** Every space lies directly in its building. */
export const FLAT: SpaceTree = { ancestors: () => [] };
