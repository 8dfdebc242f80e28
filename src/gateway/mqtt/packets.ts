import {
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
  parser as createParser,
  writeToStream,
} from 'mqtt-packet';
import { PUBLISH } from './framer';

// It would keep a buffer for each of 65,536 numbers, megabytes, for the few packets that are written with it.
(writeToStream as unknown as { cacheNumbers: boolean }).cacheNumbers = false;

/** A packet from a device; undefined for bytes that are none. */
export interface PacketReader {
  /** A CONNECT of any version of MQTT. */
  connect(frame: Buffer): IConnectPacket | undefined;
  /** Any other packet, as MQTT 3.1.1 reads it. */
  packet(frame: Buffer): Packet | undefined;
}

/** Reads whole packets: a parser keeps nothing from one to the next, so that one serves every connection. */
export function createPacketReader(): PacketReader {
  const parseWith = (parser: ReturnType<typeof createParser>) => {
    let packet: Packet | undefined;
    parser.on('packet', (parsed: Packet) => (packet = parsed));
    parser.on('error', () => (packet = undefined));
    return (frame: Buffer): Packet | undefined => {
      packet = undefined;
      const left = parser.parse(frame);
      return left === 0 ? packet : undefined;
    };
  };
  const fresh = () => parseWith(createParser({ protocolVersion: 4 }));
  let shared = fresh();

  return {
    connect(frame) {
      try {
        // A CONNECT changes how its parser reads what follows: it gets one of its own.
        const packet = parseWith(createParser())(frame);
        return packet?.cmd === 'connect' ? packet : undefined;
      } catch {
        return undefined;
      }
    },
    packet(frame) {
      const publish = plainPublish(frame);
      if (publish !== undefined) return publish;
      try {
        const packet = shared(frame);
        if (packet === undefined) shared = fresh();
        return packet;
      } catch {
        // It ran past the end of the packet, and what it holds now is nobody's.
        shared = fresh();
        return undefined;
      }
    },
  };
}

/**
 * Reads a PUBLISH of QoS 0 or 1 that is as it should be (MQTT 3.1.1, 3.3), which nearly every packet of a device is: a
 * tenth of what `mqtt-packet` takes. Anything else about it is left to that, which also says what is malformed.
 * @param frame a whole packet, whose fixed header was read before.
 */
function plainPublish(frame: Buffer): IPublishPacket | undefined {
  const flags = frame[0]!;
  const qos = (flags >> 1) & 3;
  if (flags >> 4 !== PUBLISH || qos > 1) return undefined;
  let at = 1;
  while (frame[at++]! >= 128);
  if (at + 2 > frame.length) return undefined;
  const topicEnd = at + 2 + ((frame[at]! << 8) | frame[at + 1]!);
  const payloadAt = topicEnd + 2 * qos;
  if (topicEnd === at + 2 || payloadAt > frame.length) return undefined;
  return {
    cmd: 'publish',
    qos: qos as 0 | 1,
    dup: (flags & 8) !== 0,
    retain: (flags & 1) !== 0,
    topic: frame.toString('utf8', at + 2, topicEnd),
    payload: frame.subarray(payloadAt),
    ...(qos === 1 && { messageId: (frame[topicEnd]! << 8) | frame[topicEnd + 1]! }),
  };
}

/** Return codes of MQTT 3.1.1, section 3.2.2.3. */
export const CONNECTED = 0;
export const UNACCEPTABLE_VERSION = 1;
export const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
export const NOT_AUTHORIZED = 5;

/** @param version of the client's CONNECT: a client of MQTT 5 reads another answer. */
export function connack(returnCode: number, version = 4): Buffer {
  if (version === 5) {
    return generate({ cmd: 'connack', reasonCode: 0x84, sessionPresent: false }, { protocolVersion: 5 });
  }
  // "Session present" is never set, so that clients subscribe again. What a device that goes on with its session listened
  // for of its twin holds all the same: Microsoft's SDKs ask neither.
  return Buffer.from([0x20, 2, 0, returnCode]);
}

export function puback(messageId: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = 0x40;
  bytes[1] = 2;
  bytes[2] = messageId >> 8;
  bytes[3] = messageId & 255;
  return bytes;
}
export const PINGRESP = Buffer.from([0xd0, 0]);
export const unsuback = (messageId: number): Buffer =>
  Buffer.from([0xb0, 2, messageId >> 8, messageId & 255]);
export const suback = (messageId: number, granted: number[]): Buffer =>
  generate({ cmd: 'suback', messageId, granted });
/** At most once: nothing waits for a device's PUBACK. */
export const publish = (topic: string, payload: string): Buffer =>
  generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false });

export const SUBSCRIPTION_REFUSED = 0x80;

/** The parser marks a number that is cut off with -1, and lets 0 pass, which no packet may have. */
export function hasMessageId(packet: IPublishPacket | ISubscribePacket | IUnsubscribePacket): boolean {
  return packet.messageId !== undefined && packet.messageId > 0;
}
