import { type ContainerClient } from '@azure/storage-blob';
import { type CuratedPeriod, curatedThrough, partitionKey } from '../../domain/curated';
import { parseLandingPath } from '../../store/landing-path';
import { createManifests } from '../../store/manifests';
import { ALL_TENANTS, type ThroughRow } from './tables';

/** An hour of a partition's landing that holds something that is not curated. */
export interface LandingHour {
  incarnation: string;
  partition: number;
  /** `YYYY-MM-DD` and `HH`, of UTC. */
  date: string;
  hour: string;
  /** In the container, ending in a slash. */
  folder: string;
}

/** What is published at one moment. To be asked in this order: see `src/domain/curated.ts`. */
export interface Published {
  /** The present generations, a tenant after the other. */
  periods(): AsyncIterable<{ tenantId: string; periods: readonly CuratedPeriod[] }>;
  /** When all periods are told: from where on the landing is to be read. */
  through(): readonly ThroughRow[];
  /** When all periods are told: whose readings may not be read any more. */
  erased(): readonly string[];
  /** When all periods are told. */
  landing(): AsyncIterable<LandingHour>;
}

/** @param tenantId only this one's. */
export async function publishedNow({
  container,
  tenantId,
}: {
  container: ContainerClient;
  tenantId: string | null;
}): Promise<Published> {
  const manifests = createManifests(container);
  // The root first: what is landed up to its positions is in the manifests that are read after it.
  const root = (await manifests.root())?.value ?? { positions: [] };
  const ofAll = curatedThrough(root, null);
  const through: ThroughRow[] = root.positions.map(({ incarnation, partition, sequence }) => ({
    ...{ tenantId: ALL_TENANTS, incarnation, partition, sequence },
  }));
  const erased: string[] = [];

  async function* tenants(): AsyncIterable<string> {
    if (tenantId === null) yield* manifests.tenants();
    else yield tenantId;
  }

  return {
    async *periods() {
      for await (const tenant of tenants()) {
        const manifest = (await manifests.read(tenant))?.value;
        if (manifest === undefined) continue;
        if (manifest.erasedAt !== undefined) {
          erased.push(tenant);
          continue;
        }
        for (const { incarnation, partition, sequence } of manifest.positions) {
          if (sequence > (ofAll.get(partitionKey({ incarnation, partition })) ?? -1)) {
            through.push({ tenantId: tenant, incarnation, partition, sequence });
          }
        }
        yield { tenantId: tenant, periods: manifest.periods };
      }
    },
    through: () => through,
    erased: () => erased,
    async *landing() {
      // Of one tenant alone what it has curated further is not looked at; of all, what is curated for all.
      const behind = tenantId === null ? ofAll : curatedThrough({ positions: through }, null);
      const told = new Set<string>();
      for await (const { name } of container.listBlobsFlat({ prefix: 'landing/' })) {
        const file = parseLandingPath(name);
        if (file === undefined || file.firstSequence <= (behind.get(partitionKey(file)) ?? -1)) continue;
        const folder = name.slice(0, name.lastIndexOf('/') + 1);
        if (told.has(folder)) continue;
        told.add(folder);
        const [date, hour] = file.hour.split('T') as [string, string];
        yield { incarnation: file.incarnation, partition: file.partition, date, hour, folder };
      }
    },
  };
}
