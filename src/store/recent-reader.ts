import { allows, allowsSomewhere, type TenantScope } from '../auth/scope';
import { quantityOfCode } from '../domain/quantity';
import { type Cosmos } from './cosmos';
import { createLatestBlocks, type LatestBlock } from './latest-blocks';
import {
  type RecentQuery,
  type RecentReader,
  type RecentReading,
  type RecentRow,
  type RecentSource,
} from './recent';
import {
  type HeldDocument,
  latestAt,
  latestBlockOf,
  latestIdOf,
  RECENT_CHUNK_MINUTES,
  recentChunkOf,
  type RecentDocument,
  recentPrefix,
} from './recent-documents';
import { distinctRows } from './recent-identities';

const DOCUMENTS_A_PAGE = 100;
/** What was written just before it expires is not counted on. */
const EXPIRY_MARGIN_MS = 60_000;

type Reading = Pick<Cosmos, 'pages' | 'readMany' | 'read'>;

/** The documents of each chunk of a span, chunk by chunk, oldest first; those without any are passed over. */
async function* chunks(
  cosmos: Reading,
  buildingId: string,
  fromMinute: number,
  toMinute: number,
): AsyncIterable<{ firstMinute: number; documents: RecentDocument[] }> {
  const pages = cosmos.pages<RecentDocument>(
    'recent',
    buildingId,
    'SELECT * FROM c WHERE c.id >= @from AND c.id < @to ORDER BY c.id ASC',
    { from: recentPrefix(fromMinute), to: recentPrefix(toMinute + RECENT_CHUNK_MINUTES) },
    { pageSize: DOCUMENTS_A_PAGE },
  );
  let gathered: RecentDocument[] = [];
  for await (const page of pages) {
    for (const document of page) {
      if (gathered.length > 0 && gathered[0]!.firstMinute !== document.firstMinute) {
        yield { firstMinute: gathered[0]!.firstMinute, documents: gathered };
        gathered = [];
      }
      gathered.push(document);
    }
  }
  if (gathered.length > 0) yield { firstMinute: gathered[0]!.firstMinute, documents: gathered };
}

/** What the aggregate worker recomputes minutes from. */
export function createRecentSource({ cosmos }: { cosmos: Reading }): RecentSource {
  return {
    async rows({ tenantId, buildingId }, { fromMinute, toMinute }, through) {
      const documents: RecentDocument[] = [];
      const first = recentChunkOf(fromMinute * 60_000);
      const last = recentChunkOf(toMinute * 60_000);
      for await (const chunk of chunks(cosmos, buildingId, first, last)) {
        for (const document of chunk.documents) if (document.tenantId === tenantId) documents.push(document);
      }
      return distinctRows(
        documents,
        ({ incarnation, partition, sequence }) =>
          incarnation !== through.incarnation ||
          partition !== through.partition ||
          sequence <= through.sequence,
      );
    },
  };
}

/**
 * Reads recent readings. A document names its owner, and what it holds of a quantity is answered only where the scope
 * allows it: a foreign building costs the same calls as one that is unknown and answers the same.
 */
export function createRecentReader(options: {
  cosmos: Reading;
  /** How long latest readings that were read are told again; they are written about once a minute. Default: not at all. */
  keepLatestMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}): RecentReader {
  const { cosmos, keepLatestMs = 0, now = Date.now } = options;
  const latest = createLatestBlocks({ cosmos, keepMs: keepLatestMs, now });
  return {
    async *readRecent(scope, query) {
      const { buildingId, from, to } = query;
      if (!(from < to)) return;
      const wanted = filterOf(scope, query);
      for await (const { documents } of chunks(
        cosmos,
        buildingId,
        recentChunkOf(from),
        recentChunkOf(to - 1),
      )) {
        const found: RecentReading[] = [];
        for (const tenantId of new Set(documents.map((document) => document.tenantId))) {
          const own = documents.filter((document) => document.tenantId === tenantId);
          if (!allowsSomewhere(scope, 'reading.read', { tenantId, buildingId })) continue;
          for (const row of distinctRows(own)) {
            const reading = readingOf(tenantId, buildingId, row);
            if (reading !== undefined && wanted(reading)) found.push(reading);
          }
        }
        yield* found.sort((a, b) => a.observedAt - b.observedAt || compareKeys(a.key, b.key));
      }
    },

    async heldFrom(scope, { tenantId, buildingId }) {
      const document = await cosmos.read<HeldDocument>('recent', buildingId, 'held');
      if (document === null || !allowsSomewhere(scope, 'reading.read', { tenantId, buildingId })) return null;
      return Math.max(document.heldFrom, now() - document.keepSeconds * 1000 + EXPIRY_MARGIN_MS);
    },

    async latest(scope, keys) {
      const blocks = new Map<string, LatestBlock & { index: number }>();
      const seen = keys.map(({ tenantId, buildingId, spaceId = null, quantity, pointOrdinal }) => {
        const number = latestBlockOf(pointOrdinal);
        const key = `${buildingId} ${tenantId} ${number}`;
        let block = blocks.get(key);
        if (block === undefined) {
          const id = latestIdOf(tenantId, number);
          blocks.set(key, (block = { partition: buildingId, id, shown: false, index: blocks.size }));
        }
        if (!allows(scope, 'reading.read', { tenantId, buildingId, spaceId, quantity })) return null;
        block.shown = true;
        return block;
      });
      const found = await latest.read([...blocks.values()]);
      return keys.map(({ pointOrdinal }, i) => {
        const block = seen[i];
        const rows = block ? found[block.index] : null;
        return rows ? latestAt(rows, pointOrdinal) : null;
      });
    },
  };
}

function filterOf(scope: TenantScope, query: RecentQuery): (reading: RecentReading) => boolean {
  const quantities = query.quantities && new Set(query.quantities);
  const spaces = query.spaceIds && new Set(query.spaceIds);
  const devices = query.deviceIds && new Set(query.deviceIds);
  const points = query.pointIds && new Set(query.pointIds);
  return ({ tenantId, buildingId, quantity, spaceId, deviceId, pointId, observedAt }) =>
    observedAt >= query.from &&
    observedAt < query.to &&
    (quantities === undefined || quantities.has(quantity)) &&
    (spaces === undefined || spaces.has(spaceId)) &&
    (devices === undefined || devices.has(deviceId)) &&
    (points === undefined || points.has(pointId)) &&
    allows(scope, 'reading.read', { tenantId, buildingId, spaceId, quantity });
}

/** Undefined for a quantity that this release does not know. */
function readingOf(tenantId: string, buildingId: string, row: RecentRow): RecentReading | undefined {
  const quantity = quantityOfCode(row.quantity)?.name;
  if (quantity === undefined) return undefined;
  const { pointId, spaceId, deviceId, observedAt, value, incarnation, partition, sequence, undated } = row;
  const position = { incarnation, partition, sequence };
  const key =
    undated === undefined ? pointId : `${pointId} ${undated.messageIndex} ${undated.messageId ?? sequence}`;
  return {
    tenantId,
    buildingId,
    spaceId,
    pointId,
    deviceId,
    quantity,
    observedAt,
    value,
    undated: undated !== undefined,
    position,
    key,
  };
}

/** By code unit, as Cosmos and cursors do. */
function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
