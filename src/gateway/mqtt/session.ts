import { type IPublishPacket, type ISubscribePacket, type Packet } from 'mqtt-packet';
import { type DirectoryDevice } from '../../store/device-directory';
import { isPassing } from '../answers';
import { type Authenticated, type DeviceAuthentication, type Proof } from '../authentication';
import { type Looked } from '../children';
import { type Intake } from '../intake';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createAllowance } from '../token-bucket';
import { createTwinLink, type TwinLink } from '../twin-link';
import { type TwinService, type TwinState } from '../twin-service';
import { createAcknowledgements } from './acknowledgements';
import { type Ending, type MqttMetrics } from './metrics';
import * as packets from './packets';
import { DESIRED_PROPERTIES, permittedFilters, propertiesOf, publicationOf, TWIN_RESPONSES } from './topics';

/** What a device that was let in does on its connection: packets in, answers out. */
export interface Session {
  take(packet: Packet): void;
  /** A message may not be taken yet; nothing behind it is to be given before `retry` has taken it. */
  blocked(): boolean;
  retry(): void;
  /** Bytes of the message that blocks, and of what else waits. */
  bytesHeld(): number;
  /** Messages that Event Hubs has not accepted yet. */
  inFlight(): number;
  /** The device was told that it is let in: what it listened for holds from here on. */
  resume(): void;
  /** The connection has ended. */
  close(): void;
}

export interface SessionOptions {
  deviceId: string;
  tenantId: string;
  proof: Proof | undefined;
  /** Whether the device begins anew: otherwise what it listened for on its last connection holds. */
  clean: boolean;
  metrics: MqttMetrics;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  limits: GatewayLimits;
  write(bytes: Buffer): void;
  /** Bytes written that have not left. */
  unread(): number;
  end(why: Ending): void;
  /** Calls back with the verdict, at once where it is known; nothing else happens on the connection until then. */
  whenKnown(verdict: Authenticated | Promise<Authenticated>, then: (verdict: Authenticated) => void): void;
  /** Messages in flight became fewer. */
  settled(): void;
}

