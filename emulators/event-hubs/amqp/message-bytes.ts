import { writeUInt64 } from '../log/batch';
import { type Stamp } from '../log/partition-log';
import { offsetOf } from '../offsets';

/**
 * Messages as bytes (AMQP 1.0, part 3.2). An event is never decoded into objects: its sections are found, the
 * service's annotations are laid between them once, at append, and every reader gets those bytes as they lie on disk.
 */
export class AmqpDecodeError extends Error {
  override readonly name = 'AmqpDecodeError';
}

const SECTION = {
  header: 0x70,
  deliveryAnnotations: 0x71,
  messageAnnotations: 0x72,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
};

/** A message's parts, as views of the buffer it came in. */
export interface MessageParts {
  header: Buffer;
  /** The client's own annotations: encoded keys and values, without those that only the service sets. */
  annotations: Buffer;
  annotationItems: number;
  partitionKey: string | undefined;
  /** Properties, application properties, body and footer. */
  rest: Buffer;
}

/** Where the value that begins at `at` ends. */
function skipValue(buffer: Buffer, at: number): number {
  const code = buffer[at];
  if (code === undefined) throw new AmqpDecodeError('the message ends within a value');
  if (code === 0x00) return skipValue(buffer, skipValue(buffer, at + 1));
  const end = at + 1 + widthOf(buffer, code, at + 1);
  if (end > buffer.length) throw new AmqpDecodeError('the message ends within a value');
  return end;
}

function widthOf(buffer: Buffer, code: number, at: number): number {
  switch (code >>> 4) {
    case 0x4:
      return 0;
    case 0x5:
      return 1;
    case 0x6:
      return 2;
    case 0x7:
      return 4;
    case 0x8:
      return 8;
    case 0x9:
      return 16;
    case 0xa:
    case 0xc:
    case 0xe:
      if (at >= buffer.length) throw new AmqpDecodeError('the message ends within a length');
      return 1 + buffer[at]!;
    case 0xb:
    case 0xd:
    case 0xf:
      if (at + 4 > buffer.length) throw new AmqpDecodeError('the message ends within a length');
      return 4 + buffer.readUInt32BE(at);
    default:
      throw new AmqpDecodeError(`0x${code.toString(16)} is no AMQP type`);
  }
}

interface Section {
  code: number;
  /** Of the whole section, descriptor included. */
  start: number;
  /** Of the section's value. */
  value: number;
  end: number;
}

function readSection(buffer: Buffer, start: number): Section {
  if (buffer[start] !== 0x00) throw new AmqpDecodeError('a message consists of described sections');
  let code = -1;
  let value = start;
  if (buffer[start + 1] === 0x53) {
    code = buffer[start + 2] ?? -1;
    value = start + 3;
  } else if (buffer[start + 1] === 0x80 && start + 10 <= buffer.length) {
    code = buffer.readUInt32BE(start + 2) === 0 ? buffer.readUInt32BE(start + 6) : -1;
    value = start + 10;
  }
  if (code < SECTION.header || code > SECTION.footer) {
    throw new AmqpDecodeError('a section of the message has an unknown descriptor');
  }
  return { code, start, value, end: skipValue(buffer, value) };
}

const NOTHING = Buffer.alloc(0);

/** Finds the parts of one message. Throws `AmqpDecodeError`. */
export function splitMessage(buffer: Buffer): MessageParts {
  const parts: MessageParts = {
    header: NOTHING,
    annotations: NOTHING,
    annotationItems: 0,
    partitionKey: undefined,
    rest: NOTHING,
  };
  let at = 0;
  let hasBody = false;
  let rest = -1;
  while (at < buffer.length) {
    const section = readSection(buffer, at);
    if (rest >= 0 && section.code <= SECTION.messageAnnotations) {
      throw new AmqpDecodeError('the sections of the message are out of order');
    }
    if (section.code === SECTION.header) parts.header = buffer.subarray(section.start, section.end);
    else if (section.code === SECTION.messageAnnotations) readAnnotations(buffer, section, parts);
    else if (section.code !== SECTION.deliveryAnnotations) {
      if (rest < 0) rest = section.start;
      hasBody ||= section.code >= SECTION.data && section.code <= SECTION.value;
    }
    at = section.end;
  }
  if (!hasBody) throw new AmqpDecodeError('the message has no body');
  parts.rest = buffer.subarray(rest);
  return parts;
}

const PARTITION_KEY = Buffer.from('x-opt-partition-key', 'latin1');
const OWNED_BY_THE_SERVICE = [
  'x-opt-sequence-number',
  'x-opt-offset',
  'x-opt-enqueued-time',
  'x-opt-sequence-number-epoch',
].map((name) => Buffer.from(name, 'latin1'));

