/**
 * What a device's link is attached to, by the names IoT Hub has for it
 * (https://learn.microsoft.com/azure/iot-hub/iot-hub-amqp-support).
 */
export type LinkAddress =
  | { kind: 'cbs' }
  | { kind: 'events' | 'devicebound' | 'twin' | 'methods'; deviceId: string }
  | { kind: 'unknown' };

const KINDS: Readonly<Record<string, 'events' | 'devicebound' | 'twin' | 'methods'>> = {
  'messages/events': 'events',
  'messages/devicebound': 'devicebound',
  twin: 'twin',
  'methods/devicebound': 'methods',
};
const UNKNOWN: LinkAddress = { kind: 'unknown' };

/** @param text the path alone, or a whole `amqps://` address. */
export function parseAddress(text: unknown): LinkAddress {
  if (typeof text !== 'string' || text.length > 1_024) return UNKNOWN;
  const path = text.replace(/^amqps?:\/\/[^/]*/i, '').replace(/^\//, '');
  if (path === '$cbs') return { kind: 'cbs' };
  const match = /^devices\/([^/]{1,256})\/(.+)$/.exec(path);
  const kind = match && Object.hasOwn(KINDS, match[2]!) ? KINDS[match[2]!] : undefined;
  if (!match || kind === undefined) return UNKNOWN;
  try {
    return { kind, deviceId: decodeURIComponent(match[1]!) };
  } catch {
    return UNKNOWN;
  }
}
