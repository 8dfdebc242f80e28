import { parseInstant } from './instant';

/** System properties of a message, by IoT Hub's names, from HTTP headers or from a batch's `properties`. */
export interface MessageProperties {
  messageId: string | null;
  /** Undefined where the message names none. */
  contentType: string | undefined;
  contentEncoding: string | undefined;
  /** Milliseconds since 1970. */
  createdAt: number | null;
  /** Whose message it is, where a field gateway relays it for a child. */
  childDeviceId?: string | undefined;
}

/** IoT Hub's own limit: https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-construct */
const MAXIMUM_MESSAGE_ID_CHARACTERS = 128;

/**
 * Reads `iothub-messageid`, `iothub-contenttype`, `iothub-contentencoding`, `iothub-creationtimeutc` and, of the
 * application properties, `iothub-app-childDeviceId`; the others carry nothing that Atrium keeps.
 * @param property returns what stands under a lower-case name.
 * @returns a sentence that says what is wrong, or the properties.
 */
export function readProperties(property: (name: string) => unknown): MessageProperties | string {
  const messageId = property('iothub-messageid') ?? null;
  const contentType = property('iothub-contenttype');
  const contentEncoding = property('iothub-contentencoding');
  const created = property('iothub-creationtimeutc');
  const child = property('iothub-app-childdeviceid') ?? '';
  if (
    messageId !== null &&
    (typeof messageId !== 'string' || messageId.length > MAXIMUM_MESSAGE_ID_CHARACTERS)
  ) {
    return `iothub-messageid is a text of at most ${MAXIMUM_MESSAGE_ID_CHARACTERS} characters`;
  }
  if (contentType !== undefined && typeof contentType !== 'string') return 'iothub-contenttype is a text';
  if (contentEncoding !== undefined && typeof contentEncoding !== 'string') {
    return 'iothub-contentencoding is a text';
  }
  if (typeof child !== 'string') return 'childDeviceId is a text';
  let createdAt: number | null = null;
  if (created !== undefined) {
    createdAt = typeof created === 'string' ? parseInstant(created) : NaN;
    if (Number.isNaN(createdAt)) {
      return 'iothub-creationtimeutc is not an RFC 3339 instant such as 2026-03-01T12:00:00Z';
    }
  }
  return {
    messageId: messageId === '' ? null : messageId,
    contentType,
    contentEncoding,
    createdAt,
    ...(child !== '' && { childDeviceId: child }),
  };
}

/** Whether a body so encoded can be read: UTF-8 text, or the bytes as they are. */
export function isPlainEncoding(encoding: string | undefined): boolean {
  return encoding === undefined || /^(utf-?8|identity|)$/i.test(encoding.trim());
}
