import { type RefusedReading } from '../domain/reading';
import {
  deadLettersId,
  deadLettersKey,
  type DeadLettersDocument,
  MAXIMUM_STORED_BYTES,
  type StoredLetter,
} from '../store/dead-letters/documents';

/** Which event of the stream it was. */
export interface EventPlace {
  incarnation: string;
  partition: number;
  sequence: number;
  /** By the hub's clock, milliseconds since 1970. */
  enqueuedAt: number;
}

/** What one event refused, a document for each tenant and building: the same for the same event, whenever it is read. */
export function documentsOf(
  refused: readonly RefusedReading[],
  { incarnation, partition, sequence, enqueuedAt }: EventPlace,
  ttlSeconds: number,
): DeadLettersDocument[] {
  const groups = new Map<string, RefusedReading[]>();
  for (const each of refused) {
    const key = `${each.tenantId}\n${each.buildingId}`;
    const group = groups.get(key);
    if (group) group.push(each);
    else groups.set(key, [each]);
  }
  return [...groups.values()].map((group, index) => {
    const { tenantId, buildingId } = group[0]!;
    const id = deadLettersId(incarnation, partition, sequence, index);
    return {
      id,
      scopeKey: buildingId || tenantId,
      tenantId,
      buildingId: buildingId || null,
      sortKey: deadLettersKey(enqueuedAt, id),
      codes: [...new Set(group.map(({ code }) => code))],
      deviceIds: [...new Set(group.map(({ deviceId }) => deviceId))],
      letters: group.map(storedLetter),
      payloads: group.map(({ letter }) =>
        letter?.payload == null || letter.payload.length > MAXIMUM_STORED_BYTES
          ? null
          : letter.payload.toString('base64'),
      ),
      ttl: ttlSeconds,
    };
  });
}

function storedLetter(refused: RefusedReading): StoredLetter {
  const { deviceId, channel, observedAt, receivedAt, code, message, raw, letter } = refused;
  return {
    deviceId,
    channel,
    observedAt,
    receivedAt,
    code,
    message,
    raw,
    // The first release's frames name no source and hold no message.
    protocol: letter?.protocol ?? '',
    relayedBy: letter?.relayedBy ?? null,
    messageId: letter?.messageId ?? null,
    index: letter?.index ?? 0,
    createdAt: letter?.createdAt ?? null,
    contentType: letter?.contentType ?? '',
    contentEncoding: letter?.contentEncoding ?? null,
    bytes: letter?.payload?.length ?? 0,
  };
}
