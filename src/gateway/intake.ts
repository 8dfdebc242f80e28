import { type Assignment, assignmentAt } from '../domain/device';
import { quantityNamed } from '../domain/quantity';
import {
  MAXIMUM_FUTURE_MS,
  MAXIMUM_RAW_CHARACTERS,
  OLDEST_ACCEPTED_MS,
  type Letter,
  type Reading,
  type RefusalCode,
  type RefusedReading,
} from '../domain/reading';
import { acceptedUnits, toCanonical } from '../domain/unit';
import { type DirectoryDevice } from '../store/device-directory';
import { type DeviceMessage, PayloadError, type PayloadDecoder, type ReadingSink } from './decoders';
import { cut, excerptOf } from './excerpt';
import { type MessageSource, payloadOf, type RefusedValue } from './letter-payload';
import { type MessageProperties } from './message-properties';

/** What an intake must know of a device whose readings it places. */
export type Subject = Pick<DirectoryDevice, 'deviceId' | 'tenantId' | 'assignments'>;

/**
 * The child of that id, for which the device may relay; null where it may not, or there is none; undefined where that is
 * not known yet.
 */
export type Relay<Child extends Subject = Subject> = (childId: string) => Child | null | undefined;

const MAXIMUM_CHANNEL_CHARACTERS = 128;
const SHOWN_VALUE_CHARACTERS = 64;
const MAXIMUM_CONTENT_TYPE_CHARACTERS = 256;
/**
 * Of the letters of one message's readings together. Resolved from their base values, ten thousand readings that took
 * 256 kB could else become many times that; what is beyond it is kept as an excerpt.
 */
const MAXIMUM_LETTERS_BYTES = 1024 * 1024;
const NOT_YOURS = 'the device named is none that this one may relay for';
const NO_PAYLOAD = { contentType: '', payload: null };

/** One refused reading as the answer names it. */
export interface RefusalAnswer {
  /** Position of the message in a batch; left out for a single message. */
  messageIndex?: number;
  /** Position of the record in its message. */
  index: number;
  channel: string;
  code: RefusalCode;
  message: string;
}

/** Everything one request brought, judged: what goes into frames and what the answer says. */
export interface Intake<Child extends Subject = Subject> {
  /**
   * Children that were named and must be looked up first. Where there are any, the intake is to be thrown away and its
   * messages to be taken again.
   */
  readonly missing: ReadonlySet<string>;
  /** Children whose messages these are in part, with how many of the readings. */
  relayed(): { child: Child; readings: number }[];
  readonly readings: readonly Reading[];
  readonly refused: readonly RefusedReading[];
  readonly refusals: readonly RefusalAnswer[];
  /** Readings that were judged, and then dropped with their message: its sender pays for them all the same. */
  dropped(): number;
  /**
   * Decodes one message. All that can go wrong in it is refused here, never thrown: a decoder that throws costs its
   * message.
   * @param childId whose message it is, where the device relays it whole.
   * @returns the fault where nothing of the message could be taken.
   */
  take(
    message: DeviceMessage,
    decoder: PayloadDecoder,
    messageIndex?: number,
    childId?: string,
  ): PayloadError | undefined;
  /**
   * Refuses a message that could not even be handed to a decoder.
   * @param properties as far as they could be read: what it is judged by when it is judged again.
   */
  refuseMessage(
    body: Buffer,
    reason: string,
    receivedAt: number,
    messageIndex?: number,
    properties?: Partial<MessageProperties>,
  ): void;
}

