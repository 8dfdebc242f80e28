/**
 * The curated cold store as its manifests tell of it. How a reader finds every reading of a tenant exactly once:
 *
 * 1. Read the root, then the tenant's manifest: in this order. The root's positions are published behind the manifests
 *    that hold what was landed up to them, so a manifest that is read after the root holds at least that much.
 * 2. A partition of the stream is curated through the greater of the two positions (`curatedThrough`). Read the files of
 *    the generations named, and of the landing exactly the files whose *first* sequence lies behind that position.
 *    Positions are always ends of landing files, so no file is cut; one that begins at or before it is not looked at,
 *    however far it says it reaches.
 * 3. A row of the landing may repeat an identity that is curated: the first in stream order stands
 *    (`docs/architecture.md`), which is the curated one.
 * 4. A file that is gone, or whose etag is another: begin again at 1.
 */

export const MANIFEST_SCHEMA = 'curated-manifest/1';
export const ROOT_SCHEMA = 'curated-root/1';
export const CURATED_SCHEMA = 'curated-readings/1';

/** A place in the stream. All counts are since the beginning. */
export interface LandedPosition {
  incarnation: string;
  partition: number;
  /** Sequence of the last event of a landing file: everything landed at or before it is in the generations named. */
  sequence: number;
  /** Rows in the landing up to there: of all tenants in the root, of its own in a manifest. */
  landed: number;
}

/** What became of the rows that landed: `landed = curated + duplicates + dropped`. */
export interface CuratedPosition extends LandedPosition {
  /** Of them, those that stand in the generations named. */
  curated: number;
  /** Of them, those whose identity was there already. */
  duplicates: number;
  /** Of them, those of an erased tenant. */
  dropped: number;
}

/** A Parquet file of a generation. It is never overwritten. */
export interface CuratedFile {
  /** In the cold store's container. */
  name: string;
  /** As a header has it, with its quotes. */
  etag: string;
  bytes: number;
  rows: number;
  rowGroups: number;
  /**
   * Least and greatest building, in the order of the ids' bytes, both inclusive. Files are cut between points, so that a
   * great building can stand in several.
   */
  firstBuilding: string;
  lastBuilding: string;
  /** Least and greatest instant of observation, milliseconds since 1970, both inclusive. */
  observedFrom: number;
  observedTo: number;
}

/** One period of a tenant in its present generation. Periods of a tenant never overlap. */
export interface CuratedPeriod {
  /** A day, `2026-11-21`, or a month, `2026-11`; of UTC, by the instant of observation. */
  period: string;
  /** Milliseconds since 1970; `to` is exclusive. */
  from: number;
  to: number;
  /** Counted from 1 in each period. */
  generation: number;
  /** Of the container, ending in a slash; it holds this generation's files and nothing else. */
  folder: string;
  rows: number;
  bytes: number;
  /** In the order of their rows. */
  files: CuratedFile[];
}

/** A generation that was replaced and waits for its last readers. */
export interface RetiredGeneration {
  folder: string;
  /** Milliseconds since 1970. Removed a grace time later. */
  retiredAt: number;
}

/** Everything curated of one tenant. One blob, replaced as a whole under its etag. */
export interface CuratedManifest {
  schema: string;
  tenantId: string;
  /** How many times it was published. */
  version: number;
  /** Milliseconds since 1970. */
  publishedAt: number;
  /** Ascending by `from`. */
  periods: CuratedPeriod[];
  positions: CuratedPosition[];
  retired: RetiredGeneration[];
  /** Set when the tenant was erased: nothing is read or curated any more. Milliseconds since 1970. */
  erasedAt?: number;
  /** What the latest publications did, by hour; left out by the release before. */
  tallies?: CurationTallies;
}

/** What each publication changed in the counts, by hour of receipt, for as long as somebody may want to add it up. */
export interface CurationTallies {
  /** Behind these positions everything is tallied; what was curated up to them is not. */
  since: Pick<LandedPosition, 'incarnation' | 'partition' | 'sequence'>[];
  /** The sum of `positions[].landed` at the last publication: another here means that one published without tallying. */
  landed: number;
  entries: CurationTally[];
}

export interface CurationTally {
  /** The manifest's version from which on it counts. */
  version: number;
  /** Milliseconds since 1970. */
  at: number;
  rows: CurationTallyRow[];
}

/** A change, in readings; `curated` may be less than nothing where a row made way for an earlier one. */
export interface CurationTallyRow {
  incarnation: string;
  partition: number;
  /** Of UTC, counted from 1970, by when the gateway received them. */
  hour: number;
  curated: number;
  repeated: number;
  dropped: number;
}

/** Of all tenants: how far the landing is curated for every one of them, whether they had readings there or not. */
export interface CuratedRoot {
  schema: string;
  version: number;
  publishedAt: number;
  positions: LandedPosition[];
}

/**
 * The columns of a curated file, in order: those of the landing (`src/ingest/landing-file.ts`, same names and senses) with
 * the stream's incarnation and partition, which in the landing stand in the path. Instants are INT64 with UTC. Rows are
 * sorted by building, quantity, point, instant of observation.
 */
export const CURATED_COLUMNS = [
  'tenant_id',
  'building_id',
  'quantity',
  'point_id',
  'observed_at',
  'value',
  'space_id',
  'device_id',
  'received_at',
  'enqueued_at',
  'time_source',
  'original_value',
  'original_unit',
  'message_id',
  'message_index',
  'incarnation',
  'stream_partition',
  'sequence',
  'row',
] as const;

/** The key of a partition of one life of the stream in a map of positions. */
export function partitionKey({
  incarnation,
  partition,
}: Pick<LandedPosition, 'incarnation' | 'partition'>): string {
  return `${incarnation}/${partition}`;
}

/**
 * Through which sequence each partition (`partitionKey`) is curated for a tenant; a partition that is not named is not
 * curated at all. The root must have been read before the manifest.
 */
export function curatedThrough(
  root: { positions: readonly Pick<LandedPosition, 'incarnation' | 'partition' | 'sequence'>[] },
  manifest: { positions: readonly Pick<LandedPosition, 'incarnation' | 'partition' | 'sequence'>[] } | null,
): Map<string, number> {
  const through = new Map<string, number>();
  for (const position of [...root.positions, ...(manifest?.positions ?? [])]) {
    const key = partitionKey(position);
    through.set(key, Math.max(through.get(key) ?? -1, position.sequence));
  }
  return through;
}

/** The present generations that hold readings observed in [from, to). */
export function periodsWithin(
  manifest: Pick<CuratedManifest, 'periods'>,
  from: number,
  to: number,
): CuratedPeriod[] {
  return manifest.periods.filter((period) => period.from < to && period.to > from);
}
