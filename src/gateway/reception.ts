import { type DeviceProtocol } from '../domain/device-protocol';
import { type Logger } from '../observability/logger';
import { type DirectoryDevice } from '../store/device-directory';
import { type AcceptedCounts } from './accepted-counts';
import { type DeviceActivity } from './activity';
import { type Children, type Looked } from './children';
import { type DecoderRegistry, type PayloadError } from './decoders';
import { createIntake, type Intake } from './intake';
import { type MessageSource } from './letter-payload';
import { type GatewayLimits } from './limits';
import { isPlainEncoding, type MessageProperties } from './message-properties';
import { type GatewayMetrics } from './metrics';
import { type Packer } from './packer';
import { type StreamLink } from './stream-link';
import { type Settled } from './submission';
import { type TokenBuckets } from './token-bucket';

export const DEFAULT_CONTENT_TYPE = 'application/json';

/** What became of one message in an intake. Its refused readings are no fault: each stands in the intake by itself. */
export type Decoded =
  | { kind: 'taken' }
  /** Nothing of it could be taken; the intake holds its dead letter. */
  | { kind: 'invalid'; fault: PayloadError }
  /** A content type or encoding that is none of ours: the intake is as it was, the transport decides. */
  | { kind: 'unsupported'; contentType: string };

/** What every transport does with the messages of a device that proved who it is. Knows no transport. */
export interface Reception {
  /** Whose rate stands in the way of a further message, and for how long; undefined where none does. */
  overRate(
    device: DirectoryDevice,
    now: number,
  ): { whose: 'device' | 'tenant'; milliseconds: number } | undefined;
  /** Whether Event Hubs answered last. */
  connected(): boolean;
  /** @param looked children that an earlier intake of the same messages was missing. */
  open(device: DirectoryDevice, source: MessageSource, looked?: Looked): Intake<DirectoryDevice>;
  /** Looks up the children that an intake is missing. Rejects when the store cannot be asked. */
  look(device: DirectoryDevice, intake: Intake<DirectoryDevice>): Promise<Looked>;
  decode(
    intake: Intake<DirectoryDevice>,
    device: DirectoryDevice,
    properties: MessageProperties,
    body: Buffer,
    receivedAt: number,
    messageIndex?: number,
  ): Decoded;
  /**
   * Charges the sender and hands the intake to Event Hubs. Resolves once all of it was accepted, refused readings too;
   * rejects with a `NotAcceptedError` where that is not known. Only after it has resolved may the device be told.
   */
  submit(
    device: DirectoryDevice,
    intake: Intake<DirectoryDevice>,
    now: number,
    protocol: DeviceProtocol,
  ): Promise<void>;
  /** The same for a transport with thousands of messages a second: told in a later turn, once, without a promise. */
  hand(
    device: DirectoryDevice,
    intake: Intake<DirectoryDevice>,
    now: number,
    protocol: DeviceProtocol,
    settled: Settled,
  ): void;
  /** Those that `decode` takes. */
  contentTypes: readonly string[];
}

const TAKEN: Decoded = { kind: 'taken' };
/**
 * What is read costs as much as a reading, whatever it holds: a quarter of a mebibyte of blanks around one number takes as
 * long as a thousand readings. Readings themselves have a hundredth of it each.
 */
const BYTES_A_READING = 4 * 1024;
const NONE_LOOKED: Looked = new Map();

export function createReception(options: {
  logger: Logger;
  metrics: GatewayMetrics;
  decoders: DecoderRegistry;
  packer: Packer;
  link: StreamLink;
  /** Told of each message that was accepted. */
  activity: DeviceActivity;
  /** Told of each reading and refusal that was accepted, or may have been. */
  counts: AcceptedCounts;
  children: Children;
  devices: TokenBuckets;
  tenants: TokenBuckets;
  limits: GatewayLimits;
}): Reception {
  const { logger, metrics, decoders, packer, activity, counts, children, devices, tenants, limits } = options;

  const hand: Reception['hand'] = (device, intake, now, protocol, settled) => {
    const { readings, refused, refusals } = intake;
    const count = readings.length + refused.length + intake.dropped() + kilobytesKept(intake);
    devices.spend(device.deviceId, Math.max(1, count), now);
    tenants.spend(device.tenantId, Math.max(1, count), now);
    packer.hand(readings, refused, (error) => {
      if (error === undefined) {
        metrics.accepted(readings.length);
        counts.accepted(readings, refused);
        let own = readings.length;
        for (const relayed of intake.relayed()) {
          activity.accepted(relayed.child, protocol, now, relayed.readings);
          own -= relayed.readings;
        }
        activity.accepted(device, protocol, now, own);
        for (const refusal of refusals) metrics.refused(refusal.code);
      } else {
        counts.unanswered(readings);
      }
      settled(error);
    });
  };

  return {
    overRate(device, now) {
      const ofDevice = devices.waitFor(device.deviceId, now);
      if (ofDevice > 0) return { whose: 'device', milliseconds: ofDevice };
      const ofTenant = tenants.waitFor(device.tenantId, now);
      if (ofTenant > 0) return { whose: 'tenant', milliseconds: ofTenant };
      return undefined;
    },
    connected: () => options.link.connected(),
    open: (device, source, looked = NONE_LOOKED) =>
      createIntake({
        device,
        relay: (childId) => children.find(device, childId, looked),
        source,
        readingsPerRequest: limits.readingsPerRequest,
        onDecoderFault: (decoder, error) => {
          metrics.decoderFault(decoder.contentType);
          const { deviceId } = device;
          logger.error({ err: error, deviceId, decoder: decoder.contentType }, 'a decoder failed');
        },
      }),
    look: (device, intake) => children.look(device, [...intake.missing]),
    decode(intake, { deviceId, tenantId, assignments }, properties, body, receivedAt, messageIndex) {
      const reading = Math.trunc(body.length / BYTES_A_READING);
      if (reading > 0) {
        devices.spend(deviceId, reading, receivedAt);
        tenants.spend(tenantId, reading, receivedAt);
      }
      const { contentType = DEFAULT_CONTENT_TYPE, contentEncoding } = properties;
      const { messageId, createdAt, childDeviceId } = properties;
      const decoder = decoders.find(contentType);
      if (decoder === undefined) return { kind: 'unsupported', contentType };
      if (!isPlainEncoding(contentEncoding)) {
        return { kind: 'unsupported', contentType: `content encoding: ${contentEncoding}` };
      }
      const fault = intake.take(
        { body, deviceId, channels: assignments, messageId, receivedAt, createdAt },
        decoder,
        messageIndex,
        childDeviceId,
      );
      return fault === undefined ? TAKEN : { kind: 'invalid', fault };
    },
    hand,
    submit: (device, intake, now, protocol) =>
      new Promise((resolve, reject) =>
        hand(device, intake, now, protocol, (error) => (error === undefined ? resolve() : reject(error))),
      ),
    contentTypes: decoders.contentTypes,
  };
}

/** What cannot be read is kept whole: its sender pays for a kilobyte as for a reading. */
function kilobytesKept({ refused }: Intake): number {
  let bytes = 0;
  for (const { letter } of refused) bytes += letter?.payload?.length ?? 0;
  return Math.floor(bytes / 1024);
}
