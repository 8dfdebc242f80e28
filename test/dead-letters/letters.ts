import { documentsOf } from '../../src/dead-letters/filing';
import { createFloodCap } from '../../src/dead-letters/flood-cap';
import { type RefusedReading } from '../../src/domain/reading';
import { type Cosmos } from '../../src/store/cosmos';
import { createDeadLettersWriter } from '../../src/store/dead-letters/writer';

let letters = 0;
/** Something that a gateway refused. */
export function buildRefused(parts: Partial<RefusedReading> = {}): RefusedReading {
  const value = 1_000 + letters++;
  return {
    tenantId: 'ten_north',
    buildingId: 'bld_north',
    deviceId: 'dev_1',
    channel: 'temperature',
    observedAt: null,
    receivedAt: Date.now(),
    code: 'VALUE_OUT_OF_RANGE',
    message: 'too hot',
    raw: `{"temperature":${value}}`,
    letter: {
      protocol: 'MQTT',
      relayedBy: null,
      messageId: null,
      index: 0,
      createdAt: null,
      contentType: 'application/senml+json',
      contentEncoding: null,
      payload: Buffer.from(`[{"n":"temperature","v":${value}}]`),
    },
    ...parts,
  };
}

let sequences = 0;
/** A dead letter of the building and one of no building, and a minute of each in which more was refused. */
export async function fileDeadLetters(
  cosmos: Cosmos,
  tenantId: string,
  buildingId: string,
  deviceId: string,
): Promise<void> {
  const writer = createDeadLettersWriter({ cosmos });
  const refused = [buildingId, ''].map((place) => buildRefused({ tenantId, buildingId: place, deviceId }));
  const cap = createFloodCap({
    limits: { letters: 0, bytes: 0, tenantLetters: 0 },
    ttlSeconds: 86_400,
    mayRepeatThrough: -1,
  });
  const event = {
    incarnation: '1790000000000-8',
    partition: 0,
    sequence: sequences++,
    enqueuedAt: Date.now(),
  };
  const documents = documentsOf(refused, event, 86_400);
  await writer.create(documents);
  for (const document of documents) await cap.admit(document, event, () => Promise.resolve(null));
  await writer.putOmitted(cap.take());
}
