import { DuckDBTimestampTZValue, listValue } from '@duckdb/node-api';
import { type QuantityName } from '../domain/quantity';
import { type LandedEnd, type RecentTail } from '../store/recent-tail';
import { type BlobCache, BlobGone, type HeldFiles } from './blob-cache';
import { type CuratedListing } from './curated-listing';
import { type Session, type Values } from './engine';
import { type LandingFiles } from './landing-files';
import { layTail } from './tail';

/** What a question may look at: the scope's owner, buildings and quantities, and what the caller narrows them to. */
export interface ReadingsFilter {
  tenantId: string;
  /** Null: every building of the tenant. */
  buildingIds: readonly string[] | null;
  quantities: readonly QuantityName[];
  /** Observed there at the time; null: anywhere. */
  spaceIds: readonly string[] | null;
  deviceId: string | null;
  pointId: string | null;
  /** Quantities of which only what was observed in some spaces may be seen, with these. */
  confined?: readonly { quantity: QuantityName; spaceIds: readonly string[] }[];
  /** Milliseconds since 1970, [from, to) of the instant of observation. */
  from: number;
  to: number;
}

/** The readings of a filter as a relation of the session, each identity once. It holds until the work has ended. */
export interface ReadingsRelation {
  /**
   * A SELECT of `building_id, point_id, space_id, device_id, quantity, observed_at, received_at, value, time_source,
   * message_id, message_index, sequence, row`.
   */
  sql: string;
  values: Values;
  /**
   * Whether the rows come from curated files alone: of each file sorted by building, quantity, point and instant, and of
   * each UTC day of a point all in one file.
   */
  curatedOnly: boolean;
}

/**
 * The readings of the platform: what is curated, what landed behind that, and what is recent behind that, the latter of one
 * building or of all of a tenant that has not too many.
 * Neither gap nor overlap: the manifest says where the landing goes on, the listing of the landing where the recent ones
 * do, and an identity that stands on several sides is taken from the one that came first in the stream.
 */
export interface ReadingsSource {
  with<T>(
    session: Session,
    filter: ReadingsFilter,
    work: (relation: ReadingsRelation) => Promise<T>,
  ): Promise<T>;
  /** Whether the tenant was erased: then nothing that was read of it before may be told. */
  isErased(filter: Pick<ReadingsFilter, 'tenantId' | 'buildingIds' | 'from' | 'to'>): Promise<boolean>;
}

const COLUMNS = `building_id, point_id, space_id, device_id, quantity, observed_at, received_at, value, time_source,
  message_id, message_index, sequence, "row"`;
const DAY_MS = 86_400_000;
/** How far a gateway's clock may be before the hub's, with what a device may be ahead: an hour is what a folder holds. */
const CLOCKS_MS = 300_000;
const TRIES = 4;

/** Recent readings of ranges that ended before this are not looked for: they are not stored for longer. */
const OLDEST_RECENT_MS = 72 * 3_600_000;

export function createReadingsSource({
  cache,
  landing,
  curated,
  recent,
  now = Date.now,
}: {
  cache: BlobCache;
  landing: LandingFiles;
  curated: CuratedListing;
  /** Left out: what has not landed is not told. */
  recent?: RecentTail | undefined;
  now?: () => number;
}): ReadingsSource {
  /** A generation that was replaced, or landing that was removed, while its files were fetched: what stands now is read. */
  async function hold(session: Session, filter: ReadingsFilter) {
    for (let attempt = 1; ; attempt++) {
      // Whole days of UTC: within one a message without a time is known again, whichever stamp came first.
      const days = { from: startOfDay(filter.from), to: endOfDay(filter.to) };
      const standing = await curated.of({ ...filter, ...days });
      if (standing === 'erased') return { curated: null, landing: null, ends: null };
      // The manifest first: what is curated after it is still in the landing. And the recent readings last: what has landed
      // since is still among them.
      const { files: landed, ends } = await landing.of({
        buildingIds: filter.buildingIds,
        since: startOfDay(filter.from) - CLOCKS_MS,
      });
      const behind = landed.filter((file) => file.firstSequence > standing.through(file));
      let held: HeldFiles | undefined;
      try {
        held = await cache.hold(standing.files, session.signal);
        return { curated: held, landing: await cache.hold(behind, session.signal), ends };
      } catch (error) {
        held?.release();
        if (!(error instanceof BlobGone) || attempt >= TRIES) throw error;
        landing.forget();
        curated.forget(filter.tenantId);
      }
    }
  }

  /** Lays out what is recent and may not have landed. @returns whether there is any. */
  async function lay(session: Session, filter: ReadingsFilter, landed: readonly LandedEnd[] | null) {
    if (recent === undefined || landed === null || filter.to <= now() - OLDEST_RECENT_MS) return false;
    const since = startOfDay(filter.from);
    return layTail(session, recent, { ...filter, since, to: endOfDay(filter.to), landed });
  }

  return {
    isErased: async (filter) => (await curated.of(filter)) === 'erased',

    async with(session, filter, work) {
      const held = await hold(session, filter);
      try {
        const conditions = conditionsOf(filter);
        const files: Values = {};
        const parts: string[] = [];
        if (held.curated !== null && held.curated.paths.length > 0) {
          files.curated = listValue(held.curated.paths);
          parts.push(`SELECT ${COLUMNS} FROM read_parquet($curated, hive_partitioning = false)
            WHERE ${conditions.sql} AND observed_at >= $from AND observed_at < $to`);
        }
        const hasTail = await lay(session, filter, held.ends);
        const curatedOnly = !(await land(session, filter, held.landing?.paths ?? [], hasTail, files));
        if (!curatedOnly) parts.push(`SELECT ${COLUMNS} FROM fresh`);
        const range = { from: instant(filter.from), to: instant(filter.to) };
        const values =
          files.curated === undefined ? {} : { ...conditions.values, ...range, curated: files.curated };
        const place = placeOf(filter);
        const relation = parts.length === 0 ? NOTHING : parts.join(' UNION ALL ');
        return await work({
          sql: place.sql === '' ? relation : `SELECT * FROM (${relation}) WHERE ${place.sql}`,
          values: { ...values, ...place.values },
          curatedOnly,
        });
      } finally {
        await session.run('DROP TABLE IF EXISTS fresh').catch(() => undefined);
        await session.run('DROP TABLE IF EXISTS tail').catch(() => undefined);
        held.curated?.release();
        held.landing?.release();
      }
    },
  };
}

