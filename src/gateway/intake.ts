import { type Assignment, assignmentAt } from '../domain/device';
import { quantityNamed } from '../domain/quantity';
import {
  MAXIMUM_FUTURE_MS,
  MAXIMUM_RAW_CHARACTERS,
  OLDEST_ACCEPTED_MS,
  type Reading,
  type RefusalCode,
  type RefusedReading,
} from '../domain/reading';
import { acceptedUnits, toCanonical } from '../domain/unit';
import { type DirectoryDevice } from '../store/device-directory';
import { type DeviceMessage, PayloadError, type PayloadDecoder, type ReadingSink } from './decoders';
import { cut, excerptOf } from './excerpt';

const MAXIMUM_CHANNEL_CHARACTERS = 128;
const SHOWN_VALUE_CHARACTERS = 64;

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
export interface Intake {
  readonly readings: readonly Reading[];
  readonly refused: readonly RefusedReading[];
  readonly refusals: readonly RefusalAnswer[];
  /**
   * Decodes one message. All that can go wrong in it is refused here, never thrown: a decoder that throws costs its
   * message.
   * @returns the fault where nothing of the message could be taken.
   */
  take(message: DeviceMessage, decoder: PayloadDecoder, messageIndex?: number): PayloadError | undefined;
  /** Refuses a message that could not even be handed to a decoder. */
  refuseMessage(body: Buffer, reason: string, receivedAt: number, messageIndex?: number): void;
}

