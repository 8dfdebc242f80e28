import { type Socket } from 'node:net';
import { type IPublishPacket, type ISubscribePacket, type Packet } from 'mqtt-packet';
import { type Logger } from '../../observability/logger';
import { type DirectoryDevice } from '../../store/device-directory';
import { type Authenticated, type DeviceAuthentication } from '../authentication';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createAcknowledgements } from './acknowledgements';
import { claimsOf, isPassing, refusalOf } from './claims';
import { CONNECT, createFramer, PUBLISH } from './framer';
import { type Ending, type MqttMetrics } from './metrics';
import * as packets from './packets';
import { permittedFilters, propertiesOf, publicationOf, TWIN_RESPONSES } from './topics';
import { twinAnswer } from './twin';

/** What all connections share. */
export interface ConnectionContext {
  logger: Logger;
  metrics: MqttMetrics;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  reader: packets.PacketReader;
  limits: GatewayLimits;
  /** All that the gateway holds, over all transports. */
  bytesInFlight(): number;
  /** Bytes this connection holds more, or fewer. */
  held(bytes: number): void;
  /** The device has proved who it is: an older connection of it ends. */
  connected(deviceId: string, connection: Connection): void;
  /** It waits for something nobody will tell it of: `proceed` is called now and then. */
  stalled(connection: Connection): void;
  closed(connection: Connection, deviceId: string | undefined): void;
}

/** One connection of one device, from its first byte to its last. */
export interface Connection {
  /** Goes on with what was read, as far as it may. */
  proceed(): void;
  /** Keep-alive, slowness, and whether its device may still be here. */
  check(now: number): void;
  end(why: Ending): void;
  /** Takes nothing more; resolves once all that it took was answered and the connection is closed. */
  drain(): Promise<void>;
}

/** Of every packet but a PUBLISH; a CONNECT with the longest token needs about 3 kB. */
const SMALL_PACKET_BYTES = 8 * 1024;
/** What a PUBLISH may have beside its payload: topic and property bag. */
const TOPIC_BYTES = 16 * 1024;
/** Answers that the client does not read; beyond it nothing more of it is read. */
const UNREAD_ANSWER_BYTES = 16 * 1024;
/** How long an ended connection may take to read its last answers. */
const LAST_WORDS_MS = 2_000;

