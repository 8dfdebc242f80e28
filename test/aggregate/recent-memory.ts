import { type RecentSource, type RecentWriter } from '../../src/store/recent';
import { recentChunkOf, type RecentDocument, recentDocuments } from '../../src/store/recent-documents';
import { distinctRows } from '../../src/store/recent-identities';

/** Recent readings as they would stand in Cosmos, under a clock that the test moves. */
export function createRecentMemory(
  mayWrite: () => boolean,
): RecentWriter & RecentSource & { documents: ReadonlyMap<string, RecentDocument> } {
  const documents = new Map<string, RecentDocument>();
  const held = new Map<string, number>();
  let begun: number | undefined;
  return {
    documents,
    begin(_, from) {
      if (!mayWrite()) return Promise.reject(new Error('away'));
      return Promise.resolve((begun ??= Math.max(0, from)));
    },
    write(batch) {
      if (!mayWrite()) return Promise.reject(new Error('away'));
      for (const document of recentDocuments(batch, 1)) {
        documents.set(`${document.buildingId}/${document.id}`, document);
      }
      const heldFrom = held.get(batch.buildingId) ?? Math.max(0, batch.recordedFrom);
      held.set(batch.buildingId, heldFrom);
      return Promise.resolve(heldFrom);
    },
    rows({ tenantId, buildingId }, { fromMinute, toMinute }, through) {
      if (!mayWrite()) return Promise.reject(new Error('away'));
      const first = recentChunkOf(fromMinute * 60_000);
      const last = recentChunkOf(toMinute * 60_000);
      const own = [...documents.values()].filter(
        (each) =>
          each.tenantId === tenantId &&
          each.buildingId === buildingId &&
          each.firstMinute >= first &&
          each.firstMinute <= last,
      );
      return Promise.resolve(distinctRows(own, ({ sequence }) => sequence <= through.sequence));
    },
  };
}
