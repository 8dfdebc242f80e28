import { type AmqpError, type Container } from 'rhea';
import { type TLSSocket } from 'node:tls';
import { type Logger } from '../../observability/logger';
import { isPassing } from '../answers';
import { type Authenticated, type DeviceAuthentication } from '../authentication';
import { type DeviceConnection, type SharedByConnections } from '../device-listener';
import { createHolding } from '../holding';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createTurnWrites } from '../turn-writes';
import { type TwinService } from '../twin-service';
import { FAULT, IDLE, MALFORMED, STOPPING, TAKEN_OVER, TOO_MANY, UNAUTHORIZED } from './conditions';
import { isWellFormedFrame } from './encoding';
import { type AmqpFrame, createFramer } from './framer';
import { type AmqpMetrics, type Ending } from './metrics';
import { createProtocol, IDLE_MS, MAXIMUM_FRAME_BYTES } from './protocol';
import { createSession, type Identity } from './session';

/** What all connections share. */
export interface ConnectionContext extends SharedByConnections<Connection> {
  logger: Logger;
  container: Container;
  metrics: AmqpMetrics;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  /** All that the gateway holds, over all transports. */
  bytesInFlight(): number;
}

export interface Connection extends DeviceConnection {
  end(why: Ending, error?: AmqpError): void;
}

/** Of a client that has not proved who it is: the longest token needs about 3 kB. */
const SMALL_FRAME_BYTES = 8 * 1024;
/** What a message may have beside its body. */
const PROPERTIES_BYTES = 16 * 1024;
/** What the client does not read; beyond it nothing more of it is read. */
const UNREAD_BYTES = 16 * 1024;
/** How long an ended connection may take to read its last words. */
const LAST_WORDS_MS = 2_000;
/** While the directory is behind, silent connections are looked up a few at a time. */
const MOST_CHECKS = 200;
/** With what the client is told, where nothing better is said. */
const ERRORS: Readonly<Partial<Record<Ending, AmqpError>>> = {
  'taken-over': TAKEN_OVER,
  idle: IDLE,
  'not-permitted': UNAUTHORIZED,
  malformed: MALFORMED,
  'too-many': TOO_MANY,
  slow: IDLE,
  stopping: STOPPING,
  fault: FAULT,
};