export function createIntake<Child extends Subject = Subject>(options: {
  device: Subject;
  /** Left out, the device relays for nobody. */
  relay?: Relay<Child>;
  readingsPerRequest: number;
  /** How it came; kept with what is refused. */
  source?: MessageSource;
  /** Of the first record: a record that is judged again stands alone and keeps the place it had in its message. */
  firstIndex?: number;
  /** Told of what a decoder threw that is no `PayloadError`: a fault of ours. */
  onDecoderFault?: (decoder: PayloadDecoder, error: unknown) => void;
}): Intake<Child> {
  const { device: sender, readingsPerRequest, firstIndex = 0, source = { protocol: '' } } = options;
  const readings: Reading[] = [];
  const refused: RefusedReading[] = [];
  const refusals: RefusalAnswer[] = [];
  let message: DeviceMessage;
  let decoder: PayloadDecoder;
  let messageIndex: number | undefined;
  let lettersBytes = 0;
  let dropped = 0;
  /** Whose reading is being placed: the sender's own, or that of a child it relays for. */
  let device: Subject = sender;
  /** The child whose message it is, as a whole. */
  let childOfMessage: string | undefined;
  const children = new Map<string, Child | null>();
  const missing = new Set<string>();

  /** Makes the device that a reading names the one it is placed by; false where the sender may not speak for it. */
  const speakFor = (named: string | undefined): boolean => {
    const of = named ?? childOfMessage;
    device = sender;
    if (of === undefined || of === sender.deviceId) return true;
    let child = children.get(of);
    if (child === undefined) {
      const found = options.relay ? options.relay(of) : null;
      if (found === undefined) missing.add(of);
      child = found ?? null;
      children.set(of, child);
    }
    if (child === null) return false;
    device = child;
    return true;
  };

  const refuse = (
    index: number,
    channel: string,
    code: RefusalCode,
    reason: string,
    raw: string,
    receivedAt: number,
    observedAt: number | null,
    letter: Omit<Letter, 'protocol' | 'relayedBy' | 'index'>,
    assignment?: Assignment,
  ): void => {
    const place = assignment ?? anyAssignmentAt(device, observedAt ?? receivedAt);
    const shown = cut(channel, MAXIMUM_CHANNEL_CHARACTERS);
    refused.push({
      tenantId: place?.tenantId ?? device.tenantId,
      buildingId: place?.buildingId ?? '',
      deviceId: device.deviceId,
      channel: shown,
      observedAt,
      receivedAt,
      code,
      message: reason,
      raw,
      letter: {
        protocol: source.protocol,
        relayedBy: device === sender ? (source.relayedBy ?? null) : sender.deviceId,
        index: index + firstIndex,
        ...letter,
      },
    });
    refusals.push({
      ...(messageIndex === undefined ? {} : { messageIndex }),
      index,
      channel: shown,
      code,
      message: reason,
    });
  };

  const refuseValue = (
    index: number,
    channel: string,
    code: RefusalCode,
    reason: string,
    record: unknown,
    observedAt: number | null,
    again?: Pick<Letter, 'contentType' | 'payload'>,
    assignment?: Assignment,
  ): void => {
    checkCount();
    const raw = excerptOf(decoder.excerpt(record, channel), MAXIMUM_RAW_CHARACTERS);
    const size = again?.payload?.length ?? 0;
    const kept = again !== undefined && lettersBytes + size <= MAXIMUM_LETTERS_BYTES ? again : NO_PAYLOAD;
    if (kept === again) lettersBytes += size;
    const letter = { messageId: message.messageId, createdAt: null, contentEncoding: null, ...kept };
    refuse(index, channel, code, reason, raw, message.receivedAt, observedAt, letter, assignment);
  };

  const checkCount = (): void => {
    if (readings.length + refused.length >= readingsPerRequest) {
      throw new PayloadError(`a request may hold ${readingsPerRequest} readings: send the rest in another`);
    }
  };

  const place = (
    index: number,
    channel: string,
    value: unknown,
    unit: string | undefined,
    observedAt: number,
    stamped: boolean,
    record: unknown,
  ): void => {
    const again = (): ReturnType<typeof payloadOf> => {
      const offset = stamped ? observedAt - message.receivedAt : null;
      return payloadOf({ channel, value, unit, observedAt, offset });
    };
    if (!Number.isSafeInteger(observedAt)) {
      const reason = 'the time is not an RFC 3339 instant such as 2026-03-01T12:00:00.000Z';
      return refuseValue(index, channel, 'OBSERVED_AT_INVALID', reason, record, null);
    }
    const { receivedAt } = message;
    if (observedAt > receivedAt + MAXIMUM_FUTURE_MS) {
      const reason = `observed ${observedAt - receivedAt} ms after it was received, at most ${MAXIMUM_FUTURE_MS} are allowed: set the device’s clock`;
      return refuseValue(index, channel, 'OBSERVED_IN_FUTURE', reason, record, observedAt, again());
    }
    if (observedAt < receivedAt - OLDEST_ACCEPTED_MS) {
      const reason = `observed before ${new Date(receivedAt - OLDEST_ACCEPTED_MS).toISOString()}, the oldest instant that is taken`;
      return refuseValue(index, channel, 'OBSERVED_TOO_OLD', reason, record, observedAt, again());
    }
    const assignment = assignmentAt(device.assignments, channel, observedAt);
    if (assignment === undefined) {
      const [code, reason] = unplaced(device, channel);
      return refuseValue(index, channel, code, reason, record, observedAt, again());
    }
    const quantity = quantityNamed(assignment.quantity);
    const number =
      typeof value === 'boolean' && quantity.kind === 'state' ? Number(value) : (value as number);
    if (typeof number !== 'number') {
      const reason = `the value is ${excerptOf(value, SHOWN_VALUE_CHARACTERS)}, no number`;
      return refuseValue(
        index,
        channel,
        'VALUE_NOT_A_NUMBER',
        reason,
        record,
        observedAt,
        again(),
        assignment,
      );
    }
    const sentUnit = unit ?? assignment.unit;
    const canonical = toCanonical(quantity, number, sentUnit);
    if (canonical === undefined) {
      const reason = `${quantity.name} is not measured in '${cut(sentUnit, SHOWN_VALUE_CHARACTERS)}', but in ${acceptedUnits(quantity).join(', ')}`;
      return refuseValue(index, channel, 'UNIT_MISMATCH', reason, record, observedAt, again(), assignment);
    }
    if (!Number.isFinite(canonical)) {
      const reason = `the value is ${number}`;
      return refuseValue(index, channel, 'VALUE_NOT_FINITE', reason, record, observedAt, again(), assignment);
    }
    if (canonical < quantity.minimum || canonical > quantity.maximum) {
      const reason = `${canonical} ${quantity.unit} is outside ${quantity.name}'s range of ${quantity.minimum} to ${quantity.maximum}`;
      return refuseValue(
        index,
        channel,
        'VALUE_OUT_OF_RANGE',
        reason,
        record,
        observedAt,
        again(),
        assignment,
      );
    }
    if (quantity.kind === 'state' && canonical !== 0 && canonical !== 1) {
      const reason = `${canonical} is no state: ${quantity.name} is 0 or 1`;
      return refuseValue(
        index,
        channel,
        'VALUE_OUT_OF_RANGE',
        reason,
        record,
        observedAt,
        again(),
        assignment,
      );
    }
    checkCount();
    const reading: Reading = {
      tenantId: assignment.tenantId,
      buildingId: assignment.buildingId,
      spaceId: assignment.spaceId,
      pointId: assignment.pointId,
      pointOrdinal: assignment.pointOrdinal,
      deviceId: device.deviceId,
      deviceOrdinal: assignment.deviceOrdinal,
      quantity: quantity.code,
      observedAt,
      receivedAt,
      value: canonical,
    };
    if (stamped) reading.undated = { messageId: message.messageId, messageIndex: index + firstIndex };
    if (canonical !== number) reading.original = { value: number, unit: sentUnit };
    readings.push(reading);
  };

  /** One answer whether the device named is somebody else's, may not send, or does not exist. */
  const foreign = (index: number, of: string, refusedValue: RefusedValue, record: unknown): void => {
    const channel = `${of}/${refusedValue.channel}`;
    const again = payloadOf({ ...refusedValue, channel });
    refuseValue(index, channel, 'CHILD_NOT_YOURS', NOT_YOURS, record, null, again);
  };

  const sink: ReadingSink = {
    dated(index, channel, value, unit, observedAt, record, of) {
      if (speakFor(of)) return place(index, channel, value, unit, observedAt, false, record);
      foreign(index, (of ?? childOfMessage)!, { channel, value, unit, observedAt, offset: null }, record);
    },
    // Counted from the device's own creation time the instant is the same at every sending. Counted from receipt it is
    // not, and such a reading is identified by its message instead.
    undated(index, channel, value, unit, offset, record, of) {
      const stamped = message.createdAt === null;
      const observedAt = (message.createdAt ?? message.receivedAt) + offset;
      if (speakFor(of)) return place(index, channel, value, unit, observedAt, stamped, record);
      const from = stamped ? offset : null;
      foreign(index, (of ?? childOfMessage)!, { channel, value, unit, observedAt, offset: from }, record);
    },
    refuse(index, channel, code, reason, record, of) {
      if (speakFor(of)) return refuseValue(index, channel, code, reason, record, null);
      refuseValue(index, `${of ?? childOfMessage}/${channel}`, 'CHILD_NOT_YOURS', NOT_YOURS, record, null);
    },
  };

  const refuseMessage = (
    body: Buffer,
    reason: string,
    receivedAt: number,
    properties: Partial<MessageProperties> = {},
    code: RefusalCode = 'PAYLOAD_INVALID',
  ): void => {
    // Bytes that UTF-8 needs for as many characters at most; the rest of a long body is not even looked at.
    const raw = cut(body.toString('utf8', 0, 4 * MAXIMUM_RAW_CHARACTERS), MAXIMUM_RAW_CHARACTERS);
    const { messageId = null, createdAt = null, contentType = '', contentEncoding = null } = properties;
    refuse(0, '', code, reason, raw, receivedAt, null, {
      messageId,
      createdAt,
      contentType: cut(contentType, MAXIMUM_CONTENT_TYPE_CHARACTERS),
      contentEncoding: contentEncoding && cut(contentEncoding, MAXIMUM_CONTENT_TYPE_CHARACTERS),
      payload: code === 'PAYLOAD_INVALID' ? body : null,
    });
  };

  /** Judged again it would be taken for the sender's own: what it held is kept as an excerpt alone. */
  const refuseForeign = (body: Buffer, receivedAt: number): void =>
    refuseMessage(body, NOT_YOURS, receivedAt, {}, 'CHILD_NOT_YOURS');

  const ofMessage = (childId: string | undefined): void => {
    childOfMessage = childId === sender.deviceId ? undefined : childId;
  };

  return {
    missing,
    relayed() {
      if (children.size === 0) return [];
      const counts = new Map<string, number>();
      for (const { deviceId } of readings) counts.set(deviceId, (counts.get(deviceId) ?? 0) + 1);
      return [...children.values()].flatMap((child) =>
        child === null ? [] : { child, readings: counts.get(child.deviceId) ?? 0 },
      );
    },
    readings,
    refused,
    refusals,
    dropped: () => dropped,
    take(taken, by, index, childId) {
      ofMessage(childId);
      message =
        childOfMessage === undefined
          ? taken
          : { ...taken, deviceId: childOfMessage, channels: speakFor(undefined) ? device.assignments : [] };
      decoder = by;
      messageIndex = index;
      lettersBytes = 0;
      const before = [readings.length, refused.length, refusals.length] as const;
      try {
        decoder.decode(message, sink);
        return undefined;
      } catch (error) {
        dropped += readings.length - before[0] + refused.length - before[1];
        [readings.length, refused.length, refusals.length] = before;
        const fault =
          error instanceof PayloadError ? error : new PayloadError('the payload could not be decoded');
        if (fault !== error) options.onDecoderFault?.(decoder, error);
        const { where } = fault;
        const at = Object.entries(where).map(([name, value]) => ` at ${name} ${String(value)}`);
        if (!speakFor(undefined)) {
          refuseForeign(message.body, message.receivedAt);
          return undefined;
        }
        const { messageId, createdAt } = message;
        const { contentType } = decoder;
        const properties = { messageId, createdAt, contentType };
        refuseMessage(message.body, fault.message + at.join(','), message.receivedAt, properties);
        return fault;
      }
    },
    refuseMessage(body, reason, receivedAt, index, properties) {
      messageIndex = index;
      ofMessage(properties?.childDeviceId);
      if (speakFor(undefined)) refuseMessage(body, reason, receivedAt, properties);
      else refuseForeign(body, receivedAt);
    },
  };
}

/** Why a channel has no place at an instant. */
function unplaced(device: Pick<DirectoryDevice, 'assignments'>, channel: string): [RefusalCode, string] {
  if (device.assignments.some((each) => each.channel === channel)) {
    return ['NOT_ASSIGNED', 'the channel had no place when this was observed'];
  }
  const channels = [...new Set(device.assignments.map((each) => each.channel))].slice(0, 20);
  return ['UNKNOWN_CHANNEL', `the device has no such channel; it has ${channels.join(', ') || 'none'}`];
}

/** Where the device stood, whichever channel: what a dead letter is filed under. */
function anyAssignmentAt(
  device: Pick<DirectoryDevice, 'assignments'>,
  instant: number,
): Assignment | undefined {
  return device.assignments.find((each) => each.from <= instant && (each.to === null || instant < each.to));
}
