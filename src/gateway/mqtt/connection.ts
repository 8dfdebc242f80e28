import { type Socket } from 'node:net';
import { type Logger } from '../../observability/logger';
import { isPassing } from '../answers';
import { type Authenticated, type DeviceAuthentication, type Proof } from '../authentication';
import { type DeviceConnection, type SharedByConnections } from '../device-listener';
import { createHolding } from '../holding';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createTurnWrites } from '../turn-writes';
import { type TwinService } from '../twin-service';
import { type Claims, claimsOf, refusalOf } from './claims';
import { CONNECT, createFramer, PUBLISH } from './framer';
import { type Ending, type MqttMetrics } from './metrics';
import * as packets from './packets';
import { createSession, type Session } from './session';
import { type Turns } from './turns';

/** What all connections share. */
export interface ConnectionContext extends SharedByConnections<Connection> {
  logger: Logger;
  metrics: MqttMetrics;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  reader: packets.PacketReader;
  turns: Turns;
  /** All that the gateway holds, over all transports. */
  bytesInFlight(): number;
}

export interface Connection extends DeviceConnection {
  end(why: Ending): void;
}

/** Of every packet but a PUBLISH; a CONNECT with the longest token needs about 3 kB. */
const SMALL_PACKET_BYTES = 8 * 1024;
/** What a PUBLISH may have beside its payload: topic and property bag. */
const TOPIC_BYTES = 16 * 1024;
/** Answers that the client does not read; beyond it nothing more of it is read. */
const UNREAD_ANSWER_BYTES = 16 * 1024;
/** How long an ended connection may take to read its last answers. */
const LAST_WORDS_MS = 2_000;
/** While the directory is behind, silent connections are looked up a few at a time. */
const MOST_CHECKS = 200;
/** Where no device changes, tokens and certificates expire all the same. */
const EXPIRY_SEEN_WITHIN_MS = 2_000;
/** Taken of one connection before the others have their turn. */
const MOST_AT_ONCE = 64;

type Identity = Extract<Claims, { refusal?: undefined }> & { proof: Proof | undefined };

