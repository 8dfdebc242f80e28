import { type Change, type Cosmos } from '../cosmos';
import { inParallel } from '../in-parallel';
import { retrying } from '../store-error';
import { type DeadLettersDocument, omittedId, type OmittedDocument } from './documents';

/** What the consumer of the stream writes. All of it may be repeated. */
export interface DeadLettersWriter {
  /** A document that is there already stays as it is: it may have been replayed meanwhile. */
  create(documents: readonly DeadLettersDocument[]): Promise<void>;
  omitted(scopeKey: string, minute: number, tenantId: string): Promise<OmittedDocument | null>;
  /** Only the owner of the stream's partition writes these, so that nobody's count is lost. */
  putOmitted(documents: readonly OmittedDocument[]): Promise<void>;
}

const WRITES_AT_ONCE = 8;
/** Of one transactional batch: Cosmos takes 100 changes and 2 MB. */
const BATCH_DOCUMENTS = 25;
const BATCH_CHARACTERS = 1_000_000;

export function createDeadLettersWriter({ cosmos }: { cosmos: Cosmos }): DeadLettersWriter {
  /** All of them, whichever were there before. */
  async function createAll(scopeKey: string, documents: readonly DeadLettersDocument[]): Promise<void> {
    let changes: Change[] = documents.map((create) => ({ create }));
    while (changes.length > 0) {
      const outcome = await retrying(() => cosmos.batch('deadletters', scopeKey, changes));
      if (outcome.ok) return;
      changes = changes.filter((_, index) => index !== outcome.index);
    }
  }

  return {
    create: (documents) =>
      inParallel(batchesOf(documents), WRITES_AT_ONCE, (batch) => createAll(batch[0]!.scopeKey, batch)),
    omitted: (scopeKey, minute, tenantId) =>
      cosmos.read<OmittedDocument>('deadletters', scopeKey, omittedId(minute, tenantId)),
    putOmitted: (documents) => cosmos.bulkUpsert('deadletters', documents),
  };
}

/** Of one place each, and within the limits of a batch. */
function batchesOf(documents: readonly DeadLettersDocument[]): DeadLettersDocument[][] {
  const open = new Map<string, { documents: DeadLettersDocument[]; characters: number }>();
  const batches: DeadLettersDocument[][] = [];
  for (const document of documents) {
    const characters = sizeOf(document);
    let batch = open.get(document.scopeKey);
    const full =
      batch === undefined ||
      batch.documents.length >= BATCH_DOCUMENTS ||
      batch.characters + characters > BATCH_CHARACTERS;
    if (full) {
      batch = { documents: [], characters: 0 };
      open.set(document.scopeKey, batch);
      batches.push(batch.documents);
    }
    batch!.documents.push(document);
    batch!.characters += characters;
  }
  return batches;
}

function sizeOf({ letters, payloads }: DeadLettersDocument): number {
  let characters = 1_000;
  for (const { raw, message, channel } of letters) {
    characters += 600 + 3 * (raw.length + message.length + channel.length);
  }
  for (const payload of payloads) characters += payload?.length ?? 4;
  return characters;
}
