import { type ReceivedEventData } from '@azure/event-hubs';
import { type Letter, type RefusalCode, type RefusedReading } from '../domain/reading';
import { decodeFrame, FrameError } from '../stream/frame';
import { type ReadEvent } from './held-events';

/** The code of an event that is no frame this release can read. Its body is kept as it came. */
export const FRAME_UNREADABLE = 'FRAME_UNREADABLE';

/** One row of the dead letters: what a device sent and was refused, or an event that could not be read at all. */
export interface DeadLetterRow {
  /** Index within its event. */
  row: number;
  /** Empty where it is not known, as the three below. */
  tenantId: string;
  buildingId: string;
  deviceId: string;
  channel: string;
  observedAt: number | null;
  receivedAt: number | null;
  code: RefusalCode | typeof FRAME_UNREADABLE;
  message: string;
  /** The offending part of the payload. */
  raw: string;
  /**
   * The message that can be judged again: of a refused reading a message of just that reading, of a message that could
   * not be read the whole of it; and of an event that could not be read its whole body.
   */
  body: Uint8Array | null;
  /** Where it came from; null where that is not known. */
  source: Omit<Letter, 'payload'> | null;
}

/** Reads an event's frame; one that cannot be read becomes a dead letter, so that nothing of the stream is dropped. */
export function readEvent(event: ReceivedEventData): ReadEvent {
  try {
    return { frame: decodeFrame(event.body, event.properties) };
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return {
      unreadable: {
        row: 0,
        tenantId: '',
        buildingId: '',
        deviceId: '',
        channel: '',
        observedAt: null,
        receivedAt: null,
        code: FRAME_UNREADABLE,
        message: error.message,
        raw: propertiesText(event.properties),
        body: bodyBytes(event.body),
        source: null,
      },
    };
  }
}

/** A refused reading as a row. */
export function refusedRow({ letter, ...refused }: RefusedReading, row: number): DeadLetterRow {
  if (letter === undefined) return { ...refused, row, body: null, source: null };
  const { payload, ...source } = letter;
  return { ...refused, row, body: payload, source };
}

function bodyBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  // An AMQP value that is no binary: its nearest text is kept.
  return Buffer.from(typeof body === 'string' ? body : (safeJson(body) ?? String(body)));
}

function propertiesText(properties: ReceivedEventData['properties']): string {
  return properties === undefined ? '' : (safeJson(properties) ?? '');
}

function safeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  } catch {
    return undefined;
  }
}
