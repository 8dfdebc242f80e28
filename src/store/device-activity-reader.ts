import { allows } from '../auth/scope';
import { type Cosmos } from './cosmos';
import { type ActivityReader } from './device-activity';
import { chunkOfOrdinal, lastSeenIn, seenIdOf } from './device-activity-documents';
import { type SeenDocument } from './documents';

/** Reads last seen: each chunk that holds one of the devices once. */
export function createActivityReader({ cosmos }: { cosmos: Pick<Cosmos, 'readMany'> }): ActivityReader {
  return {
    async lastSeen(scope, keys) {
      const mine = keys.map((key) => (allows(scope, 'device.read', key) ? key : null));
      const chunks = new Map<string, { partition: string; id: string }>();
      for (const key of mine) {
        if (key === null) continue;
        const chunk = { partition: key.buildingId, id: seenIdOf(chunkOfOrdinal(key.ordinal)) };
        chunks.set(`${chunk.partition}/${chunk.id}`, chunk);
      }
      if (chunks.size === 0) return keys.map(() => null);
      const documents = await cosmos.readMany<SeenDocument>('warm', [...chunks.values()]);
      const byKey = new Map([...chunks.keys()].map((key, i) => [key, documents[i] ?? null]));
      return mine.map((key) => {
        if (key === null) return null;
        const document = byKey.get(`${key.buildingId}/${seenIdOf(chunkOfOrdinal(key.ordinal))}`);
        return document ? lastSeenIn(document, key) : null;
      });
    },
  };
}
