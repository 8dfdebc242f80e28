import { recentColumns, type RecentDocument } from './recent-documents';
import { type RecentRow } from './recent';

/**
 * Every reading of some documents of one building once, in stream order: where two rows claim one identity the first
 * stands. Documents overlap where a partition was replayed with other boundaries.
 *
 * @param isCounted what must lie in the caller's part of the stream before the first of an identity is chosen.
 */
export function distinctRows(
  documents: readonly RecentDocument[],
  isCounted: (row: RecentRow) => boolean = () => true,
): RecentRow[] {
  const rows: Candidate[] = [];
  for (const document of documents) {
    const { incarnation, partition } = document;
    const life = createdAt(incarnation);
    const { points, count, point, observedAt, value, sequence, undated } = recentColumns(document);
    const undatedRows = new Map(undated.map((each) => [each.row, each]));
    const nths = new Map<string, number>();
    for (let row = 0; row < count; row++) {
      const found = undatedRows.get(row);
      let nth = 0;
      if (found?.messageId === null) {
        // Of no identity but its own: the same row in another document is known by its place in the event.
        const place = `${sequence[row]} ${points[point[row]!]!.pointOrdinal} ${observedAt[row]}`;
        nth = nths.get(place) ?? 0;
        nths.set(place, nth + 1);
      }
      const candidate: Candidate = {
        ...points[point[row]!]!,
        observedAt: observedAt[row]!,
        value: value[row]!,
        incarnation,
        partition,
        sequence: sequence[row]!,
        life,
        nth,
        ...(found && { undated: { messageId: found.messageId, messageIndex: found.messageIndex } }),
      };
      if (isCounted(candidate)) rows.push(candidate);
    }
  }
  // The order within an event is that within its document.
  rows.sort((a, b) => a.life - b.life || a.partition - b.partition || a.sequence - b.sequence);
  const dated = new Map<number, Set<number>>();
  const undated = new Set<string>();
  return rows.filter((row) => {
    const { pointOrdinal, observedAt } = row;
    if (row.undated !== undefined) {
      const { messageId, messageIndex } = row.undated;
      const key =
        messageId === null
          ? `${pointOrdinal} ${row.incarnation} ${row.partition} ${row.sequence} ${observedAt} ${row.nth}`
          : // Which of them repeats another was judged before it was stored: the same row is known by its event.
            `${pointOrdinal} ${row.incarnation} ${row.partition} ${row.sequence} ${messageIndex} ${messageId}`;
      if (undated.has(key)) return false;
      undated.add(key);
      return true;
    }
    let instants = dated.get(pointOrdinal);
    if (instants === undefined) dated.set(pointOrdinal, (instants = new Set()));
    if (instants.has(observedAt)) return false;
    instants.add(observedAt);
    return true;
  });
}

interface Candidate extends RecentRow {
  life: number;
  nth: number;
}

/** An incarnation begins with the hub's creation instant: an earlier life comes first. */
function createdAt(incarnation: string): number {
  return Number.parseInt(incarnation, 10) || 0;
}
