import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Logger } from '../../observability/logger';
import { type Registry } from '../../observability/metrics';
import { listenError } from '../../observability/operator-error';
import { type DeviceAuthentication } from '../authentication';
import { type GatewayLimits } from '../limits';
import { type GatewayMetrics } from '../metrics';
import { type Reception } from '../reception';
import { createHandshakes, type Handshakes } from '../handshakes';
import { createTls, type ServerCertificate, tlsOptionsOf } from '../tls';
import { createTurnEnd } from '../turn-writes';
import { type TwinService } from '../twin-service';
import { type Connection, type ConnectionContext, createConnection } from './connection';
import { createMqttMetrics } from './metrics';
import { createPacketReader } from './packets';
import { createTurns } from './turns';

/** Where MQTT is listened for. */
export interface MqttPorts {
  /** Without TLS; 0 for a free one. */
  port: number;
  /** MQTTS beside it. */
  tls?: { port: number } & ServerCertificate;
}

export interface MqttListener {
  /** @throws OperatorError when a port cannot be had, or the certificate and key are none or do not belong together. */
  start(): Promise<{ port: number; tlsPort?: number }>;
  /** Takes no further message, answers those it took, closes every connection. */
  stop(): Promise<void>;
  /** Bytes that were read and not yet taken. */
  bytesHeld(): number;
  handshakesWaiting(): number;
}

/** How often connections that wait are tried again. */
const TICK_MS = 100;
/** Shorter than a process is given to drain. */
const DRAIN_MS = 6_000;
const BACKLOG = 2_048;
/**
 * What connections may hold together before they have proved whose they are, as a part of what the gateway may: beside
 * it and not within it, so that nobody without a key takes the room of those that have one.
 */
const UNPROVED_SHARE = 4;

/** MQTT 3.1.1 as IoT Hub speaks it with its devices: takes telemetry in, and is no broker. */
export function createMqttListener(options: {
  logger: Logger;
  registry: Registry;
  gatewayMetrics: GatewayMetrics;
  authentication: DeviceAuthentication;
  reception: Reception;
  twins: TwinService;
  limits: GatewayLimits;
  bytesInFlight: () => number;
  host: string;
  ports: MqttPorts;
}): MqttListener {
  const { logger, limits, host, ports } = options;
  const connections = new Set<Connection>();
  /** One a device: whoever comes later is the device, and the one before it a connection that nobody has missed yet. */
  const byDevice = new Map<string, Connection>();
  let stalled = new Set<Connection>();
  let held = 0;
  let unproved = 0;
  let stopping = false;
  let ticking: NodeJS.Timeout | undefined;
  let sweep = connections.values();

  const context: ConnectionContext = {
    logger,
    metrics: createMqttMetrics(options.registry, () => byDevice.size),
    gatewayMetrics: options.gatewayMetrics,
    authentication: options.authentication,
    reception: options.reception,
    twins: options.twins,
    reader: createPacketReader(),
    turnEnd: createTurnEnd(),
    turns: createTurns(),
    limits,
    bytesInFlight: options.bytesInFlight,
    held: (bytes) => (held += bytes),
    heldUnproved(bytes) {
      unproved += bytes;
      return unproved <= limits.bytesInFlight / UNPROVED_SHARE;
    },
    connected(deviceId, connection) {
      byDevice.get(deviceId)?.end('taken-over');
      byDevice.set(deviceId, connection);
    },
    checksUnderWay: 0,
    stalled: (connection) => stalled.add(connection),
    closed(connection, deviceId) {
      connections.delete(connection);
      stalled.delete(connection);
      if (deviceId !== undefined && byDevice.get(deviceId) === connection) byDevice.delete(deviceId);
    },
  };

  const tick = (): void => {
    const waiting = stalled;
    stalled = new Set();
    for (const connection of waiting) connection.proceed();
    // A share of all connections each time, so that ten thousand are looked at without a pause for the others.
    const now = Date.now();
    let share = Math.ceil((connections.size * TICK_MS) / limits.sweepMilliseconds);
    for (; share > 0; share--) {
      const { value, done } = sweep.next();
      if (done) {
        sweep = connections.values();
        return;
      }
      value.check(now);
    }
  };

  const onSocket = (socket: Socket): void => {
    if (stopping) return void socket.destroy();
    connections.add(createConnection(socket, context));
  };
  const servers: Server[] = [createServer(onSocket)];
  const { tls } = ports;
  let handshakes: Handshakes | undefined;
  if (tls) {
    const secure = createTls(() => createTlsServer(tlsOptionsOf(tls), onSocket));
    // Whoever does not speak TLS, or does not trust us, is closed by Node; nobody is to be told.
    secure.on('tlsClientError', (_error, socket) => socket.destroy());
    handshakes = createHandshakes(secure, { atOnce: limits.handshakes, metrics: options.gatewayMetrics });
    // Listens bare, so that it can choose how many handshakes are under way.
    servers.push(createServer({ pauseOnConnect: true }, handshakes.begin));
  }
  /** The bare ones, those in their TLS handshake too. */
  const sockets = new Set<Socket>();
  for (const server of servers) {
    server.maxConnections = limits.connections;
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
  }

  const listen = (server: Server, port: number, what: string): Promise<number> =>
    new Promise((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, what, host, port)));
      // A storm of devices is queued by the kernel rather than turned away, to try again seconds later.
      server.listen({ port, host, backlog: BACKLOG }, () => resolve((server.address() as AddressInfo).port));
    });
  const close = (server: Server): Promise<void> =>
    new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));

  return {
    async start() {
      try {
        const port = await listen(servers[0]!, ports.port, 'the device gateway’s MQTT');
        const tlsPort = tls && (await listen(servers[1]!, tls.port, 'the device gateway’s MQTTS'));
        ticking = setInterval(tick, TICK_MS);
        logger.info({ host, port, tlsPort }, 'MQTT is listened for');
        return { port, ...(tlsPort === undefined ? {} : { tlsPort }) };
      } catch (error) {
        await Promise.all(servers.map(close));
        throw error;
      }
    },
    async stop() {
      stopping = true;
      clearInterval(ticking);
      const closed = Promise.all(servers.map(close));
      const cut = (): void => {
        for (const socket of sockets) socket.destroy();
      };
      const late = setTimeout(cut, DRAIN_MS);
      await Promise.all([...connections].map((connection) => connection.drain()));
      clearTimeout(late);
      cut();
      await closed;
    },
    bytesHeld: () => held,
    handshakesWaiting: () => handshakes?.waiting() ?? 0,
  };
}
