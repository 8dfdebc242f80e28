import { type CuratedFile, type CuratedManifest, partitionKey, periodsWithin } from '../domain/curated';
import { type Manifests, type Versioned } from '../store/manifests';
import { type ReadingsFilter } from './readings-source';

/** What is curated of a filter, and from where on its landing is to be read. */
export interface CuratedStanding {
  /** Periods in their order. */
  files: CuratedFile[];
  /** Landing files that begin at or before it are curated; -1 where nothing is. */
  through(place: { incarnation: string; partition: number }): number;
}

export interface CuratedListing {
  /** Of now: a manifest is asked for at each question, and travels where it has changed. */
  of(
    filter: Pick<ReadingsFilter, 'tenantId' | 'buildingIds' | 'from' | 'to'>,
  ): Promise<CuratedStanding | 'erased'>;
  /** A file that it named is gone. */
  forget(tenantId: string): void;
}

const MAXIMUM_REMEMBERED = 200;

export function createCuratedListing({ manifests }: { manifests: Manifests }): CuratedListing {
  const known = new Map<string, Versioned<CuratedManifest>>();
  return {
    async of({ tenantId, buildingIds, from, to }) {
      const { manifest, erased, through } = await manifests.standing(tenantId, known.get(tenantId) ?? null);
      known.delete(tenantId);
      if (erased) return 'erased';
      if (manifest !== null) known.set(tenantId, manifest);
      const oldest = known.keys().next();
      if (known.size > MAXIMUM_REMEMBERED && !oldest.done) known.delete(oldest.value);
      const files = (manifest === null ? [] : periodsWithin(manifest.value, from, to))
        .flatMap((period) => period.files)
        .filter(
          (file) =>
            file.observedFrom < to &&
            file.observedTo >= from &&
            (buildingIds === null ||
              buildingIds.some((id) => id >= file.firstBuilding && id <= file.lastBuilding)),
        );
      return { files, through: (place) => through.get(partitionKey(place)) ?? -1 };
    },
    forget(tenantId) {
      known.delete(tenantId);
    },
  };
}
