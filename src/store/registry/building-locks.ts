/**
 * Lets one change of a building document at a time through from this process. Etags keep changes right without it; with
 * it a thousand retirements in one building don't spend their time refusing each other.
 */
export interface BuildingLocks {
  hold<T>(buildingId: string, work: () => Promise<T>): Promise<T>;
}

export function createBuildingLocks(): BuildingLocks {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async hold(buildingId, work) {
      const before = tails.get(buildingId) ?? Promise.resolve();
      const turn = before.then(work, work);
      const settled = turn.then(
        () => undefined,
        () => undefined,
      );
      tails.set(buildingId, settled);
      try {
        return await turn;
      } finally {
        if (tails.get(buildingId) === settled) tails.delete(buildingId);
      }
    },
  };
}
