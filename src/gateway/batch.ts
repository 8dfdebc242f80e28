import { PayloadError } from './decoders';
import { isObject, kindOf, parseJson } from './decoders/json';
import { type MessageProperties, readProperties } from './message-properties';

/**
 * IoT Hub's batch of messages over HTTP: an array of `{body: base64, properties: {name: text}}`, as its device SDKs send
 * it (https://learn.microsoft.com/rest/api/iothub/device/send-device-event).
 */
export const BATCH_CONTENT_TYPE = 'application/vnd.microsoft.iothub.json';

const MAXIMUM_MESSAGES = 1_000;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export type BatchMessage = { body: Buffer; properties: MessageProperties } | { body: Buffer; fault: string };

/** @throws PayloadError where it is no batch at all; the faults of one message are that message's. */
export function parseBatch(body: Buffer): BatchMessage[] {
  const batch = parseJson(body);
  if (!Array.isArray(batch))
    throw new PayloadError(`a batch is an array of messages, found ${kindOf(batch)}`);
  if (batch.length === 0) throw new PayloadError('the batch holds no message');
  if (batch.length > MAXIMUM_MESSAGES) {
    throw new PayloadError(`a batch may hold ${MAXIMUM_MESSAGES} messages, this one has ${batch.length}`);
  }
  return batch.map(parseMessage);
}

function parseMessage(message: unknown): BatchMessage {
  const nothing = Buffer.alloc(0);
  if (!isObject(message)) return { body: nothing, fault: `a message is an object, found ${kindOf(message)}` };
  const { body: text, properties } = message;
  if (typeof text !== 'string' || text.length % 4 !== 0 || !BASE64.test(text)) {
    return { body: nothing, fault: "'body' is a text in base64" };
  }
  const body = Buffer.from(text, 'base64');
  if (properties !== undefined && properties !== null && !isObject(properties)) {
    return { body, fault: `'properties' is an object, found ${kindOf(properties)}` };
  }
  const byName = new Map(
    Object.entries(properties ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const read = readProperties((name) => byName.get(name));
  return typeof read === 'string' ? { body, fault: read } : { body, properties: read };
}
