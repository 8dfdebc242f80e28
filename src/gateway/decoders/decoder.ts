import { type QuantityName } from '../../domain/quantity';
import { type RefusalCode } from '../../domain/reading';

/**
 * Turns one device message into readings by channel. A decoder is one file that exports one of these and one line in
 * `./index.ts`. It knows nothing of points, tenants or ranges; what it throws costs the one message.
 */
export interface PayloadDecoder {
  /** Media type, lower case, without parameters. */
  readonly contentType: string;
  /**
   * Set where its work is known to be linear in the body, whatever the body holds: it then runs without the guard that
   * ends a decoder which hangs, and saves what the guard costs.
   */
  readonly linear?: true;
  /**
   * Hands every reading of the message to the sink, in order. Bad readings are handed over as they are, or refused one
   * by one where the format itself forbids them.
   * @throws PayloadError when nothing of the message can be trusted; what was handed over before is then dropped too.
   */
  decode(message: DeviceMessage, sink: ReadingSink): void;
  /** The part of the payload a refused reading came from, for its dead letter. Called for refused readings only. */
  excerpt(record: unknown, channel: string): unknown;
}

/** One message as a device sent it, whatever the transport. */
export interface DeviceMessage {
  body: Buffer;
  deviceId: string;
  /**
   * The device's channels in the order of its model, for formats that name a quantity and no channel. A channel that had
   * several places stands here as often.
   */
  channels: readonly DeviceChannel[];
  /** Makes a message that is sent again recognisable where its readings carry no time. */
  messageId: string | null;
  /** Milliseconds since 1970. */
  receivedAt: number;
  /** The device's own `creation-time-utc`, milliseconds since 1970: what "now" means to readings without a time. */
  createdAt: number | null;
}

export interface DeviceChannel {
  channel: string;
  quantity: QuantityName;
}

export interface ReadingSink {
  /**
   * @param index of the record within the message, as the answer names it.
   * @param value whatever the payload held; the sink judges it.
   * @param unit undefined where the payload names none: the device model's then holds.
   * @param observedAt milliseconds since 1970. May be NaN, which is refused.
   * @param record what `excerpt` makes a dead letter of.
   * @param device whose reading it is, where the payload names a device other than the sender; undefined for the sender's
   *   own. Whether the sender may speak for it is the sink's to judge.
   */
  dated(
    index: number,
    channel: string,
    value: unknown,
    unit: string | undefined,
    observedAt: number,
    record: unknown,
    device?: string,
  ): void;
  /** A reading without a time, or that many milliseconds before (or after) now. */
  undated(
    index: number,
    channel: string,
    value: unknown,
    unit: string | undefined,
    offset: number,
    record: unknown,
    device?: string,
  ): void;
  refuse(
    index: number,
    channel: string,
    code: RefusalCode,
    message: string,
    record: unknown,
    device?: string,
  ): void;
}

/** A payload of which nothing can be taken; `where` names the place. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
  constructor(
    message: string,
    readonly where: Record<string, unknown> = {},
  ) {
    super(message);
  }
}