function readAnnotations(buffer: Buffer, section: Section, parts: MessageParts): void {
  const code = buffer[section.value];
  const wide = code === 0xd1;
  if (!wide && code !== 0xc1) throw new AmqpDecodeError('message annotations are a map');
  const items = wide ? buffer.readUInt32BE(section.value + 5) : buffer[section.value + 2]!;
  let at = section.value + (wide ? 9 : 3);
  const start = at;
  const kept: Buffer[] = [];
  let keptItems = 0;
  for (let item = 0; item + 1 < items; item += 2) {
    const valueAt = skipValue(buffer, at);
    const end = skipValue(buffer, valueAt);
    const key = textOf(buffer, at, valueAt);
    if (key?.equals(PARTITION_KEY)) parts.partitionKey = textOf(buffer, valueAt, end)?.toString('utf8');
    if (!key || !OWNED_BY_THE_SERVICE.some((each) => each.equals(key))) {
      kept.push(buffer.subarray(at, end));
      keptItems += 2;
    }
    at = end;
  }
  if (at > section.end) throw new AmqpDecodeError('the message annotations are longer than their section');
  parts.annotations = keptItems === items ? buffer.subarray(start, at) : Buffer.concat(kept);
  parts.annotationItems = keptItems;
}

/** The bytes of a string or symbol that stands from `at` to `end`. */
function textOf(buffer: Buffer, at: number, end: number): Buffer | undefined {
  const code = buffer[at];
  if (code === 0xa1 || code === 0xa3) return buffer.subarray(at + 2, end);
  if (code === 0xb1 || code === 0xb3) return buffer.subarray(at + 5, end);
  return undefined;
}

/**
 * The messages of a batch (message format 0x80013700): the envelope's data sections hold one encoded message each.
 * The envelope's partition key counts for all of them.
 */
export function splitBatch(buffer: Buffer): { messages: MessageParts[]; partitionKey: string | undefined } {
  const messages: MessageParts[] = [];
  const envelope: MessageParts = {
    header: NOTHING,
    annotations: NOTHING,
    annotationItems: 0,
    partitionKey: undefined,
    rest: NOTHING,
  };
  let at = 0;
  while (at < buffer.length) {
    const section = readSection(buffer, at);
    if (section.code === SECTION.messageAnnotations) readAnnotations(buffer, section, envelope);
    if (section.code === SECTION.data) {
      const code = buffer[section.value];
      if (code !== 0xa0 && code !== 0xb0) throw new AmqpDecodeError('a data section holds binary');
      messages.push(splitMessage(buffer.subarray(section.value + (code === 0xa0 ? 2 : 5), section.end)));
    }
    at = section.end;
  }
  if (messages.length === 0) throw new AmqpDecodeError('the batch holds no message');
  return { messages, partitionKey: envelope.partitionKey ?? messages[0]!.partitionKey };
}

const symbol = (name: string): Buffer =>
  Buffer.concat([Buffer.from([0xa3, name.length]), Buffer.from(name, 'latin1')]);
const SEQUENCE_KEY = Buffer.concat([symbol('x-opt-sequence-number'), Buffer.from([0x81])]);
const TIME_KEY = Buffer.concat([symbol('x-opt-enqueued-time'), Buffer.from([0x83])]);
const OFFSET_KEY = Buffer.concat([symbol('x-opt-offset'), Buffer.from([0xa1])]);
const MAX_OFFSET_DIGITS = 16;
const ANNOTATIONS_OVERHEAD =
  12 + SEQUENCE_KEY.length + 8 + TIME_KEY.length + 8 + OFFSET_KEY.length + 1 + MAX_OFFSET_DIGITS;

/** At most how many bytes `layMessage` writes. */
export function laidLength(parts: MessageParts): number {
  return parts.header.length + ANNOTATIONS_OVERHEAD + parts.annotations.length + parts.rest.length;
}

/** Writes the message as it will be delivered, the service's annotations included; returns where it ends. */
export function layMessage(
  parts: MessageParts,
  target: Buffer,
  start: number,
  stamp: Stamp,
  tag: number,
): number {
  let at = start + parts.header.copy(target, start);
  // 00 53 72: the section's descriptor; d1: a map with a four-byte size and a four-byte count.
  target.writeUInt32BE(0x005372d1, at);
  const sizeAt = at + 4;
  target.writeUInt32BE(6 + parts.annotationItems, at + 8);
  at += 12;
  at += SEQUENCE_KEY.copy(target, at);
  writeUInt64(target, stamp.sequence, at);
  at += 8;
  at += TIME_KEY.copy(target, at);
  writeUInt64(target, stamp.enqueuedTime, at);
  at += 8;
  at += OFFSET_KEY.copy(target, at);
  const digits = target.write(String(offsetOf(stamp.position, tag)), at + 1, 'latin1');
  target[at] = digits;
  at += 1 + digits;
  at += parts.annotations.copy(target, at);
  target.writeUInt32BE(at - sizeAt - 4, sizeAt);
  return at + parts.rest.copy(target, at);
}

/** Adds the envelope's partition key to a message that does not carry it itself. */
export function withPartitionKey(parts: MessageParts, key: string): MessageParts {
  const text = Buffer.from(key, 'utf8');
  const name = symbol('x-opt-partition-key');
  const head = text.length > 255 ? Buffer.alloc(5) : Buffer.alloc(2);
  head[0] = text.length > 255 ? 0xb1 : 0xa1;
  if (text.length > 255) head.writeUInt32BE(text.length, 1);
  else head[1] = text.length;
  return {
    ...parts,
    annotations: Buffer.concat([parts.annotations, name, head, text]),
    annotationItems: parts.annotationItems + 2,
    partitionKey: key,
  };
}

/** Where the header section of a laid message ends: delivery annotations go between it and the rest. */
export function headerEnd(message: Buffer): number {
  const section = readSection(message, 0);
  return section.code === SECTION.header ? section.end : 0;
}
