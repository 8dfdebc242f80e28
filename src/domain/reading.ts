/**
 * One reading as it travels in the stream: already authenticated, resolved to its point, in canonical units and inside
 * its range. Instants are milliseconds since 1970 UTC.
 *
 * Identity: a dated reading is `(pointId, observedAt)`; one stamped by the gateway is `(pointId, messageId,
 * messageIndex)` for as long as it is repeated within `REPEATED_WITHIN_MS`, and in the cold store for the day of UTC that it
 * was stamped with; without a message id each arrival is its own.
 * Where two values claim one identity the first in stream order stands, in warm and cold alike.
 */
export interface Reading {
  tenantId: string;
  buildingId: string;
  spaceId: string;
  pointId: string;
  /** Dense within the building, so that consumers index arrays by it instead of hashing ids. */
  pointOrdinal: number;
  deviceId: string;
  /** Dense within the building. */
  deviceOrdinal: number;
  /** `Quantity.code`. */
  quantity: number;
  observedAt: number;
  receivedAt: number;
  value: number;
  /** Present when the gateway stamped the time because the device sent none. */
  undated?: { messageId: string | null; messageIndex: number };
  /** What the device sent, where its unit was another. */
  original?: { value: number; unit: string };
}

/**
 * A message without a time that comes again is the same reading while less than this lies between it and its last arrival,
 * too late ones aside, by the hub's enqueued time; later it is another. A rule of the stream alone: whoever reads it from
 * this long before judges as one who has read all of it, and so does SQL over the stored rows.
 */
export const REPEATED_WITHIN_MS = 300_000;

/** What was refused after the device was authenticated: kept beside the readings, in no average and no count. */
export interface RefusedReading {
  tenantId: string;
  /** Empty where the device had no place at that instant. */
  buildingId: string;
  deviceId: string;
  /** The channel (or SenML name) as the device sent it, possibly empty. */
  channel: string;
  /** Null where the payload held no readable time. */
  observedAt: number | null;
  receivedAt: number;
  /** One of `RefusalCode`. */
  code: RefusalCode;
  /** What was wrong, in words, with the value found. */
  message: string;
  /** The offending part of the payload, cut to 1,024 characters. */
  raw: string;
  /** How it came, and what of it can be judged again. The first release's frames have none. */
  letter?: Letter;
}

/** Where a refused reading or message came from, and the message that is judged again after a fix. */
export interface Letter {
  /** The transport that it came by: `HTTP`, `MQTT`, ... */
  protocol: string;
  /** The device whose connection brought it, where that was another; null where it was the device itself. */
  relayedBy: string | null;
  messageId: string | null;
  /** Of the record in its message: with the message id the identity of a reading without a time. */
  index: number;
  /** The device's own creation time; null where it gave none, or where `payload` holds resolved times. */
  createdAt: number | null;
  /** Media type of `payload`; empty where there is none. */
  contentType: string;
  /** As the message named it; null where it named none. */
  contentEncoding: string | null;
  /**
   * A message that stands for itself: of a refused reading a message of just that reading, of a message that could not
   * be read the whole body as it came. Null where nothing more than `raw` can be kept.
   */
  payload: Buffer | null;
}

export const REFUSAL_CODES = [
  'VALUE_NOT_FINITE',
  'VALUE_OUT_OF_RANGE',
  'VALUE_NOT_A_NUMBER',
  'OBSERVED_IN_FUTURE',
  'OBSERVED_TOO_OLD',
  'OBSERVED_AT_INVALID',
  'UNKNOWN_CHANNEL',
  'UNIT_MISMATCH',
  'NOT_ASSIGNED',
  'PAYLOAD_INVALID',
  'CHILD_NOT_YOURS',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

export const MAXIMUM_FUTURE_MS = 30_000;
/** Twenty years: the first assignment of a device reaches back as far. */
export const OLDEST_ACCEPTED_MS = 20 * 365.25 * 24 * 3_600_000;
export const MAXIMUM_RAW_CHARACTERS = 1024;
