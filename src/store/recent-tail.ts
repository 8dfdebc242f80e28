import { type Cosmos } from './cosmos';
import { type BuildingEntryDocument } from './documents';
import { type RecentColumns } from './recent';
import {
  RECENT_CHUNK_MINUTES,
  recentChunkOf,
  recentColumns,
  type RecentDocument,
  recentPrefix,
} from './recent-documents';

/** How far the cold store's landing goes in one partition of one life of the stream. */
export interface LandedEnd {
  incarnation: string;
  partition: number;
  /** The first event of its last file; -1 where it has none. Events behind that may have landed too. */
  sequence: number;
  /** Milliseconds since 1970: none of the events behind was enqueued before. */
  since: number;
}

export interface TailQuery {
  tenantId: string;
  buildingId: string;
  /** observedAt in [from, to), milliseconds since 1970: whole chunks of ten minutes are given. */
  from: number;
  to: number;
  /** Of the lives that are known to have landed anything; what is of another life is all behind. */
  landed: readonly LandedEnd[];
}

/** What one write stored, with where it stands in the stream. */
export interface TailDocument {
  incarnation: string;
  partition: number;
  /** `receivedAt`, and of undated rows `frameRow`, are there. */
  columns: RecentColumns & Required<Pick<RecentColumns, 'receivedAt'>>;
}

/**
 * Recent readings that may not have landed yet. Given to nobody who acts for a person: it asks for no right but takes the
 * tenant and the building from whoever has asked.
 */
export interface RecentTail {
  /**
   * Documents of which something may lie behind what landed, in no order that means anything; the same row may stand in
   * several, and rows that have landed stand among them. Memory holds a page of them.
   */
  documents(query: TailQuery): AsyncIterable<TailDocument>;
  /** The buildings of a tenant, to be asked for one by one; null where there are more than `MAXIMUM_TAIL_BUILDINGS`. */
  buildings(tenantId: string): Promise<string[] | null>;
}

/** Each is a query to the store, of about a millisecond of this process and three request units. */
export const MAXIMUM_TAIL_BUILDINGS = 200;

/** Of 5,000 rows each at most. */
const DOCUMENTS_A_PAGE = 20;
/** How far the clocks of the hub and of Cosmos may be apart. */
const CLOCKS_SECONDS = 120;

/**
 * A document is written after its events were enqueued, so that `_ts` leaves out nearly all that has landed; Cosmos indexes
 * it in every container. What the release before wrote says neither when a reading was received nor its row: it is left
 * out, and is told a minute later, once it has landed.
 */
export function createRecentTail({ cosmos }: { cosmos: Pick<Cosmos, 'pages' | 'query'> }): RecentTail {
  return {
    async *documents({ tenantId, buildingId, from, to, landed }) {
      if (!(from < to)) return;
      const lives = landed.map((_, i) => `c.incarnation != @life${i}`);
      const behind = landed.map(
        (_, i) => `(c.incarnation = @life${i} AND c.partition = @partition${i} AND c.last >= @sequence${i})`,
      );
      const unknownLife = lives.length === 0 ? 'true' : `(${lives.join(' AND ')})`;
      const since = Math.min(...landed.map((end) => end.since));
      const pages = cosmos.pages<RecentDocument>(
        'recent',
        buildingId,
        `SELECT * FROM c WHERE c.id BETWEEN @from AND @to AND c._ts >= @since AND c.tenantId = @tenant
          AND (${[...behind, unknownLife].join(' OR ')}) ORDER BY c.id ASC`,
        {
          from: recentPrefix(recentChunkOf(from)),
          to: recentPrefix(recentChunkOf(to - 1) + RECENT_CHUNK_MINUTES),
          since: landed.length === 0 ? 0 : Math.max(0, Math.floor(since / 1000) - CLOCKS_SECONDS),
          tenant: tenantId,
          ...Object.fromEntries(
            landed.flatMap(({ incarnation, partition, sequence }, i) => [
              [`life${i}`, incarnation],
              [`partition${i}`, partition],
              [`sequence${i}`, sequence],
            ]),
          ),
        },
        { pageSize: DOCUMENTS_A_PAGE },
      );
      for await (const page of pages) {
        for (const document of page) {
          const columns = recentColumns(document);
          const { receivedAt } = columns;
          if (receivedAt === undefined) continue;
          const { incarnation, partition } = document;
          yield { incarnation, partition, columns: { ...columns, receivedAt } };
        }
      }
    },
    async buildings(tenantId) {
      const found = await cosmos.query<Pick<BuildingEntryDocument, 'id'>>(
        'directory',
        `tenant:${tenantId}`,
        "SELECT c.id FROM c WHERE c.kind = 'building'",
        {},
        { limit: MAXIMUM_TAIL_BUILDINGS + 1 },
      );
      return found.length > MAXIMUM_TAIL_BUILDINGS ? null : found.map(({ id }) => id);
    },
  };
}
