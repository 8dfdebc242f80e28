import { message as messages, type Message, uuid_to_string } from 'rhea';
import { type MessageProperties, readProperties } from '../message-properties';
import { type Section, sectionsOf } from './encoding';

/** A message as its device meant it; with a fault where its properties or its body are none that can be read. */
export type DeviceMessage =
  { body: Buffer; properties: MessageProperties; fault?: undefined } | { body: Buffer; fault: string };

/** Message format of a batch, whose data sections hold an encoded message each, as IoT Hub's SDKs send it. */
export const BATCH_FORMAT = 0x80013700;
const MAXIMUM_MESSAGES = 1_000;
const DATA = 0x75;
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const VALUE = 0x77;

/** A request on a link of ours, decoded whole; undefined where it is none. */
export function requestOf(bytes: Buffer): Message | undefined {
  return sectionsOf(bytes) === undefined ? undefined : (messages.decode(bytes) as unknown as Message);
}

/** The bytes of a body, however it was sent; undefined where it is neither bytes nor text. */
export function bodyOf(request: Message): Buffer | undefined {
  const body = request.body as unknown;
  const content = isSection(body) ? body.content : body;
  if (Array.isArray(content) && content.every((each) => Buffer.isBuffer(each))) return Buffer.concat(content);
  if (Buffer.isBuffer(content)) return content;
  return typeof content === 'string' ? Buffer.from(content) : undefined;
}

/**
 * The device's messages in one transfer: one, or as many as a batch has.
 * @returns undefined where the bytes are no message.
 */
export function deviceMessagesOf(bytes: Buffer, format: number): DeviceMessage[] | undefined {
  if (format !== BATCH_FORMAT) {
    const message = deviceMessageOf(bytes);
    return message && [message];
  }
  const sections = sectionsOf(bytes)?.filter(({ code }) => code === DATA);
  if (sections === undefined || sections.length === 0 || sections.length > MAXIMUM_MESSAGES) return undefined;
  const batch: DeviceMessage[] = [];
  for (const section of sections) {
    const inner = bodyOf(decode([section]));
    const message = inner && deviceMessageOf(inner);
    if (message === undefined) return undefined;
    batch.push(message);
  }
  return batch;
}

function deviceMessageOf(bytes: Buffer): DeviceMessage | undefined {
  const sections = sectionsOf(bytes);
  if (sections === undefined) return undefined;
  // Annotations and the rest carry nothing that is kept.
  const kept = [DATA, VALUE, PROPERTIES, APPLICATION_PROPERTIES];
  const decoded = decode(sections.filter(({ code }) => kept.includes(code)));
  const body = bodyOf(decoded);
  if (body === undefined) {
    return { body: bytes, fault: 'the body of the message is neither data sections nor a text' };
  }
  const properties = readProperties((name) => PROPERTY[name]?.(decoded));
  if (typeof properties !== 'string') return { body, properties };
  return { body, fault: properties.replace(/^iothub-[a-z]+/, (name) => NAMES[name] ?? name) };
}

function decode(sections: readonly Section[]): Message {
  return messages.decode(Buffer.concat(sections.map(({ bytes }) => bytes))) as unknown as Message;
}

function isSection(body: unknown): body is { typecode: number; content: unknown } {
  return typeof body === 'object' && body !== null && (body as { typecode?: unknown }).typecode === DATA;
}

const absent = (value: unknown): unknown => value ?? undefined;
const ownProperty = ({ application_properties: own }: Message, name: string): unknown =>
  own && Object.hasOwn(own, name) ? absent((own as Record<string, unknown>)[name]) : undefined;

/** By the names that `readProperties` asks for. */
const PROPERTY: Readonly<Record<string, (message: Message) => unknown>> = {
  'iothub-messageid': ({ message_id: id }) => textOfId(id),
  'iothub-contenttype': ({ content_type: type }) => absent(type),
  'iothub-contentencoding': ({ content_encoding: encoding }) => absent(encoding),
  'iothub-creationtimeutc': (message) => {
    const created: unknown = message.creation_time ?? ownProperty(message, 'iothub-creation-time-utc');
    if (created === undefined || created === null) return undefined;
    if (!(created instanceof Date) && typeof created !== 'number') return created;
    const instant = new Date(created);
    return Number.isNaN(instant.getTime()) ? '' : instant.toISOString();
  },
  'iothub-app-childdeviceid': (message) => ownProperty(message, 'childDeviceId'),
};
const NAMES: Readonly<Record<string, string>> = {
  'iothub-messageid': 'message-id',
  'iothub-contenttype': 'content-type',
  'iothub-contentencoding': 'content-encoding',
  'iothub-creationtimeutc': 'creation-time',
};

/** SDKs send an id that looks like a UUID as sixteen bytes. */
function textOfId(id: unknown): unknown {
  if (id === undefined || id === null) return undefined;
  if (Buffer.isBuffer(id)) return id.length === 16 ? uuid_to_string(id) : id.toString('hex');
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : id;
}