export function createConnection(socket: TLSSocket, context: ConnectionContext): Connection {
  const { metrics, authentication, limits } = context;
  const since = Date.now();
  const framer = createFramer(() => (session.identity() ? MAXIMUM_FRAME_BYTES : SMALL_FRAME_BYTES));
  let lastHeard = since;
  /** Since when the beginning of a frame or of a message has been waiting for its rest. */
  let partialSince: number | undefined;
  /** Something must be known first, and everything waits for it. */
  let asking = false;
  let checking = false;
  let ended = false;
  let draining = false;
  const holding = createHolding(context);

  const answers = createTurnWrites(context.turnEnd, (bytes) => {
    if (socket.writable) socket.write(bytes);
  });
  const unread = (): number => socket.writableLength + answers.bytes() + protocol.unsent();

  const account = (): void => {
    const holds = ended ? 0 : framer.bytes() + protocol.collected() + session.bytesHeld();
    if (!holding.set(holds, session.identity() !== undefined) && holds > 0) end('too-many');
  };

  const end = (why: Ending, error = ERRORS[why]): void => {
    if (ended) return;
    ended = true;
    const deviceId = session.identity()?.deviceId;
    metrics.ended(why);
    context.logger.debug({ deviceId, why }, 'an AMQP connection ended');
    account();
    session.close();
    protocol.close(error);
    answers.flush();
    context.closed(connection, deviceId);
    // What was written still leaves, if the client reads it; what else comes is not read.
    socket.pause();
    socket.destroySoon();
    socket.setTimeout(LAST_WORDS_MS, () => socket.destroy());
  };

  const failed = (error: unknown): void => {
    context.logger.error({ err: error, deviceId: session.identity()?.deviceId }, 'an AMQP frame failed');
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
    if (!(verdict instanceof Promise)) return guarded(() => then(verdict));
    asking = true;
    // What it sends meanwhile stays in the network.
    socket.pause();
    void verdict.then((answer) => {
      asking = false;
      if (ended || draining) return;
      guarded(() => then(answer));
      // Where the registry could not be asked the message is tried again in a while, and not at once for ever.
      if (session.telemetry.blocked()) wait();
      else proceed();
    });
  };

  const settled = (): void => {
    if (ended) return;
    if (draining) endWhenDrained();
    else if (session.telemetry.blocked() || framer.bytes() > 0 || socket.isPaused()) proceed();
    else grant();
  };

  const grant = (): void => {
    if (!session.telemetry.grant()) context.stalled(connection);
  };

  const session = createSession({
    ...context,
    source: socket,
    certificate: authentication.certificateOf(socket),
    send: (sender, message) => protocol.send(sender, message),
    unread,
    connected: (deviceId) => context.connected(deviceId, connection),
    whenKnown,
    end,
    settled,
  });

  const protocol = createProtocol(context.container, limits.bodyBytes + PROPERTIES_BYTES, {
    write: answers.add,
    onReceiver: (receiver) => guarded(() => session.onReceiver(receiver)),
    onSender: (sender) => guarded(() => session.onSender(sender)),
    onTransfer: (transfer) => guarded(() => session.onTransfer(transfer)),
    onTooLarge: session.onTooLarge,
    onLinkGone: session.onLinkGone,
    onEnd: () => end('disconnect'),
    onMalformed(why) {
      context.logger.debug({ err: why }, 'what a device sent is no AMQP');
      end('malformed');
    },
    onTooMany: () => end('too-many'),
  });

  const endWhenDrained = (): void => {
    if (session.telemetry.inFlight() === 0) end('stopping');
  };

  /** Back-pressure: what may not be taken stays in the device and in the network, not here. */
  const wait = (): void => {
    if (ended) return;
    account();
    socket.pause();
    context.stalled(connection);
  };

  const take = ({ kind, bytes }: AmqpFrame): void => {
    lastHeard = Date.now();
    if (kind !== 'header' && !isWellFormedFrame(bytes)) return end('malformed');
    protocol.feed(bytes);
    if (kind !== 'sasl' || ended) return;
    // rhea answers it in another turn, and takes what comes behind it for something else until then.
    asking = true;
    setImmediate(() => {
      asking = false;
      proceed();
    });
  };

  const proceed = (): void => {
    if (ended || draining || asking) return;
    if (session.telemetry.blocked()) guarded(session.telemetry.retry);
    let starved = false;
    while (!ended && !asking && !session.telemetry.blocked() && unread() <= UNREAD_BYTES) {
      const { frame, fault } = framer.next();
      if (fault !== undefined) return end('malformed');
      if (frame === undefined) {
        starved = true;
        break;
      }
      take(frame);
    }
    if (ended) return;
    const partial = framer.bytes() + protocol.collected() > 0;
    if (starved) partialSince = partial ? (partialSince ?? Date.now()) : undefined;
    account();
    if (!starved || context.bytesInFlight() >= limits.bytesInFlight) return wait();
    socket.resume();
    grant();
  };

  const judge = (verdict: Authenticated): void => {
    if (verdict.error && !isPassing(verdict.error.code)) end('not-permitted');
  };

  /** Ends the connection of a device that may no longer be here, also of one that says nothing. */
  const checkDevice = ({ deviceId, proof }: Identity, now: number): void => {
    const recalled = authentication.recall(deviceId, proof, now);
    if (recalled !== undefined) return judge(recalled);
    // The directory does not know it now, and nothing is taken from it before the registry was asked.
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
      const identity = session.identity();
      const late = now - limits.packetWithinMilliseconds;
      if ((identity === undefined ? since : (partialSince ?? now)) < late) return end('slow');
      if (identity === undefined) return;
      // While it is not read it cannot be heard.
      if (socket.isPaused()) lastHeard = now;
      if (now - lastHeard > 1.5 * IDLE_MS) return end('idle');
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
