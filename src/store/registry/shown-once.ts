import { createHash, randomUUID } from 'node:crypto';
import { type TenantScope } from '../../auth/scope';
import { type Cosmos } from '../cosmos';
import { type DeviceDocument, type DeviceEntryDocument, type IdempotencyDocument } from '../documents';
import { type Keyring } from '../keyring';
import { type Outcome } from '../registry';
import { retrying } from '../store-error';
import { notFound, refused, visible } from './access';
import { entryKey } from './devices';
import { type Attempt, KEPT_SECONDS, NEVER_EXPIRES, recordOf } from './idempotency';
import { type Sagas } from './saga';

/** A device that came into somebody's hands. */
export interface ReceivedDevice {
  device: DeviceDocument;
  /** Base64, for the call that shows them; null where they were shown, or were burned in by the manufacturer. */
  keys: { primary: string; secondary: string } | null;
  /** Whether its keys are those that its manufacturer burned in, which are never shown. */
  factoryKeyed: boolean;
}

/** What the idempotency record of such a change holds. */
interface Answer {
  deviceId: string;
  /** Of the sealed keys that the change gave: others, given since, are not its to show. Null for burned-in ones. */
  given: string | null;
  /** The try that has shown them. */
  shownBy: string | null;
}

/** The record for the batch that brings the device. It stays until the keys are shown, however late that is. */
export function receivedRecord(
  attempt: Attempt,
  buildingId: string,
  device: DeviceDocument,
  factoryKeyed: boolean,
): IdempotencyDocument {
  const answer: Answer = {
    deviceId: device.id,
    given: factoryKeyed ? null : digestOf(device),
    shownBy: null,
  };
  return recordOf(attempt, buildingId, answer, NEVER_EXPIRES);
}

/** What an earlier try of the attempt has left in the building, or that its key was used for something else. */
export async function receivedEarlier(
  cosmos: Cosmos,
  attempt: Attempt,
  buildingId: string,
): Promise<Outcome<IdempotencyDocument | null>> {
  const id = recordOf(attempt, buildingId, null, NEVER_EXPIRES).id;
  const record = await cosmos.read<IdempotencyDocument>('registry', buildingId, id);
  if (record && record.fingerprint !== attempt.fingerprint) return keyReused();
  return { ok: true, value: record };
}

/** Whether an earlier try of the attempt, which is brought to its end where it is under way, has brought the device. */
export async function resumed(
  { cosmos, sagas }: { cosmos: Cosmos; sagas: Sagas },
  attempt: Attempt,
  buildingId: string,
): Promise<Outcome<boolean>> {
  const begun = await sagas.find(attempt.hash);
  // Behind it, so that a saga that is over by then has left its record.
  const earlier = await receivedEarlier(cosmos, attempt, buildingId);
  if (!earlier.ok) return earlier;
  if (!begun) return { ok: true, value: earlier.value !== null };
  if (begun.fingerprint !== attempt.fingerprint) return keyReused();
  const outcome = await sagas.run(begun);
  return outcome.ok ? { ok: true, value: true } : outcome;
}

export function keyReused<T>(): Outcome<T> {
  return refused('IDEMPOTENCY_KEY_REUSED', 'the idempotencyKey was used with other variables');
}

/**
 * The device with its keys, where no try of the attempt has shown them yet and they are still those that it gave. The try
 * that marks the record shows them, and no other ever does: one that dies after the mark has lost them.
 */
export async function shownOnce(
  { cosmos, keyring }: { cosmos: Cosmos; keyring: Keyring },
  scope: TenantScope,
  attempt: Attempt,
  buildingId: string,
): Promise<Outcome<ReceivedDevice>> {
  const id = recordOf(attempt, buildingId, null, NEVER_EXPIRES).id;
  const record = await cosmos.read<IdempotencyDocument>('registry', buildingId, id);
  if (!record) throw new Error(`the record of a change in building ${buildingId} is gone`);
  const answer = record.answer as Answer;
  const { partition, id: entryId } = entryKey(answer.deviceId);
  const entry = await cosmos.read<DeviceEntryDocument>('directory', partition, entryId);
  const device = entry && (await cosmos.read<DeviceDocument>('registry', entry.buildingId, answer.deviceId));
  // Since the first try it may have gone to another owner.
  if (device?.type !== 'device' || !visible(scope, 'device.read', device)) {
    return notFound('device', answer.deviceId);
  }
  const factoryKeyed = answer.given === null;
  const own = device.keys !== null && answer.given === digestOf(device);
  const marked = answer.shownBy === null && own && (await mark(cosmos, record, answer));
  if (!marked) return { ok: true, value: { device, keys: null, factoryKeyed } };
  const open = (sealed: string): string => keyring.open(device.id, sealed).toString('base64');
  const keys = { primary: open(device.keys!.primary), secondary: open(device.keys!.secondary) };
  return { ok: true, value: { device, keys, factoryKeyed } };
}

async function mark(cosmos: Cosmos, record: IdempotencyDocument, answer: Answer): Promise<boolean> {
  const shownBy = randomUUID();
  const marked: IdempotencyDocument = { ...record, answer: { ...answer, shownBy }, ttl: KEPT_SECONDS };
  return retrying(async () => {
    const { ok } = await cosmos.batch('registry', record.buildingId, [
      { replace: marked, etag: record._etag! },
    ]);
    if (ok) return true;
    // It may have been this very try, whose answer was lost.
    const current = await cosmos.read<IdempotencyDocument>('registry', record.buildingId, record.id);
    return (current?.answer as Answer | undefined)?.shownBy === shownBy;
  });
}

function digestOf({ keys }: DeviceDocument): string | null {
  return keys && createHash('sha256').update(`${keys.primary} ${keys.secondary}`).digest('base64url');
}
