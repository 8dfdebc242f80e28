import { DEFAULT_DECODED_WITHIN_MS } from './decoders/guard';

/** What one gateway process takes at most. Every bound exists so that no sender can make the process grow. */
export interface GatewayLimits {
  /** Bytes of a request's body; IoT Hub's own limit of a message and of a batch. */
  bodyBytes: number;
  /** Readings in one request, taken and refused together. */
  readingsPerRequest: number;
  /** What a decoder may take for one message, in time of execution; those known to be linear are not watched. */
  decodedWithinMilliseconds: number;
  /** Bytes of bodies being read and of frames not yet accepted, over all requests; beyond it 429. */
  bytesInFlight: number;
  /** Unknown devices being looked up at once; beyond it 429, so that made-up ids cannot flood the store. */
  lookupsInFlight: number;
  /**
   * Ids that exist nowhere, by the address they come from: beyond it no unknown device from there is looked up. A whole
   * fleet may stand behind one address, so only what was not found counts.
   */
  madeUpIds: Rate;
  /** The same from everywhere: beyond it few unknown devices are looked up at once. */
  madeUpIdsInAll: Rate;
  /** How long an unknown device's request waits for the registry before it is answered 503. */
  lookedUpWithinMilliseconds: number;
  /** Verified tokens remembered. */
  rememberedTokens: number;
  /** Readings a second, and how many may come at once after a silence. */
  device: Rate;
  tenant: Rate;
  /** Devices that a field gateway names and may not relay for: beyond it such are refused without being looked up. */
  strangers: Rate;
  /** Requests of a device about its twin: beyond it they are answered 429. */
  twinRequests: Rate;
  /** PINGREQ, SUBSCRIBE and UNSUBSCRIBE of one MQTT connection, which ends beyond it. */
  controlPackets: Rate;
  /** How long a request waits for Event Hubs before it is answered 503. */
  acceptedWithinMilliseconds: number;
  /** Connections of one port; a further one is closed at once. */
  connections: number;
  /** TLS handshakes of MQTT under way at once; further ones wait in the network's own buffers. */
  handshakes: number;
  /** Messages of one MQTT connection that Event Hubs has not accepted yet; beyond it the socket is not read. */
  messagesInFlight: number;
  /** How long a client may take to send its CONNECT, and to finish a packet that it began. */
  packetWithinMilliseconds: number;
  /** How often each MQTT connection is looked at: keep-alive, token's expiry, whether its device may still send. */
  sweepMilliseconds: number;
  /** How long a frame of a busy partition stays open for more readings. */
  lingerMilliseconds: number;
}

export interface Rate {
  perSecond: number;
  burst: number;
}

export const DEFAULT_LIMITS: GatewayLimits = {
  bodyBytes: 256 * 1024,
  readingsPerRequest: 10_000,
  decodedWithinMilliseconds: DEFAULT_DECODED_WITHIN_MS,
  bytesInFlight: 64 * 1024 * 1024,
  lookupsInFlight: 20_000,
  lookedUpWithinMilliseconds: 10_000,
  madeUpIds: { perSecond: 5, burst: 100 },
  madeUpIdsInAll: { perSecond: 100, burst: 2_000 },
  rememberedTokens: 200_000,
  // A device that was cut off for a week brings 50,000 readings a channel: it must not wait, nor starve the others.
  device: { perSecond: 5_000, burst: 100_000 },
  tenant: { perSecond: 200_000, burst: 2_000_000 },
  strangers: { perSecond: 10, burst: 1_000 },
  twinRequests: { perSecond: 10, burst: 50 },
  // A client pings once a keep-alive, and listens for a handful of topics when it connects.
  controlPackets: { perSecond: 5, burst: 100 },
  acceptedWithinMilliseconds: 10_000,
  connections: 20_000,
  handshakes: 256,
  messagesInFlight: 128,
  packetWithinMilliseconds: 20_000,
  sweepMilliseconds: 500,
  // The longest that a frame may stay open: half as many sends as with 25 ms, each of which costs as much as several messages.
  lingerMilliseconds: 50,
};