const NOTHING = `SELECT '' AS building_id, '' AS point_id, '' AS space_id, '' AS device_id, '' AS quantity,
  TIMESTAMPTZ 'epoch' AS observed_at, TIMESTAMPTZ 'epoch' AS received_at, 0::DOUBLE AS value, '' AS time_source,
  NULL::VARCHAR AS message_id, NULL::INTEGER AS message_index, 0::BIGINT AS sequence, 0::INTEGER AS "row" WHERE false`;

/**
 * Makes the table `fresh`: the landed and recent rows of the filter, each identity once and none that is curated.
 *
 * A row stands for its identity if it is the first in stream order: files are named in that order, a building lies in one
 * partition of each life of the stream, and what is recent comes behind all that landed. A reading that the gateway
 * stamped has no instant of its own: a repetition bears a later one, so that those of the whole first day are looked at,
 * also before `from`.
 *
 * That rule is the curator's, so that a row does not come or go when it lands and when it is curated. The warm path's is
 * narrower: there a message without a time is known again for `REPEATED_WITHIN_MS`, here for its day. So a repeat that is
 * later than that is counted in an average and is not told here; and one around midnight, which is another reading here,
 * is told once it has landed and not before, because the warm path did not store it. Of two lives of the hub, the recent
 * rows of the earlier one stand behind what has landed of the later one, until they have landed too.
 * @returns whether there are any.
 */
