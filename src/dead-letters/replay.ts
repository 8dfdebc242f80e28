import { type AcceptedCounts, NO_COUNTS } from '../gateway/accepted-counts';
import { BATCH_CONTENT_TYPE, parseBatch } from '../gateway/batch';
import { type DecoderRegistry, mediaTypeOf, PayloadError } from '../gateway/decoders';
import { createIntake, type Intake } from '../gateway/intake';
import { isPlainEncoding, type MessageProperties } from '../gateway/message-properties';
import { type Packer } from '../gateway/packer';
import { DEFAULT_CONTENT_TYPE } from '../gateway/reception';
import {
  type DeadLettersDocument,
  isReplayable,
  letterId,
  type LetterReplay,
  type StoredLetter,
} from '../store/dead-letters/documents';
import { type JudgedDevice } from '../store/dead-letters/replayed';

/** As the gateway judges one request. */
const READINGS_A_MESSAGE = 10_000;

/** What comes of a letter that is judged again: what may go into the stream, and what is noted once it has. */
export interface Judged {
  readings: Intake['readings'];
  replay: LetterReplay;
  /** Devices that it names and that were not among those given: with them it is to be judged anew. */
  missing: Iterable<string>;
}

/** By id, as they are now; null for one that does not exist. */
export type JudgedDevices = ReadonlyMap<string, JudgedDevice | null>;

/**
 * Judges a letter again, by today's registry and decoders, as if it came as it did then: `receivedAt` stays, so that
 * what lay in the future then still does. Whether its device may send today does not matter; it might when it sent, and
 * its assignments say what it fed at each instant, also those of a device that was retired since. A field gateway speaks
 * for the children that it has today.
 *
 * What is refused again makes no letter of its own; the letter that stands says why.
 */
export function judge(
  document: DeadLettersDocument,
  row: number,
  devices: JudgedDevices,
  decoders: DecoderRegistry,
  now: number,
): Judged {
  const letter = document.letters[row]!;
  const payload = document.payloads[row];
  const device = devices.get(letter.deviceId) ?? null;
  const refused = (message: string): Judged => ({
    readings: [],
    missing: [],
    replay: { at: now, outcome: 'REFUSED', accepted: 0, code: letter.code, message },
  });
  if (payload == null || !isReplayable(letter)) {
    return refused('its message is not kept here, so that it cannot be judged again');
  }
  if (device === null) return refused('its device is not in the registry');
  const intake = createIntake<JudgedDevice>({
    device,
    relay(childId) {
      const child = devices.get(childId);
      if (child === undefined || child === null) return child;
      return child.parentId === device.deviceId && child.tenantId === device.tenantId ? child : null;
    },
    readingsPerRequest: READINGS_A_MESSAGE,
    firstIndex: letter.index,
    source: { protocol: letter.protocol },
  });
  takeAgain(intake, device, letter, letterId(document.id, row), Buffer.from(payload, 'base64'), decoders);
  const { readings, refusals, missing } = intake;
  const accepted = readings.length;
  const [first] = refusals;
  if (first === undefined) return { readings, missing, replay: { at: now, outcome: 'ACCEPTED', accepted } };
  const more = refusals.length === 1 ? '' : ` (and ${refusals.length - 1} more readings of it)`;
  return {
    readings,
    missing,
    replay: {
      at: now,
      outcome: accepted > 0 ? 'PARTLY_ACCEPTED' : 'REFUSED',
      accepted,
      code: first.code,
      message: first.message + more,
    },
  };
}

function takeAgain(
  intake: Intake,
  device: JudgedDevice,
  letter: StoredLetter,
  id: string,
  body: Buffer,
  decoders: DecoderRegistry,
): void {
  const { receivedAt, createdAt, contentType, contentEncoding } = letter;
  const take = (properties: MessageProperties, of: Buffer, index?: number): void => {
    const decoder = decoders.find(properties.contentType ?? DEFAULT_CONTENT_TYPE);
    if (decoder === undefined || !isPlainEncoding(properties.contentEncoding)) {
      const reason = 'the content type or encoding is still none that is taken';
      return intake.refuseMessage(of, reason, receivedAt, index);
    }
    // Without a message id of its own a reading without a time has no identity: the letter's is the same at each replay.
    const messageId = properties.messageId ?? (index === undefined ? id : `${id}/${index}`);
    const { deviceId, assignments: channels } = device;
    const message = { body: of, deviceId, channels, messageId, receivedAt, createdAt: properties.createdAt };
    // Of a child it stays: nothing is relayed here, and nothing is taken for the device's own that is not.
    intake.take(message, decoder, index, properties.childDeviceId);
  };

  if (mediaTypeOf(contentType) !== BATCH_CONTENT_TYPE) {
    const { messageId } = letter;
    return take({ messageId, createdAt, contentType, contentEncoding: contentEncoding ?? undefined }, body);
  }
  try {
    parseBatch(body).forEach((each, index) => {
      if ('fault' in each) intake.refuseMessage(each.body, each.fault, receivedAt, index);
      else take(each.properties, each.body, index);
    });
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    intake.refuseMessage(body, error.message, receivedAt);
  }
}

/** Sends what was accepted, by letter; resolves once all of it stands in the stream. */
export async function send(
  packer: Pick<Packer, 'submit'>,
  judged: readonly Judged[],
  counts: Pick<AcceptedCounts, 'accepted' | 'unanswered'> = NO_COUNTS,
): Promise<void> {
  // In the order of receipt, so that frames hold what is near in time.
  const withReadings = judged
    .filter(({ readings }) => readings.length > 0)
    .sort((a, b) => a.readings[0]!.receivedAt - b.readings[0]!.receivedAt);
  await Promise.all(
    withReadings.map(async ({ readings }) => {
      try {
        await packer.submit(readings, []);
      } catch (error) {
        counts.unanswered(readings);
        throw error;
      }
      counts.accepted(readings, []);
    }),
  );
}