export function createSession(options: SessionOptions): Session {
  const { deviceId, proof, metrics, gatewayMetrics, authentication, reception, limits, write, end } = options;
  const topic = `devices/${deviceId}/messages/events`;
  /** Made when it is first needed: most devices never ask. */
  let twinLink: TwinLink | undefined;
  let parked:
    { packet: IPublishPacket; propertyBag: string; throttled: boolean; looked?: Looked } | undefined;

  const acknowledgements = createAcknowledgements({
    acknowledge: (messageId) => write(packets.puback(messageId)),
    failed: () => end('not-accepted'),
    lost: () => metrics.lost(),
    settled: () => options.settled(),
  });

  const onPublish = (packet: IPublishPacket): void => {
    if (packet.qos === 2) return end('qos-2');
    if (packet.qos === 1 && !packets.hasMessageId(packet)) return end('malformed');
    const publication = publicationOf(packet.topic, topic);
    if (publication.kind === 'forbidden') return end('forbidden-topic');
    if (publication.kind === 'telemetry') {
      if (packet.payload.length > limits.bodyBytes) return end('too-large');
      parked = { packet, propertyBag: publication.propertyBag, throttled: false };
      return retry();
    }
    if (publication.kind === 'twin') {
      const body = publication.operation === 'get' ? undefined : (packet.payload as Buffer);
      twin().request(publication.requestId, body);
    }
    // In its turn behind the messages before it, and in none of the present one's.
    if (packet.qos === 1) void Promise.resolve(undefined).then(acknowledgements.add(packet.messageId));
  };

  const goesOn = !options.clean;
  const kept = options.twins.take(deviceId, options.tenantId);
  const twinState: TwinState = (goesOn ? kept : undefined) ?? {
    tenantId: options.tenantId,
    // Another replica may have heard what a device that goes on listened for: to be told too much harms it less.
    listening: { responses: goesOn, desired: goesOn },
    known: undefined,
    latest: undefined,
  };
  const twin = (): TwinLink =>
    (twinLink ??= createTwinLink({
      deviceId,
      twins: options.twins,
      state: twinState,
      authenticate: () => authentication.authenticate(deviceId, proof, Date.now()),
      recall: () => authentication.recall(deviceId, proof, Date.now()),
      answer(status, requestId, payload, version) {
        const more = version === undefined ? '' : `&$version=${version}`;
        const topic = `$iothub/twin/res/${status}/?$rid=${encodeURIComponent(requestId)}${more}`;
        write(packets.publish(topic, payload));
      },
      tell: (version, patch) =>
        write(packets.publish(`$iothub/twin/PATCH/properties/desired/?$version=${version}`, patch)),
      unread: () => options.unread(),
      end,
    }));

  const listen = (filter: string, on: boolean): void => {
    if (filter === TWIN_RESPONSES) twin().listens({ responses: on });
    else if (filter === DESIRED_PROPERTIES) twin().listens({ desired: on });
  };

  // Whatever it is that waits behind a message which Event Hubs has not accepted: a PUBACK is owed for each.
  const full = (): boolean => acknowledgements.inFlight() >= limits.messagesInFlight;

  const retry = (): void => {
    if (parked === undefined || full() || !reception.connected()) return;
    const now = Date.now();
    // Asked at each message: a device that was suspended a moment ago is not heard any more.
    options.whenKnown(authentication.authenticate(deviceId, proof, now), (verdict) => {
      if (!verdict.error) takeParked(verdict.device, now);
      else if (!isPassing(verdict.error.code)) end('not-permitted');
    });
  };

  const takeParked = (device: DirectoryDevice, now: number): void => {
    const { packet, propertyBag, throttled, looked } = parked!;
    const over = reception.overRate(device, now);
    if (over !== undefined) {
      if (!throttled) gatewayMetrics.throttled(over.whose);
      parked!.throttled = true;
      return;
    }
    const body = packet.payload as Buffer;
    const intake = reception.open(device, { protocol: 'MQTT' }, looked);
    const properties = propertiesOf(propertyBag);
    if (typeof properties === 'string') {
      intake.refuseMessage(body, properties, now);
    } else if (reception.decode(intake, device, properties, body, now).kind === 'unsupported') {
      const expected = reception.contentTypes.join(', ');
      const reason = `the content type or encoding is none that is taken: expected ${expected}`;
      intake.refuseMessage(body, reason, now, undefined, properties);
    }
    if (intake.missing.size > 0) return lookFor(intake, device);
    parked = undefined;
    metrics.message(packet.qos);
    // A PUBACK cannot say what was refused: the dead letters keep it, and the message is done.
    const messageId = packet.qos === 1 ? packet.messageId : undefined;
    reception.hand(device, intake, now, 'MQTT', acknowledgements.add(messageId));
  };

  /** The message stays where it is until the children it names were looked up, or while they cannot be. */
  const lookFor = (intake: Intake<DirectoryDevice>, device: DirectoryDevice): void => {
    const waiting = parked!;
    const looking = reception.look(device, intake).then(
      (looked): Authenticated => {
        waiting.looked = looked;
        return { device };
      },
      (): Authenticated => ({ error: { code: 'DIRECTORY_UNAVAILABLE', message: '' } }),
    );
    options.whenKnown(looking, ({ error }) => {
      // Asked again: what the device may was not looked at meanwhile.
      if (!error) retry();
    });
  };

  const onSubscribe = (packet: ISubscribePacket): void => {
    if (!packets.hasMessageId(packet) || packet.subscriptions.length === 0) return end('malformed');
    const permitted = permittedFilters(deviceId);
    const granted = packet.subscriptions.map(({ topic: filter, qos }) => {
      if (!permitted.includes(filter)) return packets.SUBSCRIPTION_REFUSED;
      return Math.min(qos, 1);
    });
    write(packets.suback(packet.messageId!, granted));
    // After the SUBACK: what they bring about comes behind it.
    packet.subscriptions.forEach(({ topic: filter }, i) => {
      if (granted[i] !== packets.SUBSCRIPTION_REFUSED) listen(filter, true);
    });
  };

  /** Made when it is first needed: most devices only publish. */
  let mayAsk: ((now: number) => boolean) | undefined;
  const isFlood = (): boolean => !(mayAsk ??= createAllowance(limits.controlPackets))(Date.now());

  return {
    take(packet) {
      switch (packet.cmd) {
        case 'publish':
          return onPublish(packet);
        case 'subscribe':
          if (isFlood()) return end('too-many');
          return onSubscribe(packet);
        case 'unsubscribe':
          if (isFlood()) return end('too-many');
          if (!packets.hasMessageId(packet) || packet.unsubscriptions.length === 0) return end('malformed');
          for (const filter of packet.unsubscriptions) listen(filter, false);
          return write(packets.unsuback(packet.messageId!));
        case 'pingreq':
          if (isFlood()) return end('too-many');
          return write(packets.PINGRESP);
        case 'disconnect':
          return end('disconnect');
        case 'puback':
          return;
        default:
          return end('malformed');
      }
    },
    blocked: () => parked !== undefined || full(),
    retry,
    bytesHeld: () => (parked?.packet.payload.length ?? 0) + (twinLink?.bytesHeld() ?? 0),
    inFlight: acknowledgements.inFlight,
    resume() {
      if (twinState.listening.desired) twin().listens({});
    },
    close() {
      twinLink?.close();
      if (goesOn) options.twins.keep(deviceId, twinState);
    },
  };
}
