import { type DeviceMessage, PayloadError, type PayloadDecoder } from '../../src/gateway/decoders';

export const NOW = Date.parse('2026-03-01T12:00:00Z');

export interface Decoded {
  index: number;
  channel: string;
  value: unknown;
  unit: string | undefined;
  /** Absolute, or from now. */
  at: number | `now${string}`;
  /** Where the payload names one that is not the sender. */
  device?: string;
}

export type DecodedRefusal = { index: number; channel: string; code: string; message: string };

/** What a decoder makes of a payload, as data. */
export function decodeWith(
  decoder: PayloadDecoder,
  payload: unknown,
  parts: Partial<DeviceMessage> = {},
): { readings: Decoded[]; refused: DecodedRefusal[]; fault?: PayloadError } {
  const readings: Decoded[] = [];
  const refused: DecodedRefusal[] = [];
  const body = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const message = {
    body,
    deviceId: 'dev_x',
    channels: [],
    messageId: null,
    receivedAt: NOW,
    createdAt: null,
    ...parts,
  };
  try {
    decoder.decode(message, {
      dated: (index, channel, value, unit, at, _record, device) =>
        readings.push({ index, channel, value, unit, at, ...(device && { device }) }),
      undated: (index, channel, value, unit, offset, _record, device) =>
        readings.push({
          index,
          channel,
          value,
          unit,
          at: `now${offset >= 0 ? '+' : ''}${offset}`,
          ...(device && { device }),
        }),
      refuse: (index, channel, code, reason) => refused.push({ index, channel, code, message: reason }),
    });
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    return { readings: [], refused: [], fault: error };
  }
  return { readings, refused };
}
