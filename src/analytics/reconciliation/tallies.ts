import { type CuratedManifest, type CurationTally, partitionKey } from '../../domain/curated';
import { type Unjudged, type PageDocument } from '../../store/ingestion/documents';
import { type Manifests } from '../../store/manifests';

/** What the curator has told, as it stands at the beginning of a run. */
export interface CuratedStandings {
  /** Null while nothing was curated. */
  rootVersion: number;
  /** By `partitionKey`: how far all tenants are. */
  through: ReadonlyMap<string, number>;
  /** By partition and hour, `<partition>/<hour>`: tenants with tallies of it that may not be added up yet. */
  touched: ReadonlyMap<string, ReadonlySet<string>>;
  tallies(tenantId: string): readonly CurationTally[];
  /** Why the counts of a tenant are not to be judged on that page. */
  unjudged(tenantId: string, partition: number, page: PageDocument): Promise<Unjudged | undefined>;
  /** Everyone of whom something was ever curated. */
  tenants: readonly string[];
}

/**
 * Reads the root and, where it has moved since, every tenant's manifest behind it: so that a manifest holds at least what
 * the root says is curated.
 *
 * @param known the root's version whose tallies are all added up.
 * @param seen of each tenant, the version that this process added up last: it saves looking at pages again.
 */
export async function readStandings(
  manifests: Manifests,
  known: number,
  seen: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<CuratedStandings> {
  const root = await manifests.root();
  const rootVersion = root?.value.version ?? 0;
  const tallies = new Map<string, CurationTally[]>();
  const touched = new Map<string, Set<string>>();
  const tenants: string[] = [];
  const read = new Map<string, CuratedManifest | null>();
  if (rootVersion !== known) {
    for await (const tenantId of manifests.tenants()) {
      signal.throwIfAborted();
      const manifest = (await manifests.read(tenantId))?.value;
      // Nothing of it is added up any more.
      if (manifest?.erasedAt !== undefined) continue;
      tenants.push(tenantId);
      const entries = (manifest?.tallies?.entries ?? []).filter(
        ({ version }) => version > (seen.get(tenantId) ?? 0),
      );
      if (entries.length === 0) continue;
      tallies.set(tenantId, entries);
      for (const { partition, hour } of entries.flatMap(({ rows }) => rows)) {
        const key = `${partition}/${hour}`;
        const of = touched.get(key) ?? new Set();
        touched.set(key, of.add(tenantId));
      }
    }
  }
  return {
    rootVersion,
    through: new Map(root?.value.positions.map((each) => [partitionKey(each), each.sequence])),
    touched,
    tenants,
    tallies: (tenantId) => tallies.get(tenantId) ?? [],
    async unjudged(tenantId, partition, page) {
      let manifest = read.get(tenantId);
      if (manifest === undefined) {
        manifest = (await manifests.read(tenantId))?.value ?? null;
        read.set(tenantId, manifest);
      }
      if (manifest === null) return undefined;
      if (manifest.erasedAt !== undefined) return 'ALL';
      if (manifest.tallies === undefined) return 'CURATION';
      const since = new Map(manifest.tallies.since.map((each) => [partitionKey(each), each.sequence]));
      return Object.entries(page.files).some(
        ([incarnation, { first }]) =>
          (since.get(partitionKey({ incarnation, partition })) ?? -1) >= Math.min(...first),
      )
        ? 'CURATION'
        : undefined;
    },
  };
}
