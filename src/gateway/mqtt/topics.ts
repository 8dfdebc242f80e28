import { type MessageProperties, readProperties } from '../message-properties';

/**
 * What a device publishes, by its topic
 * (https://learn.microsoft.com/azure/iot/iot-mqtt-connect-to-iot-hub). Anything else is forbidden and ends the
 * connection.
 */
export type Publication =
  | { kind: 'telemetry'; propertyBag: string }
  /** A request about the device's twin, answered on `$iothub/twin/res/{status}/?$rid={requestId}`. */
  | { kind: 'twin'; operation: 'get' | 'report'; requestId: string }
  /** The answer to a direct method. None is ever called, so nothing waits for it. */
  | { kind: 'method-response' }
  | { kind: 'forbidden' };

const TWIN = /^\$iothub\/twin\/(GET|PATCH\/properties\/reported)\/\?(.*)$/;
const METHOD_RESPONSE = /^\$iothub\/methods\/res\/\d{1,9}\/\?/;
const FORBIDDEN: Publication = { kind: 'forbidden' };
const METHOD: Publication = { kind: 'method-response' };
const MAXIMUM_REQUEST_ID_CHARACTERS = 128;

/** @param own `devices/{deviceId}/messages/events`, of the device that publishes. */
export function publicationOf(topic: string, own: string): Publication {
  if (topic.startsWith(own)) {
    if (topic.length === own.length) return { kind: 'telemetry', propertyBag: '' };
    if (topic.charCodeAt(own.length) !== 47) return FORBIDDEN;
    // The SDK ends the bag of a module's output with a slash.
    const end = topic.endsWith('/') ? topic.length - 1 : topic.length;
    return { kind: 'telemetry', propertyBag: topic.slice(own.length + 1, end) };
  }
  const twin = TWIN.exec(topic);
  if (twin) {
    const requestId = parsePropertyBag(twin[2]!)?.get('$rid');
    if (!requestId || requestId.length > MAXIMUM_REQUEST_ID_CHARACTERS) return FORBIDDEN;
    return { kind: 'twin', operation: twin[1] === 'GET' ? 'get' : 'report', requestId };
  }
  return METHOD_RESPONSE.test(topic) ? METHOD : FORBIDDEN;
}

export const TWIN_RESPONSES = '$iothub/twin/res/#';
export const DESIRED_PROPERTIES = '$iothub/twin/PATCH/properties/desired/#';

/** The topic filters a device may subscribe to, and no other: IoT Hub is no broker, and neither are we. */
export function permittedFilters(deviceId: string): readonly string[] {
  return [
    `devices/${deviceId}/messages/devicebound/#`,
    TWIN_RESPONSES,
    DESIRED_PROPERTIES,
    '$iothub/methods/POST/#',
  ];
}

/** `name=value&name=value`, url-encoded; undefined where the encoding is broken. The first of two equal names stands. */
export function parsePropertyBag(bag: string): Map<string, string> | undefined {
  const properties = new Map<string, string>();
  // Some SDKs begin the bag with a question mark.
  const text = bag.startsWith('?') ? bag.slice(1) : bag;
  if (text === '') return properties;
  try {
    for (const pair of text.split('&')) {
      const equals = pair.indexOf('=');
      const name = decodeURIComponent(equals < 0 ? pair : pair.slice(0, equals));
      if (name === '' || properties.has(name)) continue;
      properties.set(name, equals < 0 ? '' : decodeURIComponent(pair.slice(equals + 1)));
    }
  } catch {
    return undefined;
  }
  return properties;
}

/** The properties that count, as they stand in a property bag, by the names `readProperties` asks for. */
const SYSTEM: Readonly<Record<string, string>> = {
  'iothub-messageid': '$.mid',
  'iothub-contenttype': '$.ct',
  'iothub-contentencoding': '$.ce',
  'iothub-creationtimeutc': '$.ctime',
  'iothub-app-childdeviceid': 'childDeviceId',
};
const NONE: MessageProperties = {
  messageId: null,
  contentType: undefined,
  contentEncoding: undefined,
  createdAt: null,
};

/** @returns a sentence that says what is wrong, or the properties. */
export function propertiesOf(propertyBag: string): MessageProperties | string {
  if (propertyBag === '') return NONE;
  const bag = parsePropertyBag(propertyBag);
  if (bag === undefined) return 'the property bag of the topic is not url-encoded text';
  const properties = readProperties((name) => bag.get(SYSTEM[name]!));
  if (typeof properties !== 'string') return properties;
  return properties.replace(/^iothub-[a-z]+/, (name) => SYSTEM[name] ?? name);
}
