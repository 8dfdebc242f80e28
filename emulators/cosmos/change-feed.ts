import { feedCharge } from './charges';
import { effectivePartitionKey } from './effective-partition-key';
import { keyText } from './partition-key';
import { refusal, type Reply } from './reply';
import { type Key } from './items';
import { type Container } from './store/catalog';
import { type ChangeRow } from './store/documents';

/**
 * The change feed in its latest-version mode (https://learn.microsoft.com/azure/cosmos-db/change-feed-modes): each
 * document at its last change, in the order of changes; deletes and expiries do not show. A position is the last
 * change seen, given as the etag of each page, of 304 as well.
 */
export interface FeedRequest {
  /** The position of `If-None-Match`: a quoted number, `*` for now, absent for the beginning. */
  position?: string;
  /** `If-Modified-Since`: changes from this second on, where no position is given. */
  since?: string;
  /** One partition's changes; a prefix of a hierarchical key takes all below it. */
  key?: Key;
  /** Changes whose effective partition key is in `[from, to)`. */
  range?: { from: string; to: string };
  limit: number;
}

const LARGEST_PAGE_BYTES = 4 * 1024 * 1024;
const ROWS_A_READ = 1000;
/** The most changes that one request passes over in search of those that it asked for. */
const MOST_EXAMINED = 50_000;

export function readChanges(container: Container, request: FeedRequest, now: number): Reply {
  const start = startOf(container, request);
  if (typeof start !== 'number') return start;
  // A follower that has seen everything is answered from memory.
  if (start >= container.lsn) return page(container.lsn, [], container);

  const wanted = filterOf(container, request);
  const texts: string[] = [];
  let bytes = 0;
  let position = start;
  let examined = 0;
  let full = false;
  while (!full && examined < MOST_EXAMINED) {
    const rows = container.documents.changes(position, Math.min(ROWS_A_READ, request.limit * 4));
    if (rows.length === 0) {
      // The last changes may have been deletes: they count as seen.
      position = container.lsn;
      break;
    }
    let i = 0;
    while (i < rows.length && !full) {
      // A batch's changes share their position and stay together, whatever the page's size.
      const lsn = rows[i]!.lsn;
      let end = i;
      while (end < rows.length && rows[end]!.lsn === lsn) end += 1;
      const together = end === rows.length ? container.documents.changesAt(lsn) : rows.slice(i, end);
      const shown = together.filter((row) => (row.expires === null || row.expires > now) && wanted(row));
      const size = shown.reduce((sum, row) => sum + row.body.length, 0);
      if (
        texts.length > 0 &&
        (texts.length + shown.length > request.limit || bytes + size > LARGEST_PAGE_BYTES)
      ) {
        full = true;
        break;
      }
      for (const row of shown) texts.push(`${row.body.slice(0, -1)},"_lsn":${row.lsn}}`);
      bytes += size;
      examined += together.length;
      position = lsn;
      i = end;
    }
  }
  return page(position, texts, container);
}

function startOf(container: Container, { position, since }: FeedRequest): number | Reply {
  if (position === '*') return container.lsn;
  if (position !== undefined) {
    const match = /^"?(\d+)"?$/.exec(position);
    if (!match) return refusal(400, `The change feed position ${position} is invalid.`);
    return Number(match[1]);
  }
  if (since === undefined) return 0;
  const instant = Date.parse(since);
  if (Number.isNaN(instant)) return refusal(400, `If-Modified-Since '${since}' is not a date.`);
  return container.documents.lsnBefore(Math.floor(instant / 1000));
}

function filterOf(container: Container, { key, range }: FeedRequest): (row: ChangeRow) => boolean {
  if (key) {
    const text = keyText(key);
    if (key.length === container.definition.partitionKey.paths.length) return (row) => row.pk === text;
    const prefix = `${text.slice(0, -1)},`;
    return (row) => row.pk.startsWith(prefix);
  }
  if (range) {
    const known = new Map<string, boolean>();
    return (row) => {
      let inside = known.get(row.pk);
      if (inside === undefined) {
        const effective = effectivePartitionKey(row.pk, container.definition.partitionKey);
        inside = effective >= range.from && effective < range.to;
        known.set(row.pk, inside);
      }
      return inside;
    };
  }
  return () => true;
}

function page(position: number, texts: string[], container: Container): Reply {
  const etag = `"${position}"`;
  // 304 says that there is nothing more. Where a request only grew long over others' changes, the page is empty.
  if (texts.length === 0 && position >= container.lsn) {
    return { status: 304, etag, charge: feedCharge(0, 0), lsn: container.lsn };
  }
  const body = `{"_rid":"${container.rid}","Documents":[${texts.join(',')}],"_count":${texts.length}}`;
  return {
    status: 200,
    body,
    etag,
    charge: feedCharge(body.length, texts.length),
    lsn: container.lsn,
    headers: { 'x-ms-item-count': String(texts.length) },
  };
}