export function createConnection(socket: Socket, context: ConnectionContext): Connection {
  const { metrics, authentication, reception, limits } = context;
  const since = Date.now();
  const framer = createFramer((type) =>
    type === PUBLISH && deviceId !== undefined ? limits.bodyBytes + TOPIC_BYTES : SMALL_PACKET_BYTES,
  );
  let deviceId: string | undefined;
  let token = '';
  let topic = '';
  let keepAliveMilliseconds = Infinity;
  let lastHeard = since;
  /** Since when the beginning of a packet has been waiting for its rest. */
  let partialSince: number | undefined;
  /** A message that may not be taken yet. Nothing behind it is looked at. */
  let parked: { packet: IPublishPacket; propertyBag: string; throttled: boolean } | undefined;
  /** The registry is being asked. */
  let asking = false;
  let checking = false;
  let ended = false;
  let draining = false;
  let corked = false;
  let accounted = 0;
  const subscriptions = new Set<string>();

  const account = (): void => {
    const holds = ended ? 0 : framer.bytes() + (parked?.packet.payload.length ?? 0);
    if (holds !== accounted) context.held(holds - accounted);
    accounted = holds;
  };

  const write = (bytes: Buffer): void => {
    if (!socket.writable) return;
    if (!corked) {
      // All answers of one turn leave together.
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  };

  const end = (why: Ending): void => {
    if (ended) return;
    ended = true;
    metrics.ended(why);
    context.logger.debug({ deviceId, why }, 'an MQTT connection ended');
    parked = undefined;
    account();
    context.closed(connection, deviceId);
    // What was written still leaves, if the client reads it; what else comes is not read.
    socket.pause();
    socket.destroySoon();
    socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
  };

  const acknowledgements = createAcknowledgements({
    acknowledge: (messageId) => write(packets.puback(messageId)),
    failed: () => end('not-accepted'),
    lost: () => metrics.lost(),
    settled: () => (draining ? endWhenDrained() : proceed()),
  });

  const endWhenDrained = (): void => {
    if (acknowledgements.inFlight() === 0) end('stopping');
  };

  const refuse = (returnCode: number, version?: number): void => {
    metrics.connack(returnCode);
    write(packets.connack(returnCode, version));
    end('refused');
  };

  const onConnect = (frame: Buffer): void => {
    const packet = context.reader.connect(frame);
    if (packet === undefined) return end('malformed');
    const claims = claimsOf(packet);
    if (claims.refusal !== undefined) return refuse(claims.refusal, packet.protocolVersion);
    const letIn = (verdict: Authenticated): void => {
      if (verdict.error) return refuse(refusalOf(verdict.error.code));
      ({ deviceId, token, keepAliveMilliseconds } = claims);
      topic = `devices/${deviceId}/messages/events`;
      lastHeard = Date.now();
      context.connected(deviceId, connection);
      metrics.connack(packets.CONNECTED);
      write(packets.connack(packets.CONNECTED));
    };
    whenKnown(authentication.authenticate(claims.deviceId, claims.token, Date.now()), letIn);
  };

  const whenKnown = (
    verdict: Authenticated | Promise<Authenticated>,
    then: (verdict: Authenticated) => void,
  ): void => {
    if (!(verdict instanceof Promise)) return then(verdict);
    asking = true;
    void verdict.then((answer) => {
      asking = false;
      if (ended || draining) return;
      guarded(() => then(answer));
      // Where the registry could not be asked the message is tried again in a while, and not at once for ever.
      if (parked === undefined) proceed();
      else wait();
    });
  };

  const onPublish = (packet: IPublishPacket): void => {
    if (packet.qos === 2) return end('qos-2');
    if (packet.qos === 1 && !packets.hasMessageId(packet)) return end('malformed');
    const publication = publicationOf(packet.topic, topic);
    if (publication.kind === 'forbidden') return end('forbidden-topic');
    if (publication.kind === 'telemetry') {
      if (packet.payload.length > limits.bodyBytes) return end('too-large');
      parked = { packet, propertyBag: publication.propertyBag, throttled: false };
      return tryParked();
    }
    if (publication.kind === 'twin' && subscriptions.has(TWIN_RESPONSES)) {
      const answer = twinAnswer(publication.requestId);
      write(packets.publish(answer.topic, answer.payload));
    }
    if (packet.qos === 1) acknowledgements.add(packet.messageId, Promise.resolve());
  };

  /** Takes the parked message where everything allows it; else it stays, and with it all that comes after it. */
  const tryParked = (): void => {
    if (acknowledgements.inFlight() >= limits.messagesInFlight || !reception.connected()) return;
    const now = Date.now();
    // Asked at each message: a device that was suspended a moment ago is not heard any more.
    whenKnown(authentication.authenticate(deviceId!, token, now), (verdict) => {
      if (verdict.error) return isPassing(verdict.error.code) ? undefined : end('not-permitted');
      take(verdict.device, now);
    });
  };

  const take = (device: DirectoryDevice, now: number): void => {
    const over = reception.overRate(device, now);
    if (over !== undefined) {
      if (!parked!.throttled) context.gatewayMetrics.throttled(over.whose);
      parked!.throttled = true;
      return;
    }
    const { packet, propertyBag } = parked!;
    parked = undefined;
    const body = packet.payload as Buffer;
    const intake = reception.open(device);
    const properties = propertiesOf(propertyBag);
    if (typeof properties === 'string') intake.refuseMessage(body, properties, now);
    else if (reception.decode(intake, device, properties, body, now).kind === 'unsupported') {
      const expected = reception.contentTypes.join(', ');
      const reason = `the content type or encoding is none that is taken: expected ${expected}`;
      intake.refuseMessage(body, reason, now);
    }
    metrics.message(packet.qos);
    // A PUBACK cannot say what was refused: the dead letters keep it, and the message is done.
    acknowledgements.add(
      packet.qos === 1 ? packet.messageId : undefined,
      reception.submit(device, intake, now),
    );
  };

  const onSubscribe = (packet: ISubscribePacket): void => {
    if (!packets.hasMessageId(packet) || packet.subscriptions.length === 0) return end('malformed');
    const permitted = permittedFilters(deviceId!);
    const granted = packet.subscriptions.map(({ topic: filter, qos }) => {
      if (!permitted.includes(filter)) return packets.SUBSCRIPTION_REFUSED;
      subscriptions.add(filter);
      return Math.min(qos, 1);
    });
    write(packets.suback(packet.messageId!, granted));
  };

  const onPacket = (packet: Packet): void => {
    switch (packet.cmd) {
      case 'publish':
        return onPublish(packet);
      case 'subscribe':
        return onSubscribe(packet);
      case 'unsubscribe':
        if (!packets.hasMessageId(packet) || packet.unsubscriptions.length === 0) return end('malformed');
        for (const filter of packet.unsubscriptions) subscriptions.delete(filter);
        return write(packets.unsuback(packet.messageId!));
      case 'pingreq':
        return write(packets.PINGRESP);
      case 'disconnect':
        return end('disconnect');
      case 'puback':
        return;
      default:
        return end('malformed');
    }
  };

  const onFrame = (frame: Buffer): void => {
    const isConnect = frame[0]! >> 4 === CONNECT;
    // The first packet is a CONNECT, and only the first.
    if (isConnect !== (deviceId === undefined)) return end('malformed');
    if (isConnect) return onConnect(frame);
    const packet = context.reader.packet(frame);
    if (packet === undefined) return end('malformed');
    onPacket(packet);
  };

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      context.logger.error({ err: error, deviceId }, 'an MQTT packet failed');
      end('fault');
    }
  };

  /** Back-pressure: what may not be taken stays in the device and in the network, not here. */
  const wait = (): void => {
    if (ended) return;
    account();
    socket.pause();
    context.stalled(connection);
  };

  const unread = (): boolean => socket.writableLength > UNREAD_ANSWER_BYTES;

  const proceed = (): void => {
    if (ended || draining || asking) return;
    if (parked !== undefined) guarded(tryParked);
    let starved = false;
    while (!ended && !asking && parked === undefined && !unread()) {
      const { frame, fault } = framer.next();
      if (fault !== undefined) return end(fault);
      if (frame === undefined) {
        starved = true;
        break;
      }
      lastHeard = Date.now();
      partialSince = undefined;
      guarded(() => onFrame(frame));
    }
    if (ended) return;
    if (starved) partialSince = framer.bytes() === 0 ? undefined : (partialSince ?? Date.now());
    account();
    if (starved && context.bytesInFlight() < limits.bytesInFlight) socket.resume();
    else wait();
  };

  const connection: Connection = {
    proceed,
    check(now) {
      if (ended || draining) return;
      const late = now - limits.packetWithinMilliseconds;
      if (deviceId === undefined) {
        if (since < late) end('slow');
        return;
      }
      if (partialSince !== undefined && partialSince < late) return end('slow');
      // While it is not read it cannot be heard.
      if (socket.isPaused()) lastHeard = now;
      if (now - lastHeard > keepAliveMilliseconds) return end('keep-alive');
      const judge = (verdict: Authenticated): void => {
        if (verdict.error && !isPassing(verdict.error.code)) end('not-permitted');
      };
      const recalled = authentication.recall(deviceId, token, now);
      if (recalled !== undefined) return judge(recalled);
      // The directory does not know it now. Nothing of the device is taken before it has been asked; here it is asked
      // once at a time, so that a silent connection ends as well.
      if (checking) return;
      checking = true;
      void Promise.resolve(authentication.authenticate(deviceId, token, now)).then((verdict) => {
        checking = false;
        judge(verdict);
      });
    },
    end,
    drain() {
      draining = true;
      socket.pause();
      const gone = new Promise<void>((resolve) => {
        if (socket.destroyed) resolve();
        else socket.once('close', () => resolve());
      });
      endWhenDrained();
      return gone;
    },
  };

  socket.setNoDelay(true);
  socket.on('data', (chunk: Buffer) => {
    if (ended) return;
    framer.push(chunk);
    proceed();
  });
  socket.on('drain', proceed);
  socket.on('error', () => end('lost'));
  socket.on('close', () => end('lost'));
  return connection;
}