export function createIntake(options: {
  device: DirectoryDevice;
  readingsPerRequest: number;
  /** Told of what a decoder threw that is no `PayloadError`: a fault of ours. */
  onDecoderFault?: (decoder: PayloadDecoder, error: unknown) => void;
}): Intake {
  const { device, readingsPerRequest } = options;
  const readings: Reading[] = [];
  const refused: RefusedReading[] = [];
  const refusals: RefusalAnswer[] = [];
  let message: DeviceMessage;
  let decoder: PayloadDecoder;
  let messageIndex: number | undefined;

  const refuse = (
    index: number,
    channel: string,
    code: RefusalCode,
    reason: string,
    raw: string,
    receivedAt: number,
    observedAt: number | null,
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
    assignment?: Assignment,
  ): void => {
    checkCount();
    const raw = excerptOf(decoder.excerpt(record, channel), MAXIMUM_RAW_CHARACTERS);
    refuse(index, channel, code, reason, raw, message.receivedAt, observedAt, assignment);
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
    if (!Number.isSafeInteger(observedAt)) {
      const reason = 'the time is not an RFC 3339 instant such as 2026-03-01T12:00:00.000Z';
      return refuseValue(index, channel, 'OBSERVED_AT_INVALID', reason, record, null);
    }
    const { receivedAt } = message;
    if (observedAt > receivedAt + MAXIMUM_FUTURE_MS) {
      const reason = `observed ${observedAt - receivedAt} ms after it was received, at most ${MAXIMUM_FUTURE_MS} are allowed: set the device’s clock`;
      return refuseValue(index, channel, 'OBSERVED_IN_FUTURE', reason, record, observedAt);
    }
    if (observedAt < receivedAt - OLDEST_ACCEPTED_MS) {
      const reason = `observed before ${new Date(receivedAt - OLDEST_ACCEPTED_MS).toISOString()}, the oldest instant that is taken`;
      return refuseValue(index, channel, 'OBSERVED_TOO_OLD', reason, record, observedAt);
    }
    const assignment = assignmentAt(device.assignments, channel, observedAt);
    if (assignment === undefined) {
      const [code, reason] = unplaced(device, channel);
      return refuseValue(index, channel, code, reason, record, observedAt);
    }
    const quantity = quantityNamed(assignment.quantity);
    const number =
      typeof value === 'boolean' && quantity.kind === 'state' ? Number(value) : (value as number);
    if (typeof number !== 'number') {
      const reason = `the value is ${excerptOf(value, SHOWN_VALUE_CHARACTERS)}, no number`;
      return refuseValue(index, channel, 'VALUE_NOT_A_NUMBER', reason, record, observedAt, assignment);
    }
    const sentUnit = unit ?? assignment.unit;
    const canonical = toCanonical(quantity, number, sentUnit);
    if (canonical === undefined) {
      const reason = `${quantity.name} is not measured in '${cut(sentUnit, SHOWN_VALUE_CHARACTERS)}', but in ${acceptedUnits(quantity).join(', ')}`;
      return refuseValue(index, channel, 'UNIT_MISMATCH', reason, record, observedAt, assignment);
    }
    if (!Number.isFinite(canonical)) {
      const reason = `the value is ${number}`;
      return refuseValue(index, channel, 'VALUE_NOT_FINITE', reason, record, observedAt, assignment);
    }
    if (canonical < quantity.minimum || canonical > quantity.maximum) {
      const reason = `${canonical} ${quantity.unit} is outside ${quantity.name}'s range of ${quantity.minimum} to ${quantity.maximum}`;
      return refuseValue(index, channel, 'VALUE_OUT_OF_RANGE', reason, record, observedAt, assignment);
    }
    if (quantity.kind === 'state' && canonical !== 0 && canonical !== 1) {
      const reason = `${canonical} is no state: ${quantity.name} is 0 or 1`;
      return refuseValue(index, channel, 'VALUE_OUT_OF_RANGE', reason, record, observedAt, assignment);
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
    if (stamped) reading.undated = { messageId: message.messageId, messageIndex: index };
    if (canonical !== number) reading.original = { value: number, unit: sentUnit };
    readings.push(reading);
  };

  const foreign = (index: number, device: string, channel: string, record: unknown): void => {
    const reason = 'the reading is named for another device, which this one may not speak for';
    refuseValue(index, `${device}/${channel}`, 'UNKNOWN_CHANNEL', reason, record, null);
  };

  const sink: ReadingSink = {
    dated: (index, channel, value, unit, observedAt, record, of) =>
      of === undefined
        ? place(index, channel, value, unit, observedAt, false, record)
        : foreign(index, of, channel, record),
    // Counted from the device's own creation time the instant is the same at every sending. Counted from receipt it is
    // not, and such a reading is identified by its message instead.
    undated: (index, channel, value, unit, offset, record, of) => {
      if (of !== undefined) return foreign(index, of, channel, record);
      return message.createdAt === null
        ? place(index, channel, value, unit, message.receivedAt + offset, true, record)
        : place(index, channel, value, unit, message.createdAt + offset, false, record);
    },
    refuse: (index, channel, code, reason, record, of) =>
      refuseValue(index, of === undefined ? channel : `${of}/${channel}`, code, reason, record, null),
  };

  const refuseMessage = (body: Buffer, reason: string, receivedAt: number): void => {
    // Bytes that UTF-8 needs for as many characters at most; the rest of a long body is not even looked at.
    const raw = cut(body.toString('utf8', 0, 4 * MAXIMUM_RAW_CHARACTERS), MAXIMUM_RAW_CHARACTERS);
    refuse(0, '', 'PAYLOAD_INVALID', reason, raw, receivedAt, null);
  };

  return {
    readings,
    refused,
    refusals,
    take(taken, by, index) {
      message = taken;
      decoder = by;
      messageIndex = index;
      const before = [readings.length, refused.length, refusals.length] as const;
      try {
        decoder.decode(message, sink);
        return undefined;
      } catch (error) {
        [readings.length, refused.length, refusals.length] = before;
        const fault =
          error instanceof PayloadError ? error : new PayloadError('the payload could not be decoded');
        if (fault !== error) options.onDecoderFault?.(decoder, error);
        const { where } = fault;
        const at = Object.entries(where).map(([name, value]) => ` at ${name} ${String(value)}`);
        refuseMessage(message.body, fault.message + at.join(','), message.receivedAt);
        return fault;
      }
    },
    refuseMessage(body, reason, receivedAt, index) {
      messageIndex = index;
      refuseMessage(body, reason, receivedAt);
    },
  };
}

/** Why a channel has no place at an instant. */
function unplaced(device: DirectoryDevice, channel: string): [RefusalCode, string] {
  if (device.assignments.some((each) => each.channel === channel)) {
    return ['NOT_ASSIGNED', 'the channel had no place when this was observed'];
  }
  const channels = [...new Set(device.assignments.map((each) => each.channel))].slice(0, 20);
  return ['UNKNOWN_CHANNEL', `the device has no such channel; it has ${channels.join(', ') || 'none'}`];
}

/** Where the device stood, whichever channel: what a dead letter is filed under. */
function anyAssignmentAt(device: DirectoryDevice, instant: number): Assignment | undefined {
  return device.assignments.find((each) => each.from <= instant && (each.to === null || instant < each.to));
}