export function createConnection(socket: Socket, context: ConnectionContext): Connection {
  const { metrics, authentication, limits } = context;
  const since = Date.now();
  const framer = createFramer((type) =>
    type === PUBLISH && session !== undefined ? limits.bodyBytes + TOPIC_BYTES : SMALL_PACKET_BYTES,
  );
  let identity: Identity | undefined;
  let session: Session | undefined;
  let lastHeard = since;
  /** Since when the beginning of a packet has been waiting for its rest. */
  let partialSince: number | undefined;
  /** The registry is being asked, and everything waits for its answer. */
  let asking = false;
  let checking = false;
  /** Of the directory when the device was looked at last: while no device changes, it may still be here. */
  let checkedRevision: number | undefined;
  let checkedUntil = 0;
  /** It goes on in a later turn. */
  let yielded = false;
  let ended = false;
  let draining = false;
  const holding = createHolding(context);

  const account = (): void => {
    const holds = ended ? 0 : framer.bytes() + (session?.bytesHeld() ?? 0);
    // A CONNECT comes whole nearly always, and then holds nothing.
    if (!holding.set(holds, session !== undefined) && holds > 0) end('too-large');
  };

  const answers = createTurnWrites(context.turnEnd, (bytes) => {
    if (socket.writable) socket.write(bytes);
  });
  const write = answers.add;
  /** Answers that have not left. */
  const unread = (): number => socket.writableLength + answers.bytes();

  const end = (why: Ending): void => {
    if (ended) return;
    ended = true;
    metrics.ended(why);
    context.logger.debug({ deviceId: identity?.deviceId, why }, 'an MQTT connection ended');
    account();
    session?.close();
    answers.flush();
    context.closed(connection, identity?.deviceId);
    // What was written still leaves, if the client reads it; what else comes is not read.
    socket.pause();
    socket.destroySoon();
    socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
  };

  const failed = (error: unknown): void => {
    context.logger.error({ err: error, deviceId: identity?.deviceId }, 'an MQTT packet failed');
    end('fault');
  };

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failed(error);
    }
  };

  const whenKnown = (
    verdict: Authenticated | Promise<Authenticated>,
    then: (verdict: Authenticated) => void,
  ): void => {
    if (!(verdict instanceof Promise)) return then(verdict);
    asking = true;
    // What it sends meanwhile stays in the network.
    socket.pause();
    void verdict.then((answer) => {
      asking = false;
      if (ended || draining) return;
      // Thousands may have waited for the same: they go on a few a turn, and ask anew, as this answer may be old by then.
      if (session !== undefined && !context.turns.mayGoOn()) return yieldTurn();
      guarded(() => then(answer));
      // Where the registry could not be asked the message is tried again in a while, and not at once for ever.
      if (session?.blocked()) wait();
      else proceed();
    });
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
    const proof = claims.token ?? authentication.certificateOf(socket);
    whenKnown(authentication.authenticate(claims.deviceId, proof, Date.now(), socket), (verdict) => {
      if (verdict.error) return refuse(refusalOf(verdict.error.code));
      const { deviceId, clean } = claims;
      identity = { ...claims, proof };
      const { tenantId } = verdict.device;
      session = createSession({
        ...context,
        deviceId,
        tenantId,
        proof,
        clean,
        write,
        unread,
        end,
        whenKnown,
        settled,
      });
      lastHeard = Date.now();
      context.connected(deviceId, connection);
      metrics.connack(packets.CONNECTED);
      write(packets.connack(packets.CONNECTED));
      session.resume();
    });
  };

  const onFrame = (frame: Buffer): void => {
    const isConnect = frame[0]! >> 4 === CONNECT;
    // The first packet is a CONNECT, and only the first (MQTT 3.1.1, 3.1).
    if (isConnect !== (session === undefined)) return end('malformed');
    if (session === undefined) return onConnect(frame);
    const packet = context.reader.packet(frame);
    if (packet === undefined) end('malformed');
    else session.take(packet);
  };

  const take = (frame: Buffer): void => {
    try {
      onFrame(frame);
    } catch (error) {
      failed(error);
    }
  };

  const settled = (): void => {
    if (draining) endWhenDrained();
    // Nearly always nothing waits for it.
    else if (session?.blocked() || framer.bytes() > 0 || socket.isPaused()) proceed();
  };

  const endWhenDrained = (): void => {
    if ((session?.inFlight() ?? 0) === 0) end('stopping');
  };

  /** Back-pressure: what may not be taken stays in the device and in the network, not here. */
  const wait = (): void => {
    if (ended) return;
    account();
    socket.pause();
    context.stalled(connection);
  };

  /** The others' turn. What comes meanwhile stays in the network. */
  const yieldTurn = (): void => {
    account();
    socket.pause();
    if (yielded) return;
    yielded = true;
    context.turns.later(() => {
      yielded = false;
      proceed();
    });
  };

  const proceed = (): void => {
    if (ended || draining || asking || yielded) return;
    if (!context.turns.mayGoOn()) return yieldTurn();
    if (session?.blocked()) guarded(session.retry);
    let starved = false;
    let taken = 0;
    while (!ended && !asking && !session?.blocked() && unread() <= UNREAD_ANSWER_BYTES) {
      if (taken > 0 && framer.bytes() > 0 && (taken === MOST_AT_ONCE || !context.turns.mayGoOn())) {
        return yieldTurn();
      }
      const { frame, fault } = framer.next();
      if (fault !== undefined) return end(fault);
      if (frame === undefined) {
        starved = true;
        break;
      }
      lastHeard = Date.now();
      partialSince = undefined;
      take(frame);
      taken++;
    }
    if (ended) return;
    if (starved) partialSince = framer.bytes() === 0 ? undefined : (partialSince ?? Date.now());
    account();
    if (starved && context.bytesInFlight() < limits.bytesInFlight) socket.resume();
    else wait();
  };

  const judge = (verdict: Authenticated): void => {
    if (verdict.error && !isPassing(verdict.error.code)) end('not-permitted');
  };

  /** Ends the connection of a device that may no longer be here, also of one that says nothing. */
  const checkDevice = ({ deviceId, proof }: Identity, now: number): void => {
    const revision = authentication.revision();
    if (revision !== undefined && revision === checkedRevision && now < checkedUntil) return;
    const recalled = authentication.recall(deviceId, proof, now);
    checkedRevision = recalled === undefined ? undefined : revision;
    checkedUntil = now + EXPIRY_SEEN_WITHIN_MS;
    if (recalled !== undefined) return judge(recalled);
    // The directory does not know it now, and nothing is taken from it before the registry was asked. A silent one is
    // asked about here, in its turn.
    if (checking || context.checksUnderWay >= MOST_CHECKS) return;
    checking = true;
    context.checksUnderWay++;
    void Promise.resolve(authentication.authenticate(deviceId, proof, now)).then((verdict) => {
      checking = false;
      context.checksUnderWay--;
      judge(verdict);
    });
  };

  const connection: Connection = {
    proceed,
    check(now) {
      if (ended || draining) return;
      const late = now - limits.packetWithinMilliseconds;
      if ((identity === undefined ? since : (partialSince ?? now)) < late) return end('slow');
      if (identity === undefined) return;
      // While it is not read it cannot be heard.
      if (socket.isPaused()) lastHeard = now;
      if (now - lastHeard > identity.keepAliveMilliseconds) return end('keep-alive');
      checkDevice(identity, now);
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