async function land(
  session: Session,
  filter: ReadingsFilter,
  paths: readonly string[],
  hasTail: boolean,
  curated: Values,
): Promise<boolean> {
  if (paths.length === 0 && !hasTail) return false;
  const conditions = conditionsOf(filter);
  const range = {
    from: instant(filter.from),
    to: instant(filter.to),
    day: instant(startOfDay(filter.from)),
    dayEnd: instant(endOfDay(filter.to)),
  };
  const inRange = `observed_at >= $day AND observed_at < $dayEnd
    AND (time_source <> 'DEVICE' OR (observed_at >= $from AND observed_at < $to))`;
  const parts: string[] = [];
  if (paths.length > 0) {
    parts.push(`SELECT ${COLUMNS}, filename
      FROM read_parquet($landing, filename = true, hive_partitioning = false, union_by_name = true)
      WHERE ${conditions.sql} AND ${inRange}`);
  }
  if (hasTail) parts.push(`SELECT ${COLUMNS}, filename FROM tail WHERE ${inRange}`);
  await session.run(
    `CREATE OR REPLACE TEMP TABLE fresh AS
    SELECT ${COLUMNS} FROM (
      SELECT * FROM (${parts.join(' UNION ALL ')})
      QUALIFY row_number() OVER (
        PARTITION BY point_id, time_source, CASE WHEN time_source = 'DEVICE' THEN observed_at END,
          CASE WHEN time_source <> 'DEVICE' THEN coalesce(message_id, ${OWN_NAME}) END,
          CASE WHEN time_source <> 'DEVICE' AND message_id IS NOT NULL THEN message_index END,
          CASE WHEN time_source <> 'DEVICE' THEN ${DAY} END
        ORDER BY filename, sequence, "row") = 1)`,
    {
      ...range,
      ...(paths.length > 0 && { ...conditions.values, landing: listValue([...paths]) }),
    },
  );
  if (curated.curated !== undefined) {
    const [bounds] = await session.rows<{ first: bigint | null; last: bigint | null }>(
      'SELECT epoch_ms(min(observed_at)) AS first, epoch_ms(max(observed_at)) AS last FROM fresh',
    );
    if (bounds?.first != null && bounds.last != null) {
      const known = `FROM read_parquet($curated, hive_partitioning = false) WHERE ${conditions.sql}
        AND observed_at >= $since AND observed_at <= $until`;
      const values = { ...conditions.values, ...curated, until: instant(Number(bounds.last)) };
      await session.run(
        `DELETE FROM fresh WHERE time_source = 'DEVICE' AND (point_id, observed_at) IN (
          SELECT (point_id, observed_at) ${known} AND time_source = 'DEVICE')`,
        { ...values, since: instant(Number(bounds.first)) },
      );
      await session.run(
        `DELETE FROM fresh WHERE message_id IS NOT NULL AND (point_id, message_id, message_index, ${DAY}) IN (
          SELECT (point_id, message_id, message_index, ${DAY}) ${known} AND message_id IS NOT NULL)`,
        { ...values, since: range.day, until: range.dayEnd },
      );
      if (hasTail) {
        // What the gateway stamped and nothing names may have landed and been curated meanwhile.
        await session.run(
          `DELETE FROM fresh WHERE time_source <> 'DEVICE' AND message_id IS NULL AND (point_id, ${OWN_NAME}) IN (
            SELECT (point_id, ${OWN_NAME}) ${known} AND time_source <> 'DEVICE' AND message_id IS NULL)`,
          { ...values, since: instant(Number(bounds.first)) },
        );
      }
    }
  }
  await session.run('DELETE FROM fresh WHERE observed_at < $from OR observed_at >= $to', {
    from: range.from,
    to: range.to,
  });
  const [left] = await session.rows<{ some: boolean }>('SELECT count(*) > 0 AS some FROM fresh');
  return left!.some;
}

/** Of UTC: a message without a time is known again within the one that it was stamped with. */
const DAY = `epoch_ms(observed_at) // ${DAY_MS}`;

/**
 * Of a row that no message id names: its place, which is the same in a file and among recent readings. The instant tells
 * apart what two lives of the hub had in one place.
 */
const OWN_NAME = `epoch_us(observed_at)::VARCHAR || ' ' || sequence::VARCHAR || ' ' || "row"::VARCHAR`;

/**
 * What a reading's identity implies, so that it may be asked before identities are compared. Equalities one by one, because
 * DuckDB leaves row groups out by those and not by `IN` over parameters.
 */
function conditionsOf(filter: ReadingsFilter): { sql: string; values: Values } {
  const { tenantId, buildingIds, quantities, pointId } = filter;
  const values: Values = { tenant: tenantId };
  const oneOf = (column: string, name: string, allowed: readonly string[]): string => {
    if (allowed.length === 0) return 'false';
    allowed.forEach((each, i) => (values[`${name}${i}`] = each));
    return `(${allowed.map((_, i) => `${column} = $${name}${i}`).join(' OR ')})`;
  };
  const conditions = ['tenant_id = $tenant', oneOf('quantity', 'quantity', quantities)];
  if (buildingIds !== null) conditions.push(oneOf('building_id', 'building', buildingIds));
  if (pointId !== null) conditions.push(oneOf('point_id', 'point', [pointId]));
  return { sql: conditions.join(' AND '), values };
}

/** Asked once identities are settled: of two that claim one instant the first stands, wherever it came from. */
function placeOf({ spaceIds, deviceId, confined = [] }: ReadingsFilter): { sql: string; values: Values } {
  const conditions: string[] = [];
  const values: Values = {};
  if (spaceIds !== null) {
    conditions.push('list_contains($spaces, space_id)');
    values.spaces = listValue([...spaceIds]);
  }
  if (deviceId !== null) {
    conditions.push('device_id = $device');
    values.device = deviceId;
  }
  confined.forEach(({ quantity, spaceIds: only }, i) => {
    values[`confined${i}`] = quantity;
    // A list that may be empty needs its type said.
    values[`confinedTo${i}`] = listValue(['', ...only]);
    conditions.push(`(quantity <> $confined${i} OR list_contains($confinedTo${i}, space_id))`);
  });
  return { sql: conditions.join(' AND '), values };
}

function endOfDay(at: number): number {
  return Math.ceil(at / DAY_MS) * DAY_MS;
}

function startOfDay(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

function instant(at: number): DuckDBTimestampTZValue {
  return new DuckDBTimestampTZValue(BigInt(Math.trunc(at)) * 1000n);
}
